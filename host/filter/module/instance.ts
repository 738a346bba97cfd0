/**
 * One instance of an instrumented module: its own memory, called in batches, with fuel for each call.
 *
 * Events and sinks are copied in, words are read out; nothing else of its memory is looked at, and whatever it does ends as
 * a {@link ModuleFault}. After one the instance must not be called again.
 */
import type { Clock } from "../../clock.ts";
import { ARENA_INPUT, ARENA_OUTPUT, ARENA_SCRATCH, ARENA_TABLE, Arenas } from "./arenas.ts";
import { answerWords, rowBytes, type SinkTable, TABLE_HEAD_BYTES, UNDECIDED } from "./batch.ts";
import { faultOf, ModuleFault } from "./fault.ts";
import { createImports, type ImportState } from "./imports.ts";
import type { ModuleLog } from "./log.ts";
import type { ModuleHook, ModuleSpec } from "./spec.ts";

/** What an instance needs of its host. */
export interface InstanceSettings {
  /** Of the service: what `now` tells. */
  readonly clock: Clock;
  /** JSON as UTF-8, for `sluice_init`. */
  readonly config: Uint8Array;
  /** Of its random numbers. */
  readonly seed: number;
  readonly log: ModuleLog;
  /** Where fuel is counted, that of a failed start included. */
  readonly usage: { fuel: number };
  /** Constants that it numbers; instances of one revision share them, so that numbers keep their meaning. */
  readonly interned: Map<string, number>;
  /** What another instance saved; handed over where the module can restore. */
  readonly state?: Uint8Array | undefined;
}

/** What a module said to a batch. */
export interface Answer {
  /** Decision words and variable area, as they lie in its memory: valid until the next call. */
  readonly words: Uint32Array;
  /** How many of them it claims to have written; after a fault all that it had room for. */
  readonly length: number;
  readonly fault: ModuleFault | undefined;
}

/** What the instrumenter made of the module's exports: the same functions with the fuel as their first argument. */
interface Wrapped {
  readonly memory: WebAssembly.Memory;
  readonly $sluice_fuel: () => number;
  readonly $sluice_arena: (fuel: number, kind: number, bytes: number) => number;
  readonly $sluice_in?: Hook;
  readonly $sluice_out?: Hook;
  readonly $sluice_start?: (fuel: number) => void;
  readonly $sluice_init?: (fuel: number, at: number, bytes: number) => number;
  readonly $sluice_sinks?: (fuel: number, changed: number, changes: number, sinks: number) => unknown;
  readonly $sluice_save?: (fuel: number, at: number, room: number) => number;
  readonly $sluice_restore?: (fuel: number, at: number, bytes: number) => number;
}

/** It failed before it could write anything. */
const nothing = new Uint32Array(0);

type Hook = (fuel: number, batch: number, count: number, out: number, room: number) => number;

/** See the head of this file. */
export class ModuleInstance {
  /** What `sluice_restore` answered; 0: it took the state, undefined: there was none or it takes none. */
  readonly restored: number | undefined;
  readonly #spec: ModuleSpec;
  readonly #exports: Wrapped;
  readonly #arenas: Arenas;
  readonly #imports: ImportState;
  readonly #clock: Clock;
  readonly #usage: { fuel: number };
  /** Views of a memory that is there no more once it grew. */
  #bytes: Uint8Array = new Uint8Array(0);
  #words: Uint32Array = new Uint32Array(0);
  #out: Uint32Array = new Uint32Array(0);
  /** Words of the last answer, which may still lie there. */
  #stale = 0;
  /** Whether it has the whole sink table; changes alone will do then. */
  #hasTable = false;

  /**
   * Instantiates, starts and initialises a module.
   *
   * @param module As the instrumenter left it.
   * @throws {ModuleFault} whatever it does wrong meanwhile.
   */
  static create(module: WebAssembly.Module, spec: ModuleSpec, settings: InstanceSettings): ModuleInstance {
    return new ModuleInstance(module, spec, settings);
  }

