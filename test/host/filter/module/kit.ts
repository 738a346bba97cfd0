/**
 * Modules written as text, and what the host gives them: records, sink tables, a source of revisions.
 */
import binaryen from "assemblyscript/binaryen";
import { createManualClock, type ManualClock } from "../../../../host/clock.ts";
import { instrument } from "../../../../host/filter/meter/index.ts";
import {
  type ModuleBatch,
  RECORD_HEAD_BYTES,
  rowBytes,
  TABLE_HEAD_BYTES,
} from "../../../../host/filter/module/batch.ts";
import { InstancePool } from "../../../../host/filter/module/pool.ts";
import { type RunningDeps, RunningModule } from "../../../../host/filter/module/running.ts";
import type { ModuleVersion } from "../../../../host/filter/module/source.ts";
import { type ModuleManifest, moduleLimits } from "../../../../host/filter/module/spec.ts";
import { createLog } from "../../../../host/log.ts";

/** Imports stand before everything else. */
const importPattern = /\(import "[^"]*" "[^"]*" \(func [^()]*(\([^()]*\) ?)*\)\)/g;

/** How a module of the tests behaves; all of it is text within functions. */
export interface ModuleText {
  /** The word of each event; may use `$event` (its place), `$record` (its address), `$batch`, `$n`, `$out`, `$cap`. */
  readonly word?: string;
  /** What the hook returns. */
  readonly answer?: string;
  /** The place of an arena; may use `$kind` and `$bytes`. */
  readonly arena?: string;
  /** Beside the hooks: functions, data, imports. */
  readonly more?: string;
}

/** Where arenas are where nothing else is said. */
export const ARENA = "(i32.mul (i32.add (local.get $kind) (i32.const 1)) (i32.const 32768))";

/** The same with room for the largest batches, and for answers about few sinks. */
export const LARGE_ARENA =
  "(select (i32.const 65536) (i32.mul (i32.add (local.get $kind) (i32.const 1)) (i32.const 8192)) (i32.eqz (local.get $kind)))";

/** The text of a module with both hooks: each event gets the word, which is "all" where nothing is said. */
export function moduleText(text: ModuleText = {}): string {
  const { arena = ARENA, more = "" } = text;
  return `(module ${(more.match(importPattern) ?? []).join(" ")}
  (memory (export "memory") 3 16)
  (func (export "sluice_abi_1"))
  (func (export "sluice_arena") (param $kind i32) (param $bytes i32) (result i32) ${arena})
  ${hook("out", text)} ${hook("in", text)} ${more.replace(importPattern, "")})`;
}

function hook(name: string, { word = "(i32.const 1)", answer = "(local.get $n)" }: ModuleText): string {
  return `
  (func (export "sluice_${name}") (param $batch i32) (param $n i32) (param $out i32) (param $cap i32) (result i32)
    (local $event i32) (local $record i32)
    (local.set $record (local.get $batch))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $event) (local.get $n)))
        (i32.store (i32.add (local.get $out) (i32.mul (local.get $event) (i32.const 4))) ${word})
        (local.set $record (i32.add (local.get $record) (i32.load (local.get $record))))
        (local.set $event (i32.add (local.get $event) (i32.const 1)))
        (br $next)))
    ${answer})`;
}

/** Words that are none. */
export const TRAP = "(block (result i32) unreachable)";
/** It never comes to one. */
export const LOOP = "(block (result i32) (loop $forever (br $forever)) (i32.const 0))";

const CANDIDATES_AT = "(i32.load (i32.add (local.get $record) (i32.const 80)))";

/** Sends every event to those sinks of a bitmap that are candidates; all events of a batch have the same. */
export const only = (bits: number, more = "", arena = ARENA): string =>
  moduleText({
    arena,
    word: `(block (result i32)
      (i32.store
        (i32.add (local.get $out) (i32.mul (local.get $n) (i32.const 4)))
        (i32.and
          (i32.const ${bits})
          (select
            (i32.load (i32.add (local.get $record) ${CANDIDATES_AT}))
            (i32.const -1)
            ${CANDIDATES_AT})))
      (i32.const 2))`,
    answer: "(i32.add (local.get $n) (i32.const 1))",
    more,
  });

/** A module that says a line about every event, and one when it starts. */
export const talkingText = moduleText({
  word: `(block (result i32) (call $log (i32.const 2) (i32.const 64) (i32.const 5)) (i32.const 1))`,
  more: `(import "sluice" "log" (func $log (param i32 i32 i32)))
    (data (i32.const 64) "hello")
    (func (export "sluice_init") (param $at i32) (param $bytes i32) (result i32)
      (call $log (i32.const 1) (i32.const 64) (i32.const 4)) (i32.const 0))`,
});

