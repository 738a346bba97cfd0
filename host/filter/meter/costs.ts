/**
 * The prices in fuel that belong to no single instruction, and the version of them all.
 *
 * One unit is meant to be a nanosecond at the very worst on a machine of today that misses its caches, and far less as a rule.
 * Instructions have theirs in opcodes.ts and vector-opcodes.ts.
 */

/**
 * Version of this instrumenter: prices, where they are taken, and what is allowed. Belongs into the key of whatever keeps
 * instrumented modules; a module may use more or less fuel only where this number changes.
 */
export const METER_VERSION = 2;

/** A price that grows with an operand: `fixed + per × (operand >> shift)`. */
export interface Rate {
  readonly fixed: number;
  readonly per: number;
  /** Binary digits of the operand that cost nothing: 4 counts units of 16. */
  readonly shift: number;
}

/** Prices beside those of the instructions. */
export const COSTS = Object.freeze({
  /** Of entering a function, beside its locals. */
  entry: 2,
  /** So many locals that have to be zeroed cost one more. */
  localsPerFuel: 4,
  /** Of each turn of a loop, beside what is in it. */
  turn: 1,
  /**
   * Of a load, beside its own price, where memory may have more pages than a module gets that asks for nothing: addresses that jump about
   * in it are in no cache, and the tables of pages are not, either.
   */
  farLoad: 24,
  /** Of calling an import, beside the call. */
  import: 100,
  /**
   * Functions without loops, calls and bulk instructions that cost no more than this are leaves: whoever calls one pays for it, all
   * branches of it. Every indirect call pays as much on top, since it may reach one.
   */
  leafMax: 48,
  /** A branch that costs no more than this is paid by what leads to it, taken or not. */
  foldMax: 48,
  /** What leads to branches takes so much for them at most. */
  foldSumMax: 192,
  /** `memory.fill`, `memory.copy`, `memory.init`: the operand is bytes. */
  bytes: Object.freeze({ fixed: 40, per: 1, shift: 4 }) satisfies Rate as Rate,
  /** `table.fill`, `table.copy`, `table.init`, `table.grow`: elements. */
  elements: Object.freeze({ fixed: 200, per: 16, shift: 0 }) satisfies Rate as Rate,
  /** `memory.grow`: pages of 64 KiB. It pays for the first store to each of their 16 pages, too, when the system gives them. */
  pages: Object.freeze({ fixed: 5_000, per: 4_000, shift: 0 }) satisfies Rate as Rate,
});
