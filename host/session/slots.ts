/**
 * Which OUT slots of the core are in the hands of a socket.
 *
 * A slot is usually free again at the end of the write() that used it. Only where the system did not take everything the
 * slot stays held until that very write is done. The lowest free slot is taken first, so that few pages are ever touched.
 */
import { OUT_OFFSET, OUT_SLOT_BYTES, OUT_SLOTS } from "../../core-wasm/abi.ts";

/** Slots for sockets; the last one is the host's scratch space (core/instance.ts). */
export const SLOTS = OUT_SLOTS - 1;

/** Slots of one core. A restarted core has new ones. */
export interface Slots {
  /** How many are held. */
  readonly held: number;
  /** The lowest free slot, -1 where all are held. It stays free until {@link hold}. */
  free(): number;
  /** Keeps a slot from being given out. */
  hold(slot: number): void;
  /** Gives a held slot back. */
  release(slot: number): void;
}

/** Address of a slot. */
export function slotAt(slot: number): number {
  return OUT_OFFSET + slot * OUT_SLOT_BYTES;
}

/** Makes the book of slots, all free. */
export function createSlots(): Slots {
  // One bit per slot; the lowest zero bit is the lowest free slot.
  let bits = 0;
  let held = 0;
  return {
    get held() {
      return held;
    },
    free() {
      const lowest = 31 - Math.clz32(~bits & (bits + 1));
      return lowest < SLOTS ? lowest : -1;
    },
    hold(slot) {
      if ((bits & (1 << slot)) !== 0) throw new RangeError(`Slot ${slot} is held already`);
      bits |= 1 << slot;
      held++;
    },
    release(slot) {
      if ((bits & (1 << slot)) === 0) throw new RangeError(`Slot ${slot} is not held`);
      bits &= ~(1 << slot);
      held--;
    },
  };
}
