/** Copies that are mostly short: a bulk memory.copy of a hundred bytes costs more in the call than in the copy. */

const BULK_BYTES: u32 = 512;

/** copyLoose() may read and write so many bytes beyond what was asked for. */
export const COPY_SLACK_BYTES: u32 = 31;

/**
 * Copies `bytes` that do not overlap, in steps of 32: no tail to deal with. Both sides must bear COPY_SLACK_BYTES more,
 * and what lies behind the target must not hold anything yet.
 */
export function copyLoose(to: u32, from: u32, bytes: u32): void {
  if (bytes > BULK_BYTES) {
    memory.copy(to, from, bytes);
    return;
  }
  for (let i: u32 = 0; i < bytes; i += 32) {
    const first = v128.load(from + i);
    const second = v128.load(from + i, 16);
    v128.store(to + i, first);
    v128.store(to + i, second, 16);
  }
}

/** Copies `bytes` that do not overlap. */
export function copyBytes(to: u32, from: u32, bytes: u32): void {
  if (bytes > BULK_BYTES) {
    memory.copy(to, from, bytes);
    return;
  }
  if (bytes >= 16) {
    const last = bytes - 16;
    for (let i: u32 = 0; i < last; i += 16) v128.store(to + i, v128.load(from + i));
    // The last 16 bytes may overlap what was copied already.
    v128.store(to + last, v128.load(from + last));
    return;
  }
  if (bytes >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(to + bytes - 8, load<u64>(from + bytes - 8));
    return;
  }
  for (let i: u32 = 0; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
}