/** Lets five events pass, or `limit` of its configuration, and drops all after; its state is the count. */
export const counterText = moduleText({
  word: `(block (result i32)
    (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
    (i32.le_u (i32.load (i32.const 16)) (i32.load (i32.const 20))))`,
  more: `
    (func (export "sluice_init") (param $at i32) (param $bytes i32) (result i32)
      (local $digit i32)
      (i32.store (i32.const 20) (i32.const 5))
      (if (i32.le_u (local.get $bytes) (i32.const 2)) (then (return (i32.const 0))))
      (i32.store (i32.const 20) (i32.const 0))
      (local.set $at (i32.add (local.get $at) (i32.const 9)))
      (block $end
        (loop $next
          (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
          (br_if $end (i32.gt_u (local.get $digit) (i32.const 9)))
          (i32.store (i32.const 20)
            (i32.add (i32.mul (i32.load (i32.const 20)) (i32.const 10)) (local.get $digit)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next)))
      (i32.const 0))
    (func (export "sluice_save") (param $at i32) (param $cap i32) (result i32)
      (i32.store (local.get $at) (i32.load (i32.const 16))) (i32.const 4))
    (func (export "sluice_restore") (param $at i32) (param $bytes i32) (result i32)
      (if (i32.ne (local.get $bytes) (i32.const 4)) (then (return (i32.const 9))))
      (i32.store (i32.const 16) (i32.load (local.get $at))) (i32.const 0))`,
});

/** A module as it was uploaded. */
export function binaryOf(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(binaryen.Features.All);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** A manifest that says nothing but this. */
export function manifestOf(more: Partial<ModuleManifest> = {}): ModuleManifest {
  return {
    hooks: ["in", "out"],
    attrs: [],
    payload: "none",
    sinkAttrs: [],
    limits: moduleLimits,
    onError: "pass",
    config: {},
    ...more,
  };
}

/** A revision of a module, admitted without anybody looking at it. */
export function versionOf(
  text: string,
  { name = "test", version = 1, ...manifest }: Partial<ModuleManifest> & { name?: string; version?: number } = {},
): ModuleVersion {
  const digest = `sha256:${String(version).padStart(64, "0")}`;
  const spec = {
    name,
    version,
    digest,
    manifest: manifestOf(manifest),
    weight: 0,
    exports: [],
  };
  return { name, version, digest, module: new WebAssembly.Module(instrument(binaryOf(text)).bytes), spec };
}

/** A batch of so many events; each has the sinks of `candidates` (all of them where absent) and its place as `time`. */
export function batchOf(count: number, sinks: number, candidates?: (event: number) => readonly number[]): ModuleBatch {
  const words = (sinks + 31) >>> 5;
  const size = (RECORD_HEAD_BYTES + words * 4 + 7) & ~7;
  const records = new Uint8Array(count * size);
  const view = new DataView(records.buffer);
  for (let event = 0; event < count; event++) {
    const at = event * size;
    const chosen = candidates?.(event);
    view.setUint32(at, size, true);
    view.setFloat64(at + 16, event, true);
    view.setUint32(at + 80, chosen === undefined ? 0 : RECORD_HEAD_BYTES, true);
    view.setUint32(at + 84, chosen?.length ?? sinks, true);
    for (const slot of chosen ?? []) {
      const word = at + RECORD_HEAD_BYTES + (slot >>> 5) * 4;
      view.setUint32(word, view.getUint32(word, true) | (1 << (slot & 31)), true);
    }
  }
  return { count, records, table: tableOf(sinks) };
}

/** A table of so many sinks with one column each, which holds the slot. */
export function tableOf(sinks: number, changed: readonly number[] = [], columns = 0): ModuleBatch["table"] {
  const size = rowBytes(columns);
  const image = new Uint8Array(TABLE_HEAD_BYTES + sinks * size);
  const view = new DataView(image.buffer);
  for (const [place, value] of [sinks, size, 1, columns].entries()) view.setUint32(place * 4, value, true);
  for (let slot = 0; slot < sinks; slot++) {
    const at = TABLE_HEAD_BYTES + slot * size;
    view.setUint32(at, slot + 1, true);
    view.setUint32(at + 4, 3, true);
    for (let column = 0; column < columns; column++) view.setFloat64(at + 16 + column * 8, slot, true);
  }
  return { sinks, image, changed: Uint32Array.from(changed) };
}

/** What modules at work need, with clocks that stand still. */
export interface Bench {
  readonly clock: ManualClock;
  readonly real: ManualClock;
  readonly pool: InstancePool;
  readonly deps: RunningDeps;
  /** Lines that modules said, and those of the host. */
  readonly said: { readonly level: string; readonly text: string }[];
  readonly lines: Record<string, unknown>[];
  /** Revisions that were let alone. */
  readonly opened: RunningModule[];
  /** Puts a module to work. */
  run(text: string, manifest?: Parameters<typeof versionOf>[1], config?: unknown): RunningModule;
}

/** Makes them. */
export function createBench(): Bench {
  const clock = createManualClock(1_000_000);
  const real = createManualClock(1_000_000);
  const pool = new InstancePool();
  const said: { level: string; text: string }[] = [];
  const lines: Record<string, unknown>[] = [];
  const opened: RunningModule[] = [];
  let seed = 0;
  const deps: RunningDeps = {
    clocks: { service: clock, real },
    log: createLog({ level: "debug", sink: (line) => lines.push(JSON.parse(line)), now: () => 0 }),
    pool,
    source: { log: (_name, { level, text }) => void said.push({ level, text }) },
    seed: () => ++seed,
    onOpen: (running) => void opened.push(running),
  };
  return {
    clock,
    real,
    pool,
    deps,
    said,
    lines,
    opened,
    run: (text, manifest, config = {}) =>
      new RunningModule(versionOf(text, manifest), new TextEncoder().encode(JSON.stringify(config)), deps),
  };
}
