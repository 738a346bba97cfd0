/**
 * The page pool: everything beyond REGIONS_END, in pages of 64 KiB.
 *
 *   REGIONS_END                                            end of memory
 *   ├── map: one byte per page, 0 free else class + 1 ──┤── pages … ──────────┤
 *
 * Memory never grows after coreInit(), so views of the host stay valid. First fit from a low hint keeps the
 * touched part of the address space small, which is what RSS counts.
 */
import { PAGE_BYTES, REGIONS_END } from "../abi";

/** Classes have quotas, so that no kind of use can starve another. */
export const PAGES_STORE: u32 = 0;
export const PAGES_MAILBOX: u32 = 1;
export const PAGES_HEAP: u32 = 2;
const CLASSES: u32 = 3;

let mapAt: u32 = 0;
let poolAt: u32 = 0;
let poolPages: u32 = 0;
let freeHint: u32 = 0;
let usedPages: u32 = 0;
/** Per class: u32 quota in pages, u32 used pages. */
const classesAt: u32 = <u32>memory.data(24);

/** Lays out the pool over `pages` pages from REGIONS_END. Returns how many are left for use. */
export function pagesInit(pages: u32): u32 {
  const mapPages = (pages + PAGE_BYTES - 1) / PAGE_BYTES;
  // The last page is never given out, so that reading a little beyond a block is no trap (memory/copy.ts).
  pages--;
  mapAt = REGIONS_END;
  poolAt = REGIONS_END + mapPages * PAGE_BYTES;
  poolPages = pages - mapPages;
  freeHint = 0;
  usedPages = 0;
  memory.fill(mapAt, 0, poolPages);
  for (let c: u32 = 0; c < CLASSES; c++) store<u64>(classesAt + c * 8, 0);
  return poolPages;
}

/** Sets the most pages that a class may hold. */
export function pagesQuota(pageClass: u32, pages: u32): void {
  store<u32>(classesAt + pageClass * 8, pages);
}

/** Pages that a class may still take. */
export function pagesLeft(pageClass: u32): u32 {
  const classAt = classesAt + pageClass * 8;
  return load<u32>(classAt) - load<u32>(classAt, 4);
}

/** Takes `count` consecutive pages for a class; 0 where the quota or the pool is used up. */
export function pagesTake(pageClass: u32, count: u32): u32 {
  const classAt = classesAt + pageClass * 8;
  if (load<u32>(classAt, 4) + count > load<u32>(classAt)) return 0;
  let page = freeHint;
  let found: u32 = 0;
  let firstFree: u32 = poolPages;
  while (page < poolPages) {
    if (load<u8>(mapAt + page) === 0) {
      if (firstFree === poolPages) firstFree = page;
      found++;
      if (found === count) break;
    } else {
      found = 0;
    }
    page++;
  }
  if (found !== count) return 0;
  const first = page + 1 - count;
  // Every page below the first free one is taken, so the next search may begin there.
  freeHint = firstFree === first ? page + 1 : firstFree;
  memory.fill(mapAt + first, <u8>(pageClass + 1), count);
  store<u32>(classAt, load<u32>(classAt, 4) + count, 4);
  usedPages += count;
  return poolAt + first * PAGE_BYTES;
}

/** Gives pages back. */
export function pagesGive(pageClass: u32, at: u32, count: u32): void {
  const first = (at - poolAt) / PAGE_BYTES;
  assert(load<u8>(mapAt + first) === <u8>(pageClass + 1));
  memory.fill(mapAt + first, 0, count);
  const classAt = classesAt + pageClass * 8;
  store<u32>(classAt, load<u32>(classAt, 4) - count, 4);
  usedPages -= count;
  if (first < freeHint) freeHint = first;
}

/** Pages in use, of all classes. */
export function pagesUsed(): u32 {
  return usedPages;
}

/** Pages of the pool. */
export function pagesTotal(): u32 {
  return poolPages;
}
