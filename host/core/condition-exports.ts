/**
 * The part of the core's typed face (exports.ts) that conditions and contracts use. The same holds of it: addresses and sizes are
 * bytes in `memory`, calls that return a status set RESULT_VALUE and RESULT_LIMIT where that says so.
 */

/** See the head of this file. */
export interface ConditionExports {
  // --- Conditions: core-wasm/condition/ ---

  /** Makes a condition without a value. Returns its number, from 1; 0 where there are too many or memory is used up. */
  conditionAdd(): number;

  /** Forgets a condition, on which no other may depend. */
  conditionRemove(condition: number): void;

  /**
   * Makes a condition an expression over others, in place of what it was; `program` 0: it is written again.
   *
   * @param program Of expressionAdd(); the condition takes its use over, unless it is refused. Its names have SCOPE_CONDITION.
   * @param inputsAt u32 numbers of the conditions, by the index that the program has for them.
   * @returns 1; 0 where an input is not there, expressions stand in a circle or CONDITION_LEVELS_MAX above one another, or memory
   *   is used up.
   */
  conditionExpression(condition: number, program: number, inputsAt: number, inputs: number): number;

  /** Writes a number. Returns 1 where it is another value than before. */
  conditionNumber(condition: number, value: number): number;

  /** Writes a boolean, as conditionNumber(). */
  conditionBoolean(condition: number, value: number): number;

  /** Writes a text of at most CONDITION_TEXT_BYTES_MAX, as conditionNumber(); a longer one is missing. */
  conditionText(condition: number, at: number, bytes: number): number;

  /** Takes the value away, as conditionNumber(). */
  conditionMissing(condition: number): number;

  /** Reads a condition: RESULT_TYPE, and RESULT_NUMBER_… or RESULT_AT/RESULT_BYTES_AT, as expressionTest() tells a value. */
  conditionRead(condition: number): void;

  // --- Contracts: core-wasm/contract/ ---

  /**
   * Keeps a contract, whose words lie at [at, at + bytes), and marks it; it takes over the uses of its programs, unless it is
   * refused.
   *
   * @param replaces Handle of one whose place it takes, which is gone then; 0: it comes last.
   * @returns Its handle; 0 where it is beyond limits, a condition is not there, or memory is used up.
   */
  contractAdd(at: number, bytes: number, replaces: number): number;

  /** Forgets a contract. */
  contractRemove(contract: number): void;

  /** Marks a contract: it is evaluated in the next pass, or in this one where that has not come to it yet. */
  contractMark(contract: number): void;

  /**
   * Goes on with the pass: evaluates marked contracts in order until one has another path or status.
   *
   * @returns Its handle, with the length of its path as RESULT_VALUE, how many transitions are to be carried out as RESULT_COUNT,
   *   and as RESULT_STATUS 1 where no region holds; path and transitions lie in RECEIPTS. 0 at the end of the pass, with the
   *   number of contracts that are marked again as RESULT_COUNT.
   */
  contractsNext(): number;

  /** A counter of a contract: CONTRACT_TRIGGERS and what follows it. Counts since contractAdd(). */
  contractCounter(contract: number, counter: number): number;

  /** Tells a value of the last snapshot, by the index of its condition, as conditionRead() does. */
  contractValue(contract: number, index: number): void;
}
