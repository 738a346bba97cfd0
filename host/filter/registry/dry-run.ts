/**
 * Has a module decide about events that nobody published, before anybody's events are given to it.
 *
 * Two events and two sinks, with whatever the manifest asks for absent or small. What the module decides does not
 * matter; that it traps, runs out of fuel or answers with what makes no sense does.
 */
import {
  type ModuleBatch,
  RECORD_ATTRIBUTE_BYTES,
  RECORD_CANDIDATES_AT,
  RECORD_HEAD_BYTES,
  ROW_HEAD_BYTES,
  rowBytes,
  TABLE_HEAD_BYTES,
} from "../module/batch.ts";
import { Decisions } from "../module/decisions.ts";
import { ModuleInstance } from "../module/instance.ts";
import { ModuleLog } from "../module/log.ts";
import type { ModuleManifest } from "../module/spec.ts";

const EVENTS = 2;
const SINKS = 2;
const SINK_UP = 1;
/** An attribute that is a number of 64 bits in floating point. */
const TAG_F64 = 3;
/** Any moment will do, and the same one makes a refusal repeatable. */
const NOW = 1_767_225_600_000;
const SEED = 1;

/** What is no clock of a host's: it stands still, and nothing in a dry run waits. */
const clock = { now: () => NOW, setTimer: () => () => {} };

/**
 * Runs a module once.
 *
 * @throws {Error} whatever it does wrong. That `sluice_init` refuses the manifest's configuration is not wrong: a binding may
 *   bring the one that it needs.
 */
export function dryRun(module: WebAssembly.Module, manifest: ModuleManifest): void {
  const { limits, hooks, config } = manifest;
  const spec = { name: "dry-run", version: 0, digest: "", manifest, weight: 0, exports: [] };
  const settings = {
    clock,
    config: new TextEncoder().encode(JSON.stringify(config)),
    seed: SEED,
    log: new ModuleLog(clock, limits, () => {}),
    usage: { fuel: 0 },
    interned: new Map<string, number>(),
  };
  let instance: ModuleInstance;
  try {
    instance = ModuleInstance.create(module, spec, settings);
  } catch (thrown) {
    if ((thrown as { readonly cause?: unknown }).cause === "init") return;
    throw thrown;
  }
  const batch = sampleBatch(manifest);
  const { records, count, table } = batch;
  const fuel = Math.min(limits.callFuel + limits.eventFuel * count, limits.callFuelMax);
  for (const hook of hooks) {
    const { words, length, fault } = instance.call(hook, records, count, table, fuel);
    if (fault !== undefined) throw new Error(`In a dry run of sluice_${hook}: ${fault.message}`, { cause: fault });
    const decisions = new Decisions();
    decisions.begin(batch);
    for (let index = 0; index < count; index++) {
      const wrong = decisions.take(index, words, count, length, index);
      if (wrong !== undefined) throw new Error(`In a dry run of sluice_${hook}: of event ${index}, ${wrong}`);
    }
  }
  const state = instance.save();
  if (state !== undefined) ModuleInstance.create(module, spec, { ...settings, state });
}

/** Two events, the first with a number for each attribute, the second with none of them. */
function sampleBatch({ attrs, sinkAttrs }: ModuleManifest): ModuleBatch {
  const texts = new TextEncoder().encode("idtype/source{}");
  const attributes = RECORD_HEAD_BYTES + attrs.length * RECORD_ATTRIBUTE_BYTES;
  const size = Math.ceil((attributes + texts.length) / 8) * 8;
  const records = new Uint8Array(size * EVENTS);
  for (let event = 0; event < EVENTS; event++) {
    const view = new DataView(records.buffer, event * size, size);
    view.setUint32(0, size, true);
    view.setUint8(6, 4);
    view.setUint8(7, attrs.length);
    view.setBigUint64(8, BigInt(event + 1), true);
    view.setFloat64(16, NOW, true);
    view.setFloat64(24, Number.POSITIVE_INFINITY, true);
    view.setUint32(44, 2, true);
    // id, type, source and data, one after the other behind the attributes.
    for (const [index, [at, bytes]] of (
      [
        [0, 2],
        [2, 4],
        [6, 7],
        [13, 2],
      ] as const
    ).entries()) {
      view.setUint32(48 + index * 8, attributes + at, true);
      view.setUint32(52 + index * 8, bytes, true);
    }
    // Both sinks are candidates.
    view.setUint32(RECORD_CANDIDATES_AT + 4, SINKS, true);
    for (let slot = 0; slot < attrs.length && event === 0; slot++) {
      const at = RECORD_HEAD_BYTES + slot * RECORD_ATTRIBUTE_BYTES;
      view.setUint8(at, TAG_F64);
      view.setFloat64(at + 8, 0.5, true);
    }
    records.set(texts, event * size + attributes);
  }
  return {
    count: EVENTS,
    records,
    table: { sinks: SINKS, image: sampleTable(sinkAttrs.length), changed: new Uint32Array() },
  };
}

function sampleTable(columns: number): Uint8Array {
  const stride = rowBytes(columns);
  const image = new Uint8Array(TABLE_HEAD_BYTES + SINKS * stride);
  const view = new DataView(image.buffer);
  for (const [index, word] of [SINKS, stride, 1, columns].entries()) view.setUint32(index * 4, word, true);
  for (let sink = 0; sink < SINKS; sink++) {
    const at = TABLE_HEAD_BYTES + sink * stride;
    view.setUint32(at, sink + 1, true);
    view.setUint32(at + 4, SINK_UP, true);
    view.setFloat64(at + 8, NOW, true);
    // The second sink has told nothing yet.
    for (let column = 0; column < columns; column++)
      view.setFloat64(at + ROW_HEAD_BYTES + column * 8, sink === 0 ? 0.5 : Number.NaN, true);
  }
  return image;
}
