// ns per event inside the core: ingest, match by type, drain; beside the control in plain JavaScript.
import { encodeEvent, publishFrame } from "../driver/sluice-frames.mjs";
import { median, quantile } from "../driver/statistics.mjs";
import { Control } from "./control.mjs";
import { loadAbi, openCore, stage } from "./core.mjs";

const CHUNK_BYTES = 65_536;
const PER_FRAME = 64;

/**
 * @typedef {{ id: string, title: string, payloadBytes: number, sinks: readonly (string | null)[] }} Case One entry in `sinks` per
 *   sink: the type it wants, null for any. All events are of type "t".
 * @typedef {{ batch: () => void, bytesOut: () => number }} Subject
 */

const repeat = (/** @type {number} */ count, /** @type {string | null} */ type) =>
  Array.from({ length: count }, () => type);

/** @type {readonly Case[]} */
const cases = [
  { id: "ingest", title: "ingest 100 B, no sink", payloadBytes: 100, sinks: [] },
  { id: "ingest-1k", title: "ingest 1 KB, no sink", payloadBytes: 1024, sinks: [] },
  { id: "drain-1", title: "ingest and drain, 1 sink", payloadBytes: 100, sinks: repeat(1, null) },
  { id: "drain-1-1k", title: "ingest and drain, 1 sink, 1 KB", payloadBytes: 1024, sinks: repeat(1, null) },
  { id: "drain-8", title: "ingest and drain, 8 sinks", payloadBytes: 100, sinks: repeat(8, null) },
  { id: "match-8", title: "8 sinks that want this type", payloadBytes: 100, sinks: repeat(8, "t") },
  { id: "reject-8", title: "8 sinks that want another type", payloadBytes: 100, sinks: repeat(8, "u") },
];

/**
 * Runs every case on core and control in turn.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ id: string, title: string, coreNs: number, coreP99Ns: number, controlNs: number, controlP99Ns: number, ratio: number }[]>}
 *   ns per event, medians over batches of 64 KiB; `ratio` is core ÷ control, median of paired rounds.
 * @throws {Error} Where the two do not write the same number of bytes.
 */
export async function runCore({ quick, say }) {
  const abi = await loadAbi();
  const rounds = quick ? 3 : 7;
  const lines = [];
  for (const { id, title, payloadBytes, sinks } of cases) {
    const events = chunkOf(payloadBytes);
    const core = coreSubject(abi, events.bytes, sinks);
    const control = controlSubject(events.bytes, sinks);
    /** @type {{ core: number[], control: number[], ratios: number[] }} */
    const all = { core: [], control: [], ratios: [] };
    timed(core, 50, events.count);
    timed(control, 50, events.count);
    for (let round = 0; round < rounds; round++) {
      const ours = timed(core, quick ? 50 : 150, events.count);
      const theirs = timed(control, quick ? 50 : 150, events.count);
      all.core.push(...ours);
      all.control.push(...theirs);
      all.ratios.push(median(ours) / median(theirs));
    }
    if ((core.bytesOut() === 0) !== (control.bytesOut() === 0))
      throw new Error(`${id}: core wrote ${core.bytesOut()} bytes, the control ${control.bytesOut()}`);
    const line = {
      id,
      title,
      coreNs: median(all.core),
      coreP99Ns: quantile(all.core, 0.99),
      controlNs: median(all.control),
      controlP99Ns: quantile(all.control, 0.99),
      ratio: median(all.ratios),
    };
    say(
      `${title}: core ${line.coreNs.toFixed(1)} ns, plain JS ${line.controlNs.toFixed(1)} ns, ratio ${line.ratio.toFixed(2)}`,
    );
    lines.push(line);
  }
  return lines;
}

/** Whole publish frames of about 64 KiB. @param {number} payloadBytes */
function chunkOf(payloadBytes) {
  const event = encodeEvent({ channel: "", payload: Buffer.alloc(payloadBytes, "x") }, "/bench/10");
  const frames = Math.max(1, Math.floor(CHUNK_BYTES / (event.length * PER_FRAME)));
  const perFrame = Math.min(PER_FRAME, Math.floor(CHUNK_BYTES / (event.length + 8)));
  const frame = publishFrame(
    1,
    Array.from({ length: perFrame }, () => event),
  );
  return { bytes: Buffer.concat(Array.from({ length: frames }, () => frame)), count: frames * perFrame };
}

