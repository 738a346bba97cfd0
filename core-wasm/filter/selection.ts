/**
 * The sinks that are selected for the event under way, as a bitmap by slot: what deciders are shown, and what they answer.
 */
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { filtersSlots } from "./bind";
import { candidateAdd, candidateAt, candidates, candidatesClear } from "./candidates";
import { SLOT_BITS_BYTES, Slots, slotMember, slotOf, slotWords } from "./slots";

/** Nobody has narrowed it: all sinks that take the event. */
export const SELECTED_ALL: u32 = 0;
/** The bitmap says it. */
export const SELECTED_BITS: u32 = 1;

export const selectionBits: u32 = <u32>memory.data(512, 8);
if (SLOT_BITS_BYTES !== 512) ERROR("selectionBits has not the size of a bitmap");

/** Selects nobody. */
export function selectionClear(slots: Slots): void {
  memory.fill(selectionBits, 0, slotWords(slots) * 4);
}

/** Adds one slot. */
export function selectionAdd(slot: u32): void {
  const word = selectionBits + (slot >> 5) * 4;
  store<u32>(word, load<u32>(word) | ((<u32>1) << (slot & 31)));
}

/** How many are selected. */
export function selectionCount(slots: Slots): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < slotWords(slots); i++) count += <u32>popcnt<u32>(load<u32>(selectionBits + i * 4));
  return count;
}

/** Makes those the candidates of routes. */
export function selectionToCandidates(channel: Channel): void {
  const slots = filtersSlots(channel);
  candidatesClear();
  for (let i: u32 = 0; i < slotWords(slots); i++) {
    for (let bits = load<u32>(selectionBits + i * 4); bits !== 0; bits &= bits - 1)
      candidateAdd(slotMember(slots, i * 32 + <u32>ctz<u32>(bits)));
  }
}

/** Selects those that routes have left. */
export function selectionFromCandidates(slots: Slots): void {
  selectionClear(slots);
  for (let i: u32 = 0; i < candidates; i++) {
    const candidate = candidateAt(i);
    if (candidate.reason === 0) selectionAdd(slotOf(changetype<Member>(candidate.member)));
  }
}