  private constructor(module: WebAssembly.Module, spec: ModuleSpec, settings: InstanceSettings) {
    const { clock, seed, log, interned, config, state } = settings;
    this.#spec = spec;
    this.#clock = clock;
    this.#usage = settings.usage;
    this.#imports = { memory: undefined, now: clock.now(), initialising: true, seed, asked: 0, log, interned };
    this.#exports = instantiate(module, createImports(this.#imports));
    this.#imports.memory = this.#exports.memory;
    this.#arenas = new Arenas(this.#exports.memory, (kind, bytes) =>
      this.#metered(spec.manifest.limits.sinksFuel, (fuel) => this.#exports.$sluice_arena(fuel, kind, bytes)),
    );
    log.nextBatch();
    const { initFuel } = spec.manifest.limits;
    const { $sluice_start, $sluice_init, $sluice_restore } = this.#exports;
    if ($sluice_start !== undefined) this.#metered(initFuel, (fuel) => void $sluice_start(fuel));
    if ($sluice_init !== undefined) {
      const at = this.#put(config);
      const code = this.#metered(initFuel, (fuel) => $sluice_init(fuel, at, config.length));
      if (code !== 0) throw new ModuleFault("init", `Its sluice_init refused the configuration with ${code}`);
    }
    this.#imports.initialising = false;
    this.restored =
      state === undefined || $sluice_restore === undefined
        ? undefined
        : this.#metered(initFuel, (fuel) => $sluice_restore(fuel, this.#put(state), state.length));
  }

  /** Bytes of its memory now. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** Whether it can hand its state over. */
  get saves(): boolean {
    return this.#exports.$sluice_save !== undefined;
  }

  /**
   * Has a batch decided.
   *
   * @param records Records one after the other, `count` of them; they are copied.
   * @param fuel For this call.
   */
  call(hook: ModuleHook, records: Uint8Array, count: number, table: SinkTable, fuel: number): Answer {
    let length = 0;
    let fault: ModuleFault | undefined;
    let out = -1;
    const room = answerWords(count, table.sinks);
    try {
      this.#imports.now = this.#clock.now();
      this.#imports.log.nextBatch();
      this.#tell(table);
      const run = hook === "in" ? this.#exports.$sluice_in : this.#exports.$sluice_out;
      if (run === undefined) throw new ModuleFault("trap", `It has no sluice_${hook}`);
      // Both places before either is written to: asking for one may move the memory.
      this.#arenas.place(ARENA_INPUT, records.length);
      const output = this.#arenas.place(ARENA_OUTPUT, room * 4);
      const input = this.#arenas.place(ARENA_INPUT, records.length);
      this.#refresh();
      this.#bytes.set(records, input);
      this.#words.fill(UNDECIDED, output >>> 2, (output >>> 2) + Math.min(room, Math.max(count, this.#stale)));
      out = output;
      this.#stale = room;
      length = this.#metered(fuel, (given) => run(given, input, count, output, room));
      if (length < 0) fault = new ModuleFault("negative", `Its sluice_${hook} failed with ${length}`);
      else if (length < count || length > room)
        fault = new ModuleFault("bad-output", `It answered with ${length} words, ${count} to ${room} are possible`);
      else this.#stale = length;
    } catch (error) {
      fault = error instanceof ModuleFault ? error : faultOf(error, 0);
    }
    // What was written before the fault counts, as far as it makes sense by itself.
    if (fault !== undefined) length = room;
    return { words: out < 0 ? nothing : this.#answer(out, room), length, fault };
  }

  /**
   * What a later instance can be given.
   *
   * @returns A copy; undefined where the module does not save.
   * @throws {ModuleFault}
   */
  save(): Uint8Array | undefined {
    const { $sluice_save } = this.#exports;
    if ($sluice_save === undefined) return undefined;
    const { stateBytes, sinksFuel } = this.#spec.manifest.limits;
    const at = this.#arenas.place(ARENA_SCRATCH, stateBytes);
    const bytes = this.#metered(sinksFuel, (fuel) => $sluice_save(fuel, at, stateBytes));
    if (bytes < 0) throw new ModuleFault("negative", `Its sluice_save failed with ${bytes}`);
    if (bytes > stateBytes)
      throw new ModuleFault(
        "bad-output",
        `Its sluice_save wrote ${bytes} bytes where there was room for ${stateBytes}`,
      );
    this.#refresh();
    return this.#bytes.slice(at, at + bytes);
  }

  /** Changes were not told to this instance: it gets the whole table with the next batch. */
  forgetTable(): void {
    this.#hasTable = false;
  }

  /** Copies the rows that changed, or all of them, and says which. */
  #tell({ image, changed, sinks }: SinkTable): void {
    const columns = this.#spec.manifest.sinkAttrs.length;
    const bytes = TABLE_HEAD_BYTES + sinks * rowBytes(columns);
    const whole = !this.#hasTable || !this.#arenas.fits(ARENA_TABLE, bytes);
    if (!whole && changed.length === 0) return;
    this.#hasTable = false;
    const slots = whole ? Uint32Array.from({ length: sinks }, (_, slot) => slot) : changed;
    this.#arenas.place(ARENA_TABLE, bytes);
    const list = this.#arenas.place(ARENA_SCRATCH, slots.length * 4);
    const at = this.#arenas.place(ARENA_TABLE, bytes);
    this.#refresh();
    if (whole) this.#bytes.set(image.subarray(0, bytes), at);
    else {
      this.#bytes.set(image.subarray(0, TABLE_HEAD_BYTES), at);
      const size = rowBytes(columns);
      for (const slot of slots) {
        const row = TABLE_HEAD_BYTES + slot * size;
        this.#bytes.set(image.subarray(row, row + size), at + row);
      }
    }
    this.#words.set(slots, list >>> 2);
    const { $sluice_sinks } = this.#exports;
    if ($sluice_sinks !== undefined)
      this.#metered(
        this.#spec.manifest.limits.sinksFuel,
        (fuel) => void $sluice_sinks(fuel, list, slots.length, sinks),
      );
    this.#hasTable = true;
  }

  /** Writes to the scratch arena; returns where. */
  #put(bytes: Uint8Array): number {
    const at = this.#arenas.place(ARENA_SCRATCH, bytes.length);
    this.#refresh();
    this.#bytes.set(bytes, at);
    return at;
  }

  /** Calls into the module; what is thrown is a fault by its cause, and the fuel is counted in any case. */
  #metered<Result>(fuel: number, run: (fuel: number) => Result): Result {
    try {
      const result = run(fuel);
      this.#usage.fuel += fuel - this.#exports.$sluice_fuel();
      return result;
    } catch (error) {
      // What a trap leaves of it is not known exactly, so all counts as used.
      this.#usage.fuel += fuel;
      throw faultOf(error, this.#exports.$sluice_fuel());
    }
  }

  /** Growing a memory detaches the views of it. */
  #refresh(): void {
    const { buffer } = this.#exports.memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
  }

  #answer(at: number, room: number): Uint32Array {
    this.#refresh();
    const { buffer } = this.#bytes;
    if (this.#out.buffer !== buffer || this.#out.byteOffset !== at || this.#out.length !== room)
      this.#out = new Uint32Array(buffer, at, room);
    return this.#out;
  }
}

function instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): Wrapped {
  try {
    return new WebAssembly.Instance(module, imports).exports as unknown as Wrapped;
  } catch (error) {
    throw faultOf(error, 0);
  }
}
