/** What conditions stand for in the evaluation under way: a row of slots, as they lie on the stack. */
import { ERROR_MISSING, TYPE_MISSING } from "./code";
import { errorAdd } from "./outcome";

let slotsAt: u32 = 0;
let slots: u32 = 0;

/** From now on conditions are the `count` slots at `at`. */
export function inputsSet(at: u32, count: u32): void {
  slotsAt = at;
  slots = count;
}

/** Where their slots lie. */
export function inputAt(): u32 {
  return slotsAt;
}

/** How many there are. */
export function inputCount(): u32 {
  return slots;
}

/** Puts the value of a condition by its index; beyond those there are it is missing, as is one without a value. */
export function inputPut(slot: u32, index: u32): void {
  if (!inputExists(index)) {
    store<u32>(slot, TYPE_MISSING);
    errorAdd(ERROR_MISSING);
    return;
  }
  v128.store(slot, v128.load(slotsAt + index * 16));
}

/** Whether a condition has a value. */
export function inputExists(index: u32): bool {
  return index < slots && load<u32>(slotsAt + index * 16) !== TYPE_MISSING;
}
