/**
 * What a decider says of one event, from its word to the sinks that are selected. Nothing in a word is trusted: every index
 * and every slot is checked.
 */
import { DECIDE_WORDS_OFFSET } from "../abi";
import {
  DECISION_ALL,
  DECISION_BITMAP,
  DECISION_DIVERT,
  DECISION_DROP,
  DECISION_LIST,
  DECISION_NONE,
  RECORD_CANDIDATES_AT,
} from "./abi";
import { selectionAdd, selectionBits, selectionClear } from "./selection";
import { Slots, slotsUsed, slotWords } from "./slots";

/** The word is DECISION_NONE or wrong. Others say DECISION_DROP, ALL, DIVERT, or BITMAP, where the selection has the sinks. */
export const VERDICT_WRONG: u32 = 0xffffffff;

/** Whether a slot is in the candidates, whose bitmap is `bits`. */
function isCandidate(bits: u32, slot: u32): bool {
  return ((load<u32>(bits + (slot >> 5) * 4) >> (slot & 31)) & 1) !== 0;
}

/** Reads the word of the event of that index among `events`, of `words` words, and whose record is at `record`. */
export function verdictRead(index: u32, events: u32, words: u32, record: u32, slots: Slots): u32 {
  const word = index < words ? load<u32>(DECIDE_WORDS_OFFSET + index * 4) : DECISION_NONE;
  if (word === DECISION_DIVERT) return DECISION_DIVERT;
  const kind = word & 3;
  if (kind === DECISION_DROP || kind === DECISION_ALL) return kind;
  const offset = load<u32>(record + RECORD_CANDIDATES_AT);
  const bits = offset === 0 ? slotsUsed(slots) : record + offset;
  const at = events + (word >> 2);
  if (at > words) return VERDICT_WRONG;
  const chosen = DECIDE_WORDS_OFFSET + at * 4;
  const ok =
    kind === DECISION_LIST ? listRead(chosen, words - at, bits, slots) : bitmapRead(chosen, words - at, bits, slots);
  return ok ? DECISION_BITMAP : VERDICT_WRONG;
}

/** Selects what a bitmap names that lies at `at`, where `room` words are. */
function bitmapRead(at: u32, room: u32, bits: u32, slots: Slots): bool {
  const size = slotWords(slots);
  if (size > room) return false;
  for (let i: u32 = 0; i < size; i++) {
    const word = load<u32>(at + i * 4);
    // Bits beyond the slots are no candidates either.
    if ((word & ~load<u32>(bits + i * 4)) !== 0) return false;
    store<u32>(selectionBits + i * 4, word);
  }
  return true;
}

/** Selects what a list names; a slot that is named twice is selected once. */
function listRead(at: u32, room: u32, bits: u32, slots: Slots): bool {
  if (room === 0) return false;
  const size = load<u32>(at);
  if (size > slots.high || size > room - 1) return false;
  selectionClear(slots);
  for (let i: u32 = 1; i <= size; i++) {
    const slot = load<u32>(at + i * 4);
    if (slot >= slots.high || !isCandidate(bits, slot)) return false;
    selectionAdd(slot);
  }
  return true;
}
