/** Byte strings: comparison and hashing. */

/** Mixed into every hash, so that nobody outside can prepare collisions. Set once by coreInit(). */
let seed: u64 = 0x51ce51ce51ce51ce;

/** Sets the seed of hashBytes(). */
export function hashSeed(value: u64): void {
  seed = (value + 1) * 0x9e3779b97f4a7c15;
}

/** A 64-bit hash of bytes, never 0. Not cryptographic. */
export function hashBytes(at: u32, bytes: u32): u64 {
  let hash: u64 = seed ^ (<u64>bytes * 0xff51afd7ed558ccd);
  if (bytes > 8) {
    const end = at + bytes - 8;
    for (; at < end; at += 8) {
      hash = (hash ^ load<u64>(at)) * 0x9fb21c651e98df25;
      hash ^= hash >> 28;
    }
    // The last word may overlap the one before: with the number of bytes it is as good as what is left.
    at = end;
    bytes = 8;
  }
  hash = (hash ^ word(at, bytes)) * 0xc4ceb9fe1a85ec53;
  hash ^= hash >> 33;
  return hash === 0 ? 1 : hash;
}

/** At most 8 bytes as one word: as many others of that number have others. */
function word(at: u32, bytes: u32): u64 {
  if (bytes === 8) return load<u64>(at);
  if (bytes >= 4) return ((<u64>load<u32>(at + bytes - 4)) << 32) | load<u32>(at);
  if (bytes === 0) return 0;
  return ((<u32>load<u8>(at)) << 16) | ((<u32>load<u8>(at + (bytes >> 1))) << 8) | load<u8>(at + bytes - 1);
}

/** Whether two byte strings are equal. */
export function bytesEqual(a: u32, aBytes: u32, b: u32, bBytes: u32): bool {
  return aBytes === bBytes && bytesSame(a, b, aBytes);
}

/** Whether so many bytes at two places are the same: by words, the last of which may overlap the one before. */
export function bytesSame(a: u32, b: u32, bytes: u32): bool {
  if (bytes >= 8) {
    const last = bytes - 8;
    for (let i: u32 = 0; i < last; i += 8) if (load<u64>(a + i) !== load<u64>(b + i)) return false;
    return load<u64>(a + last) === load<u64>(b + last);
  }
  if (bytes >= 4) return load<u32>(a) === load<u32>(b) && load<u32>(a + bytes - 4) === load<u32>(b + bytes - 4);
  for (let i: u32 = 0; i < bytes; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return false;
  return true;
}
