/**
 * What a module may call: `log`, `now`, `rand`, `intern`, and the `abort` that AssemblyScript asks for. Nothing else, and
 * nothing per event.
 *
 * The objects have no prototype: an engine looks names up as any property is, and a module may ask for `constructor`.
 */
import { INTERNED_BYTES_MAX, INTERNED_MAX } from "../../../core-wasm/filter/abi.ts";
import { ModuleFault } from "./fault.ts";
import { type ModuleLog, plainText } from "./log.ts";

/** How often one instance may ask for the number of a text: each of them twice. */
const ASKED_MAX = 2 * INTERNED_MAX;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Characters of the message of an abort that are kept. */
const ABORT_CHARACTERS_MAX = 128;

/** What the imports of one instance share with it. */
export interface ImportState {
  /** Undefined until the instance is there: a start function would otherwise find no memory. */
  memory: WebAssembly.Memory | undefined;
  /** The moment that all calls of one batch see, ms since 1970. */
  now: number;
  /** Whether constants may be numbered. */
  initialising: boolean;
  /** Any u32; from one seed follow all numbers. */
  seed: number;
  /** How often it asked for a number: reading texts takes longer than its fuel pays for. */
  asked: number;
  /** Constants in the order of their numbers, which begin with 1. It outlives the instance. */
  readonly interned: Map<string, number>;
  readonly log: ModuleLog;
}

/** The imports of one instance. */
export function createImports(state: ImportState): WebAssembly.Imports {
  const sluice = Object.assign(Object.create(null) as WebAssembly.ModuleImports, {
    log: (level: number, at: number, length: number): void => state.log.take(level, read(state, "log", at, length)),
    now: (): number => state.now,
    rand: (): number => nextRandom(state),
    intern: (at: number, length: number): number => intern(state, at, length),
  });
  const env = Object.assign(Object.create(null) as WebAssembly.ModuleImports, {
    abort: (message: number, file: number, line: number, column: number): never => {
      const where = `${utf16(state, file)}:${line >>> 0}:${column >>> 0}`;
      throw new ModuleFault("trap", `It aborted: ${utf16(state, message) || "no message"} (${where})`);
    },
  });
  return Object.assign(Object.create(null) as WebAssembly.Imports, { sluice, env });
}

function read({ memory }: ImportState, name: string, at: number, length: number): Uint8Array {
  const all = memory === undefined ? new Uint8Array(0) : new Uint8Array(memory.buffer);
  const begin = at >>> 0;
  const bytes = length >>> 0;
  if (begin + bytes <= all.length) return all.subarray(begin, begin + bytes);
  throw new ModuleFault("import", `It called ${name}() with ${bytes} bytes at ${begin} of ${all.length}`);
}

/** The number of a constant; 0 where there is none: the module then compares strings. */
function intern(state: ImportState, at: number, length: number): number {
  if (!state.initialising) throw new ModuleFault("import", "It called intern() outside of sluice_init");
  const bytes = read(state, "intern", at, length);
  if (bytes.length > INTERNED_BYTES_MAX || ++state.asked > ASKED_MAX) return 0;
  const text = exactText(bytes);
  if (text === undefined) return 0;
  const known = state.interned.get(text);
  if (known !== undefined) return known;
  if (state.interned.size >= INTERNED_MAX) return 0;
  const number = state.interned.size + 1;
  state.interned.set(text, number);
  return number;
}

/** Undefined for what no string of an event can be equal to. A decoder that throws takes ten times as long where it does. */
function exactText(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  if (!text.includes("\ufffd")) return text;
  const again = encoder.encode(text);
  return again.length === bytes.length && again.every((byte, index) => byte === bytes[index]) ? text : undefined;
}

/** Mulberry32: 32 bits of state, which is what makes a run repeatable from its seed. */
function nextRandom(state: ImportState): number {
  state.seed = (state.seed + 0x6d2b_79f5) | 0;
  let mixed = Math.imul(state.seed ^ (state.seed >>> 15), 1 | state.seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return (mixed ^ (mixed >>> 14)) | 0;
}

/** A string as AssemblyScript keeps it: UTF-16, its length in bytes before it. Empty where there is none. */
function utf16({ memory }: ImportState, at: number): string {
  const begin = at >>> 0;
  if (memory === undefined || begin < 4 || begin > memory.buffer.byteLength) return "";
  const view = new DataView(memory.buffer);
  const bytes = Math.min(view.getUint32(begin - 4, true), ABORT_CHARACTERS_MAX * 2, memory.buffer.byteLength - begin);
  const text = new TextDecoder("utf-16le").decode(new Uint8Array(memory.buffer, begin, bytes & ~1));
  return plainText(new TextEncoder().encode(text));
}
