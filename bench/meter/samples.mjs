// The sample filters of the SDK, each as its author builds it, with a batch of events as a host would give it.
import { sample } from "../module/modules.mjs";

const EVENTS = 64;
const SINKS = 8;
const FUEL = 2 ** 31 - 1;
/** Of the ABI. */
const HEAD_BYTES = 88;
const ATTRIBUTE_BYTES = 16;
const ROW_BYTES = 16;
const TABLE_HEAD_BYTES = 16;
const TAG_INTEGER = 2;
const TAG_TEXT = 4;
const KINDS = Object.freeze({ input: 0, output: 1, table: 2, scratch: 3 });
const START_MS = 1_767_225_600_000;

/** Names of the samples. */
export const samples = Object.freeze(["least-loaded", "rate-limiter", "reply-once", "sampler", "sequence-gap"]);

/** @typedef {(...args: number[]) => number} Call @typedef {{ attrs?: string[], sinkAttrs?: string[], hooks?: string[] }} Manifest */

/**
 * Makes calls of both: the module as it was built, and instrumented.
 *
 * @param {import('./subject.mjs').Meter} meter
 * @returns {{ name: string, plain: () => number, metered: () => number }[]} Of each the call that decides the batch.
 * @throws {Error} Where the two do not decide the same.
 */
export function prepareSamples({ instrument }) {
  return samples.map((name) => {
    const original = new Uint8Array(sample(name));
    const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(original), "sluice.manifest");
    /** @type {Manifest} */
    const manifest = JSON.parse(new TextDecoder().decode(section));
    const [plain, metered] = [open(original, "", manifest), open(instrument(original).bytes, "$", manifest)];
    for (let batch = 0; batch < 3; batch++) {
      if (plain.call() !== metered.call() || plain.answer() !== metered.answer())
        throw new Error(`${name} decides something else when it is instrumented`);
    }
    return { name, plain: plain.call, metered: metered.call };
  });
}

/**
 * One instance, started and told of its sinks.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {"" | "$"} prefix Of the names of its hooks; with it they take fuel.
 * @param {Manifest} manifest
 */
function open(bytes, prefix, { attrs = [], sinkAttrs = [], hooks = ["out"] }) {
  const module = new WebAssembly.Module(bytes);
  let texts = 0;
  let now = START_MS;
  const { exports } = new WebAssembly.Instance(module, {
    // Ten batches a second: limits of rates are met now and then.
    sluice: { log: () => undefined, now: () => (now += 100), rand: () => 7, intern: () => ++texts },
    env: { abort: () => undefined },
  });
  const memory = /** @type {WebAssembly.Memory} */ (exports["memory"]);
  /** @param {string} name @returns {Call | undefined} */
  const hook = (name) => {
    const found = /** @type {Call | undefined} */ (exports[`${prefix}sluice_${name}`]);
    return found && prefix !== "" ? (...args) => found(FUEL, ...args) : found;
  };
  if (prefix !== "") /** @type {Call | undefined} */ (exports["$sluice_start"])?.(FUEL);
  const arena = /** @type {Call} */ (hook("arena"));
  const records = encode(attrs);
  const room = EVENTS * (2 + SINKS);
  const config = new TextEncoder().encode("{}");
  const table = tableOf(sinkAttrs.length);
  const scratch = arena(KINDS.scratch, 4_096);
  const output = arena(KINDS.output, room * 4);
  const rows = arena(KINDS.table, table.length);
  const input = arena(KINDS.input, records.length);
  const write = (/** @type {number} */ at, /** @type {Uint8Array} */ what) =>
    new Uint8Array(memory.buffer).set(what, at);
  write(scratch, config);
  hook("init")?.(scratch, config.length);
  write(rows, table);
  write(scratch, new Uint8Array(Uint32Array.from({ length: SINKS }, (_, slot) => slot).buffer));
  hook("sinks")?.(scratch, SINKS, SINKS);
  write(input, records);
  const run = /** @type {Call} */ (hook(hooks[0] ?? "out"));
  return {
    call: () => run(input, EVENTS, output, room),
    answer: () => new Uint32Array(memory.buffer, output, EVENTS).join(),
  };
}

/** Events, every other one of a kind that constants name. @param {readonly string[]} attrs */
function encode(attrs) {
  const texts = new TextEncoder().encode("request0source");
  const size = (HEAD_BYTES + attrs.length * ATTRIBUTE_BYTES + texts.length + 7) & ~7;
  const bytes = new Uint8Array(EVENTS * size);
  const view = new DataView(bytes.buffer);
  for (let event = 0; event < EVENTS; event++) {
    const at = event * size;
    const textsAt = HEAD_BYTES + attrs.length * ATTRIBUTE_BYTES;
    view.setUint32(at, size, true);
    view.setUint8(at + 6, 4);
    view.setUint8(at + 7, attrs.length);
    view.setFloat64(at + 16, START_MS, true);
    view.setFloat64(at + 24, Number.POSITIVE_INFINITY, true);
    view.setUint32(at + 40, event % 2, true);
    for (let text = 0; text < 3; text++) {
      view.setUint32(at + 48 + text * 8, textsAt + text, true);
      view.setUint32(at + 52 + text * 8, 7, true);
    }
    view.setUint32(at + 84, SINKS, true);
    attrs.forEach((name, slot) => {
      const place = at + HEAD_BYTES + slot * ATTRIBUTE_BYTES;
      view.setUint8(place, name === "n" ? TAG_INTEGER : TAG_TEXT);
      view.setUint32(place + 4, name === "n" ? 0 : 8, true);
      view.setUint32(place + 8, name === "n" ? event : textsAt, true);
      view.setUint32(place + 12, name === "n" ? 0 : event % 2, true);
    });
    bytes.set(texts, at + textsAt);
    bytes[at + textsAt + 7] = event;
  }
  return bytes;
}

/** Sinks that are up, with a load each. @param {number} columns */
function tableOf(columns) {
  const stride = ROW_BYTES + 8 * columns;
  const bytes = new Uint8Array(TABLE_HEAD_BYTES + SINKS * stride);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of [SINKS, stride, 1, columns].entries()) view.setUint32(index * 4, word, true);
  for (let sink = 0; sink < SINKS; sink++) {
    const at = TABLE_HEAD_BYTES + sink * stride;
    view.setUint32(at, sink + 1, true);
    view.setUint32(at + 4, 1, true);
    view.setFloat64(at + 8, START_MS, true);
    for (let column = 0; column < columns; column++)
      view.setFloat64(at + ROW_BYTES + column * 8, (sink + 1) / 10, true);
  }
  return bytes;
}
