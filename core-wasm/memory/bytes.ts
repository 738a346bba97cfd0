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
  const end = at + bytes;
  for (; at + 8 <= end; at += 8) {
    hash = (hash ^ load<u64>(at)) * 0x9fb21c651e98df25;
    hash ^= hash >> 28;
  }
  let last: u64 = 0;
  for (; at < end; at++) last = (last << 8) | load<u8>(at);
  hash = (hash ^ last) * 0xc4ceb9fe1a85ec53;
  hash ^= hash >> 33;
  return hash === 0 ? 1 : hash;
}

/** Whether two byte strings are equal. */
export function bytesEqual(a: u32, aBytes: u32, b: u32, bBytes: u32): bool {
  return aBytes === bBytes && memory.compare(a, b, aBytes) === 0;
}
