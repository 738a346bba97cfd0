/**
 * How a module can fail, and how what an engine throws is told apart. Every failure has one cause and one line of text;
 * nothing a module does ends as anything else.
 */

/**
 * Causes, as they are counted and shown. `arena` is memory that a module offers and has not, or has promised twice; `memory`
 * is that all modules together have grown too large; `init` is an answer other than 0 from `sluice_init`.
 */
export const faultCauses = [
  "trap",
  "fuel",
  "import",
  "stack",
  "bad-output",
  "negative",
  "arena",
  "memory",
  "init",
] as const;

/** One of them. */
export type FaultCause = (typeof faultCauses)[number];

/** A module failed. The instance that threw it must not be called again: its state is whatever it was half way. */
export class ModuleFault extends Error {
  override readonly name = "ModuleFault";
  override readonly cause: FaultCause;
  readonly #thrown: unknown;

  /**
   * @param text What happened, without the name of the module.
   * @param thrown By the engine.
   */
  constructor(cause: FaultCause, text: string, thrown?: unknown) {
    super(text);
    this.cause = cause;
    this.#thrown = thrown;
  }

  /**
   * The function that trapped, by its index in the module, where the engine says. Found only when asked for: engines write
   * the text of a stack then, which takes longer than everything else about a fault.
   */
  get functionIndex(): number | undefined {
    // V8 and JSC name frames of modules alike: `wasm-function[12]`.
    const found = this.#thrown instanceof Error ? /wasm-function\[(\d+)\]/.exec(this.#thrown.stack ?? "") : null;
    return found === null ? undefined : Number(found[1]);
  }
}

/** Longest text of an engine's that is kept. */
const TEXT_CHARACTERS_MAX = 200;

/**
 * The fault for whatever a call into a module threw.
 *
 * @param fuelLeft What the module's counter says after the call; below zero where it ran out.
 */
export function faultOf(error: unknown, fuelLeft: number): ModuleFault {
  if (error instanceof ModuleFault) return error;
  if (fuelLeft < 0) return new ModuleFault("fuel", "It used up its fuel", error);
  // Engines throw RangeError (V8, JSC) or InternalError (SpiderMonkey) where the stack ends; traps are RuntimeErrors.
  if (error instanceof WebAssembly.RuntimeError) return new ModuleFault("trap", `It trapped: ${textOf(error)}`, error);
  if (error instanceof RangeError) return new ModuleFault("stack", "It called itself too deeply", error);
  return new ModuleFault("import", `A function of the host failed: ${textOf(error)}`, error);
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, TEXT_CHARACTERS_MAX);
}
