/** The memory of indexes: blocks of the heap, counted, so that a host can tell what filters cost beside their programs. */
import { heapBlockBytes, heapGive, heapTake } from "../../memory/heap";

/** Bytes that are taken now. */
export let roomBytes: u32 = 0;

/** Forgets what was taken; the pool has been laid out anew. */
export function roomInit(): void {
  roomBytes = 0;
}

/** Takes a block, not cleared; 0 where memory is used up. */
export function roomTake(bytes: u32): u32 {
  const at = heapTake(bytes);
  if (at !== 0) roomBytes += heapBlockBytes(bytes);
  return at;
}

/** Takes a block and clears it. */
export function roomTakeZero(bytes: u32): u32 {
  const at = roomTake(bytes);
  if (at !== 0) memory.fill(at, 0, bytes);
  return at;
}

/** Gives a block back. */
export function roomGive(at: u32, bytes: u32): void {
  roomBytes -= heapBlockBytes(bytes);
  heapGive(at, bytes);
}
