/** All contracts in the order of their registration, and which of them are marked: a bit each, so a pass looks only at those. */
import { heapGive, heapTakeZero } from "../memory/heap";

/** What every contract begins with. */
@unmanaged
export class Ranked {
  /** Its place in the order. */
  rank: u32;
  reserved: u32;
  /** How often it was marked, marked already or not. */
  triggers: f64;
}

/** Addresses by rank, 0 where one has gone; bits by rank. */
let addressesAt: u32 = 0;
let bitsAt: u32 = 0;
let room: u32 = 0;
let high: u32 = 0;
let live: u32 = 0;
/** How many are marked. */
export let marks: u32 = 0;

/** Forgets all contracts. */
export function orderInit(): void {
  addressesAt = bitsAt = room = high = live = marks = 0;
}

/** Marks a contract to be evaluated: once, however often it is marked before. */
export function mark(address: u32): void {
  const ranked = changetype<Ranked>(address);
  ranked.triggers++;
  const at = bitsAt + (ranked.rank >> 6) * 8;
  const bit = (<u64>1) << (ranked.rank & 63);
  if ((load<u64>(at) & bit) !== 0) return;
  store<u64>(at, load<u64>(at) | bit);
  marks++;
}

function unmark(rank: u32): void {
  const at = bitsAt + (rank >> 6) * 8;
  const bit = (<u64>1) << (rank & 63);
  if ((load<u64>(at) & bit) === 0) return;
  store<u64>(at, load<u64>(at) & ~bit);
  marks--;
}

/** Takes the first marked contract from that rank on, unmarked; 0: there is none. */
export function markedTake(from: u32): u32 {
  for (let rank = from; rank < high; ) {
    const word = load<u64>(bitsAt + (rank >> 6) * 8) >> (rank & 63);
    if (word === 0) {
      rank = (rank | 63) + 1;
      continue;
    }
    rank += <u32>ctz(word);
    unmark(rank);
    return load<u32>(addressesAt + rank * 4);
  }
  return 0;
}

/** Puts a contract at the end of the order, or in place of another one. Returns false where memory is used up. */
export function orderAdd(address: u32, replaces: u32): bool {
  const ranked = changetype<Ranked>(address);
  if (replaces !== 0) {
    ranked.rank = changetype<Ranked>(replaces).rank;
    unmark(ranked.rank);
  } else {
    if (high === room && !grow()) return false;
    ranked.rank = high++;
    live++;
  }
  store<u32>(addressesAt + ranked.rank * 4, address);
  return true;
}

/** Takes a contract out of the order. */
export function orderRemove(address: u32): void {
  const rank = changetype<Ranked>(address).rank;
  unmark(rank);
  store<u32>(addressesAt + rank * 4, 0);
  live--;
}

/** Makes room: those that are there move together, into twice the room where they need it. */
function grow(): bool {
  const wanted = max<u32>(64, live * 2 > room ? room * 2 : room);
  const addresses = heapTakeZero(wanted * 4);
  const bits = heapTakeZero(wanted / 8);
  if (addresses === 0 || bits === 0) {
    if (addresses !== 0) heapGive(addresses, wanted * 4);
    if (bits !== 0) heapGive(bits, wanted / 8);
    return false;
  }
  let rank: u32 = 0;
  for (let from: u32 = 0; from < high; from++) {
    const address = load<u32>(addressesAt + from * 4);
    if (address === 0) continue;
    store<u32>(addresses + rank * 4, address);
    changetype<Ranked>(address).rank = rank;
    const word = load<u64>(bitsAt + (from >> 6) * 8);
    const bit = (word >> (from & 63)) & 1;
    store<u64>(bits + (rank >> 6) * 8, load<u64>(bits + (rank >> 6) * 8) | (bit << (rank & 63)));
    rank++;
  }
  if (room !== 0) {
    heapGive(addressesAt, room * 4);
    heapGive(bitsAt, room / 8);
  }
  addressesAt = addresses;
  bitsAt = bits;
  room = wanted;
  high = rank;
  return true;
}
