/**
 * An entry of the index: one conjunction of one sink, with what its key does not say yet.
 *
 *   u32  address of the Member, and in its low bits what must be asked of it
 *   u32  address of its Filing
 *   n ×  u32 place, f64 low, f64 high: the value there must lie between, bounds included
 */
import { KIND_TEXT } from "../../expression/predicates";
import { Key, keyDrop } from "./keys";
import { Index, placeAt } from "./places";

/** Bits of an entry's first word: how many intervals follow. */
export const ENTRY_INTERVALS: u32 = 3;
/** The program must be asked too. */
export const ENTRY_PROGRAM: u32 = 4;
/** The list of types must be asked too. */
export const ENTRY_TYPES: u32 = 8;
/** The sink has further entries: it may have been found before. */
export const ENTRY_SEVERAL: u32 = 16;
/** What stands for the Member: its record is aligned to its size. */
export const ENTRY_MEMBER: u32 = ~127;

export const ENTRY_HEAD_BYTES: u32 = 8;
export const INTERVAL_BYTES: u32 = 20;
/** Intervals beyond are left to the program. */
export const INTERVALS_MAX: u32 = 3;

/** Where an entry lies. */
@unmanaged
export class Filing {
  /** Address of a Key whose list it is in, or of Columns and 1. */
  holder: u32;
  /** Its number in the columns. */
  index: u32;
  /** Next one of the same sink. */
  next: u32;
  /** In the first one of a sink: the lookup that found it last. */
  stamp: u32;
}

/** Bytes of an entry with that first word. */
export function entryBytes(word: u32): u32 {
  return ENTRY_HEAD_BYTES + (word & ENTRY_INTERVALS) * INTERVAL_BYTES;
}

/** Counts an interval of an entry that comes or goes, so that its place has a value, and its text a key, while it is there. */
export function intervalCount(index: Index, place: u32, low: f64, change: i32): void {
  const one = placeAt(index, place);
  one.references += change;
  if (one.kind !== KIND_TEXT) return;
  const key = <u32>low;
  changetype<Key>(key).references += change;
  if (change < 0) keyDrop(key);
}
