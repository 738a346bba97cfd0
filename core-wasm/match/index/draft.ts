/**
 * An entry before it is filed: the intervals of one conjunction, merged by place and in order of their places, so that
 * entries that ask the same places share columns.
 */

import { constantAt, nameAt } from "../../expression/layout";
import { KIND_TEXT, Predicate, predicateAt } from "../../expression/predicates";
import { Program } from "../../expression/program";
import { ENTRY_PROGRAM, INTERVAL_BYTES, INTERVALS_MAX, intervalCount } from "./entry";
import { keyTakeText } from "./keys";
import { Index, NO_PLACE, placeTake } from "./places";

/** The draft, laid out as an entry. */
export const draftAt: u32 = <u32>memory.data(72, 8);
if (8 + INTERVALS_MAX * INTERVAL_BYTES > 72) ERROR("A draft has no room for its intervals");
let intervals: u32 = 0;
let index: u32 = 0;
/** Whether no event can pass. */
let never = false;

/** Begins an entry of the index at `at`. */
export function draftBegin(at: u32): void {
  index = at;
  intervals = 0;
  never = false;
}

/** The place of a predicate; NO_PLACE where there are too many. */
export function placeOf(at: u32, program: Program, predicate: Predicate): u32 {
  const number = load<u32>(program.numbersAt + predicate.name * 4);
  const field = <u32>load<u8>(nameAt(program.at, predicate.name), 1);
  return placeTake(changetype<Index>(at), number, field, predicate.kind);
}

/** Where the text of a predicate lies. */
export function textOf(program: Program, predicate: Predicate): u32 {
  return program.at + load<u32>(constantAt(program.at, predicate.constant), 8);
}

/** Bytes of that text. */
export function textBytesOf(program: Program, predicate: Predicate): u32 {
  return load<u32>(constantAt(program.at, predicate.constant), 12);
}

/** Adds a predicate; returns the bits that the entry needs for it. What finds no room is left to the program. */
export function draftAdd(program: Program, number: u32): u32 {
  const predicate = predicateAt(number);
  const place = placeOf(index, program, predicate);
  if (place === NO_PLACE) return ENTRY_PROGRAM;
  let low = predicate.low;
  let high = predicate.high;
  if (predicate.kind === KIND_TEXT) {
    const key = keyTakeText(index, place, textOf(program, predicate), textBytesOf(program, predicate));
    if (key === 0) return ENTRY_PROGRAM;
    low = high = <f64>key;
  }
  intervalCount(changetype<Index>(index), place, low, 1);
  let at = draftAt + 8;
  const end = at + intervals * INTERVAL_BYTES;
  for (; at < end; at += INTERVAL_BYTES) {
    if (load<u32>(at) !== place) continue;
    const most = max<f64>(load<f64>(at, 4), low);
    const least = min<f64>(load<f64>(at, 12), high);
    intervalCount(changetype<Index>(index), place, low, -1);
    if (most <= least) {
      store<f64>(at, most, 4);
      store<f64>(at, least, 12);
    } else {
      never = true;
    }
    return 0;
  }
  if (intervals === INTERVALS_MAX) {
    intervalCount(changetype<Index>(index), place, low, -1);
    return ENTRY_PROGRAM;
  }
  intervals++;
  for (; at > draftAt + 8 && load<u32>(at - INTERVAL_BYTES) > place; at -= INTERVAL_BYTES) {
    memory.copy(at, at - INTERVAL_BYTES, INTERVAL_BYTES);
  }
  store<u32>(at, place);
  store<f64>(at, low, 4);
  store<f64>(at, high, 12);
  if (!(low <= high)) never = true;
  return 0;
}

/** How many intervals it has. */
export function draftIntervals(): u32 {
  return intervals;
}

/** Whether no event can pass it. */
export function draftNever(): bool {
  return never;
}

/** Gives up the places and texts of a draft that is not filed. */
export function draftDrop(): void {
  for (let i: u32 = 0; i < intervals; i++) {
    const at = draftAt + 8 + i * INTERVAL_BYTES;
    intervalCount(changetype<Index>(index), load<u32>(at), load<f64>(at, 4), -1);
  }
}