/**
 * Runs batches for a while.
 *
 * @param {Subject} subject @param {number} durationMs @param {number} events Per batch.
 * @returns {number[]} ns per event of each batch.
 */
function timed({ batch }, durationMs, events) {
  const samples = [];
  const end = performance.now() + durationMs;
  for (let before = performance.now(); before < end; ) {
    batch();
    const after = performance.now();
    samples.push(((after - before) * 1e6) / events);
    before = after;
  }
  return samples;
}

/**
 * The core with one source and some sinks, fed as the host feeds it: one copy into the landing zone, one ingest, one drain per sink.
 *
 * @param {Record<string, number>} abi @param {Buffer} chunk @param {readonly (string | null)[]} sinks
 * @returns {Subject}
 */
function coreSubject(abi, chunk, sinks) {
  const core = openCore(abi);
  const memory = new Uint8Array(core.memory.buffer);
  const words = new Uint32Array(core.memory.buffer);
  const {
    CONNECTION_STREAM,
    ROLE_SINK,
    ROLE_SOURCE,
    LANDING_OFFSET,
    OUT_OFFSET,
    OUT_SLOT_BYTES,
    STAGE_OFFSET,
    REASON_DONE,
    RESULT_REASON,
    RESULT_OFFSET,
  } =
    /** @type {Record<string, number> & Record<'CONNECTION_STREAM' | 'ROLE_SINK' | 'ROLE_SOURCE' | 'LANDING_OFFSET' | 'OUT_OFFSET' | 'OUT_SLOT_BYTES' | 'STAGE_OFFSET' | 'REASON_DONE' | 'RESULT_REASON' | 'RESULT_OFFSET', number>} */ (
      abi
    );
  const open = () => core.connectionOpen(CONNECTION_STREAM, STAGE_OFFSET, stage(core, abi, "/bench/1"));
  const channel = core.channelAdd(STAGE_OFFSET, stage(core, abi, "subj01"), 2);
  const source = open();
  core.memberAdd(source, channel, ROLE_SOURCE);
  const connections = sinks.map((type) => {
    const connection = open();
    const member = core.memberAdd(connection, channel, ROLE_SINK);
    if (type !== null) {
      // A list of one: u16 length, then the bytes.
      stage(core, abi, `\u0001\u0000${type}`);
      core.memberTypes(member, STAGE_OFFSET, 1);
    }
    return connection;
  });
  let written = 0;
  const batch = () => {
    memory.set(chunk, LANDING_OFFSET);
    const taken = core.ingest(source, LANDING_OFFSET, chunk.length, 1e12);
    const reason = words[(RESULT_OFFSET >> 2) + RESULT_REASON];
    if (taken !== chunk.length || reason !== REASON_DONE)
      throw new Error(`ingest() took ${taken} of ${chunk.length} bytes, reason ${reason}`);
    core.dirtyTake();
    for (const connection of connections) {
      for (let bytes = 1; bytes > 0; ) written += bytes = core.drain(connection, OUT_OFFSET, OUT_SLOT_BYTES, 1e12);
    }
  };
  return { batch, bytesOut: () => written };
}

/** @param {Buffer} chunk @param {readonly (string | null)[]} sinks @returns {Subject} */
function controlSubject(chunk, sinks) {
  const control = new Control(sinks.map((type) => (type === null ? null : Buffer.from(type))));
  const landing = new Uint8Array(131_072);
  const out = new Uint8Array(1 << 20);
  let written = 0;
  const batch = () => {
    landing.set(chunk, 0);
    control.ingest(landing, 0, chunk.length);
    for (let sink = 0; sink < sinks.length; sink++) written += control.drain(sink, out);
  };
  return { batch, bytesOut: () => written };
}
