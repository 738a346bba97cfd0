/**
 * Where in a module's memory the host may write: four places that the module itself gives away, each looked at again
 * before every use, because neither the place nor the memory is to be trusted.
 */
import { ModuleFault } from "./fault.ts";

/** Kinds of `sluice_arena`. */
export const ARENA_INPUT = 0;
/** Decision words. */
export const ARENA_OUTPUT = 1;
/** The sink table. */
export const ARENA_TABLE = 2;
/** Configuration, state, lists of changed sinks. */
export const ARENA_SCRATCH = 3;

const names = ["input", "output", "sink table", "scratch"] as const;

/** Modules get room for so much at the least: most never are asked again. */
const BYTES_MIN = 4_096;

interface Arena {
  readonly at: number;
  readonly bytes: number;
}

/** The arenas of one instance. */
export class Arenas {
  readonly #arenas: (Arena | undefined)[] = [undefined, undefined, undefined, undefined];
  readonly #ask: (kind: number, bytes: number) => number;
  readonly #memory: WebAssembly.Memory;

  /** @param ask Calls `sluice_arena`. @throws {ModuleFault} what it throws. */
  constructor(memory: WebAssembly.Memory, ask: (kind: number, bytes: number) => number) {
    this.#memory = memory;
    this.#ask = ask;
  }

  /** Whether so much fits without asking the module. */
  fits(kind: number, bytes: number): boolean {
    return bytes <= (this.#arenas[kind]?.bytes ?? -1);
  }

  /**
   * The place for `bytes` bytes, which the module is asked for where the last one was smaller.
   *
   * @returns An offset in its memory as that is now.
   * @throws {ModuleFault} `arena`: it is not aligned to 16, ends beyond the memory, or overlaps another.
   */
  place(kind: number, bytes: number): number {
    let arena = this.#arenas[kind];
    if (arena === undefined || arena.bytes < bytes) {
      // Doubled, so that sizes that creep up ask seldom: modules need not give anything back.
      const wanted = (Math.max(BYTES_MIN, bytes, 2 * (arena?.bytes ?? 0)) + 15) & ~15;
      this.#arenas[kind] = undefined;
      arena = { at: this.#ask(kind, wanted) >>> 0, bytes: wanted };
      this.#refuseOverlap(kind, arena);
      this.#arenas[kind] = arena;
    }
    const size = this.#memory.buffer.byteLength;
    if ((arena.at & 15) !== 0 || arena.at + arena.bytes > size)
      throw new ModuleFault(
        "arena",
        `Its arena for the ${names[kind]} is no place: ${arena.bytes} bytes at ${arena.at} of ${size}, aligned to 16`,
      );
    return arena.at;
  }

  #refuseOverlap(kind: number, { at, bytes }: Arena): void {
    const other = this.#arenas.findIndex((one) => one !== undefined && at < one.at + one.bytes && one.at < at + bytes);
    if (other === -1) return;
    throw new ModuleFault("arena", `Its arenas for the ${names[kind]} and the ${names[other]} overlap at ${at}`);
  }
}
