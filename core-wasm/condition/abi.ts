/** What core and host agree on about conditions. Like `core-wasm/abi.ts`, it compiles as both languages and imports nothing. */

/** Conditions of one host. */
export const CONDITIONS_MAX: u32 = 65536;
/** UTF-8 of the value of one that is a text. */
export const CONDITION_TEXT_BYTES_MAX: u32 = 1024;
/** What one expression may depend on, over how many others: x over y over z are two levels. */
export const CONDITION_LEVELS_MAX: u32 = 16;
