/** What an evaluation knows of itself beside its stack: its errors, and which language it speaks. */

/** ERROR_… bits of the evaluation under way. */
export let errors: u32 = 0;
/** Whether it is one of the pure language. */
export let strict: bool = false;

/** Begins an evaluation. */
export function outcomeBegin(cesql: bool): void {
  errors = 0;
  strict = cesql;
}

/** Notes errors. */
export function errorAdd(bits: u32): void {
  errors |= bits;
}
