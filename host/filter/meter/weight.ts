/**
 * The weight of a function: what a compiler has to do for it that is more than linear in its size.
 *
 * An engine compiles a function when it is first called, on the thread that calls, and no fuel can stop that. Baseline compilers keep
 * a picture of every local and every value on the operand stack; they copy it where control may go two ways, and walk through it at
 * calls. A function of 100 KB with 20,000 values on its stack and 9,000 branches keeps V8 busy for ten seconds. So each branch weighs
 * as many as there are slots in the picture, and each call a sixty-fourth of them.
 */

/** Slots beside locals and operands, which a branch copies in any case. */
const SLOTS_BASE = 4;
/** A call walks through the slots, which is so many times cheaper (as a shift) than copying them. */
const CALL_SHIFT = 6;

/** Adds up one function. */
export class Weight {
  readonly #locals: number;
  /** So far. */
  total = 0;
  #calls = 0;

  /** @param locals Parameters included. */
  constructor(locals: number) {
    this.#locals = locals;
  }

  /**
   * A block, or an instruction that jumps.
   *
   * @param height Of the operand stack.
   * @param ways Places that it may go to.
   */
  branch(height: number, ways: number): void {
    this.total += (this.#locals + SLOTS_BASE + height) * ways;
  }

  /** A call, of a helper too. */
  call(height: number): void {
    // Kept apart, since fractions of a single call would be lost.
    this.#calls += this.#locals + height;
    const whole = this.#calls >> CALL_SHIFT;
    this.total += whole;
    this.#calls -= whole << CALL_SHIFT;
  }
}
