"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.PAGES_HEAP = exports.PAGES_MAILBOX = exports.PAGES_STORE = void 0;
exports.pagesInit = pagesInit;
exports.pagesQuota = pagesQuota;
exports.pagesTake = pagesTake;
exports.pagesGive = pagesGive;
exports.pagesUsed = pagesUsed;
exports.pagesTotal = pagesTotal;
/**
 * The page pool: everything beyond REGIONS_END, in pages of 64 KiB.
 *
 *   REGIONS_END                                            end of memory
 *   ├── map: one byte per page, 0 free else class + 1 ──┤── pages … ──────────┤
 *
 * Memory never grows after coreInit(), so views of the host stay valid. First fit from a low hint keeps the
 * touched part of the address space small, which is what RSS counts.
 */
const abi_1 = require("../abi");
/** Classes have quotas, so that no kind of use can starve another. */
exports.PAGES_STORE = 0;
exports.PAGES_MAILBOX = 1;
exports.PAGES_HEAP = 2;
const CLASSES = 3;
let mapAt = 0;
let poolAt = 0;
let poolPages = 0;
let freeHint = 0;
let usedPages = 0;
/** Per class: u32 quota in pages, u32 used pages. */
const classesAt = memory.data(24);
/** Lays out the pool over `pages` pages from REGIONS_END. Returns how many are left for use. */
function pagesInit(pages) {
    const mapPages = (pages + abi_1.PAGE_BYTES - 1) / abi_1.PAGE_BYTES;
    mapAt = abi_1.REGIONS_END;
    poolAt = abi_1.REGIONS_END + mapPages * abi_1.PAGE_BYTES;
    poolPages = pages - mapPages;
    freeHint = 0;
    usedPages = 0;
    memory.fill(mapAt, 0, poolPages);
    for (let c = 0; c < CLASSES; c++)
        store(classesAt + c * 8, 0);
    return poolPages;
}
/** Sets the most pages that a class may hold. */
function pagesQuota(pageClass, pages) {
    store(classesAt + pageClass * 8, pages);
}
/** Takes `count` consecutive pages for a class; 0 where the quota or the pool is used up. */
function pagesTake(pageClass, count) {
    const classAt = classesAt + pageClass * 8;
    if (load(classAt, 4) + count > load(classAt))
        return 0;
    let page = freeHint;
    let found = 0;
    let firstFree = poolPages;
    while (page < poolPages) {
        if (load(mapAt + page) === 0) {
            if (firstFree === poolPages)
                firstFree = page;
            found++;
            if (found === count)
                break;
        }
        else {
            found = 0;
        }
        page++;
    }
    if (found !== count)
        return 0;
    const first = page + 1 - count;
    // Every page below the first free one is taken, so the next search may begin there.
    freeHint = firstFree === first ? page + 1 : firstFree;
    memory.fill(mapAt + first, (pageClass + 1), count);
    store(classAt, load(classAt, 4) + count, 4);
    usedPages += count;
    return poolAt + first * abi_1.PAGE_BYTES;
}
/** Gives pages back. */
function pagesGive(pageClass, at, count) {
    const first = (at - poolAt) / abi_1.PAGE_BYTES;
    assert(load(mapAt + first) === (pageClass + 1));
    memory.fill(mapAt + first, 0, count);
    const classAt = classesAt + pageClass * 8;
    store(classAt, load(classAt, 4) - count, 4);
    usedPages -= count;
    if (first < freeHint)
        freeHint = first;
}
/** Pages in use, of all classes. */
function pagesUsed() {
    return usedPages;
}
/** Pages of the pool. */
function pagesTotal() {
    return poolPages;
}
