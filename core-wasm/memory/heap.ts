/**
 * Blocks for records, names and buffers: powers of two from 16 B to 64 KiB carved from pages, larger ones whole pages.
 *
 * Taking and giving are a few loads and stores. A free block holds the address of the next one in its first word.
 * Blocks go back to their class, not to the pool: what a peak needed once, the next one will need again.
 */
import { PAGE_BYTES } from "../abi";
import { PAGES_HEAP, pagesGive, pagesTake } from "./pages";

const CLASS_BITS_MIN: u32 = 4;
/** Per class: u32 head of the free list. */
const freeAt: u32 = <u32>memory.data(68);

/** Forgets all blocks; the pool has been laid out anew. */
export function heapInit(): void {
  memory.fill(freeAt, 0, 68);
}

/** log2 of the block that holds `bytes`, at most 16. */
function classOf(bytes: u32): u32 {
  return bytes <= 16 ? CLASS_BITS_MIN : 32 - <u32>clz<u32>(bytes - 1);
}

/** Takes a block of at least `bytes` (not cleared); 0 where memory is used up. */
export function heapTake(bytes: u32): u32 {
  if (bytes > PAGE_BYTES) return pagesTake(PAGES_HEAP, (bytes + PAGE_BYTES - 1) / PAGE_BYTES);
  const bits = classOf(bytes);
  const headAt = freeAt + bits * 4;
  const block = load<u32>(headAt);
  if (block !== 0) {
    store<u32>(headAt, load<u32>(block));
    return block;
  }
  return carve(bits, headAt);
}

/** Cuts a new page into blocks of a class, keeps the first and lists the others. */
function carve(bits: u32, headAt: u32): u32 {
  const page = pagesTake(PAGES_HEAP, 1);
  if (page === 0) return 0;
  const size: u32 = (<u32>1) << bits;
  let previous: u32 = 0;
  for (let at = page + PAGE_BYTES - size; at > page; at -= size) {
    store<u32>(at, previous);
    previous = at;
  }
  store<u32>(headAt, previous);
  return page;
}

/** Takes a block and clears it. */
export function heapTakeZero(bytes: u32): u32 {
  const at = heapTake(bytes);
  if (at !== 0) memory.fill(at, 0, bytes);
  return at;
}

/** Gives a block back; `bytes` as it was taken (the block's size does as well). */
export function heapGive(at: u32, bytes: u32): void {
  if (bytes > PAGE_BYTES) {
    pagesGive(PAGES_HEAP, at, (bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    return;
  }
  const headAt = freeAt + classOf(bytes) * 4;
  store<u32>(at, load<u32>(headAt));
  store<u32>(headAt, at);
}

/** Bytes that a block taken for `bytes` really has. */
export function heapBlockBytes(bytes: u32): u32 {
  if (bytes > PAGE_BYTES) return ((bytes + PAGE_BYTES - 1) / PAGE_BYTES) * PAGE_BYTES;
  return (<u32>1) << classOf(bytes);
}

/** Copies `bytes` from `from` into a new block; 0 where memory is used up (or `bytes` is 0). */
export function heapCopy(from: u32, bytes: u32): u32 {
  if (bytes === 0) return 0;
  const at = heapTake(bytes);
  if (at !== 0) memory.copy(at, from, bytes);
  return at;
}
