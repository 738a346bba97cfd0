/**
 * Typed views over the core's memory, made once.
 *
 * The memory is grown before any view exists and never again, so these views stay valid for the life of the instance.
 */
import {
  DECIDE_WORDS_MAX,
  DECIDE_WORDS_OFFSET,
  DIRTY_COUNT_MAX,
  DIRTY_OFFSET,
  LANDING_BYTES,
  LANDING_OFFSET,
  RESULT_BYTES,
  RESULT_NUMBER_HIGH,
  RESULT_NUMBER_LOW,
  RESULT_OFFSET,
} from "../../core-wasm/abi.ts";

/** All views that the host needs; offsets of `bytes` and `words` are those of the core. */
export interface CoreViews {
  /** The whole memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The whole memory as u32 words: the word at address `a` has index `a >>> 2`. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** RESULT_… words of the last call. */
  readonly result: Uint32Array<ArrayBuffer>;
  /** Connection ids of the last dirtyTake(). */
  readonly dirty: Uint32Array<ArrayBuffer>;
  /** Where sockets read into. */
  readonly landing: Uint8Array<ArrayBuffer>;
  /** Words of the decider. */
  readonly decision: Uint32Array<ArrayBuffer>;
}

/**
 * Makes the views.
 *
 * @param memory Already grown to its final size.
 */
export function createViews(memory: WebAssembly.Memory): CoreViews {
  const buffer = memory.buffer as ArrayBuffer;
  return Object.freeze({
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
    result: new Uint32Array(buffer, RESULT_OFFSET, RESULT_BYTES / 4),
    dirty: new Uint32Array(buffer, DIRTY_OFFSET, DIRTY_COUNT_MAX),
    landing: new Uint8Array(buffer, LANDING_OFFSET, LANDING_BYTES),
    decision: new Uint32Array(buffer, DECIDE_WORDS_OFFSET, DECIDE_WORDS_MAX),
  });
}

/**
 * Joins the two words of a counter. Counters stay below 2^53 (JSON carries them as plain numbers), so a number is exact.
 *
 * @returns The counter.
 */
export function counterFromWords(low: number, high: number): number {
  return high * 4_294_967_296 + low;
}

/** The number of the first delivery of the last drain(). */
export function firstNumber(views: CoreViews): number {
  return counterFromWords(views.result[RESULT_NUMBER_LOW] ?? 0, views.result[RESULT_NUMBER_HIGH] ?? 0);
}
