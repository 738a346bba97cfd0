// What an ordered inbox costs by how much waits in it: CPU ns per event that comes and one that leaves, the way in and out included;
// beside one in plain JavaScript that does the same (mailbox-control.mjs). README.md says what is compared.
import { encodeEvent, publishFrame } from "../driver/sluice-frames.mjs";
import { median } from "../driver/statistics.mjs";
import { cpuMicroseconds, nanosecondsPer } from "./batches.mjs";
import { MailboxControl } from "./mailbox-control.mjs";
import { rigMaker } from "./rig.mjs";
import { steadyHeap } from "./steady-heap.mjs";

const NOW = 1e12;
const BATCH = 64;
const BATCHES = 256;
const DEPTHS = [100, 1_000, 10_000, 100_000];
const ORDERINGS = ["FIFO", "PRIORITY", "DEADLINE", "PRIORITY_DEADLINE"];
const STREAMS = 1_000;
/** How much waits where streams are compared. */
const STREAMS_DEPTH = 10_000;
const STREAMS_CELL = "mailbox-streams";
const CAPACITY = { events: 16_777_216, bytes: 1_073_741_824 };
const OUT_BYTES = 1 << 20;

/** The same numbers in every run. @returns {() => number} Below 2^32. */
function random() {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Adds a batch, takes a batch out. @typedef {{ push: () => void, pop: () => void }} Subject */

/** @returns {Buffer[]} Events in turn, ten priorities and 16 s of deadlines by chance. */
function events() {
  const next = random();
  const payload = Buffer.alloc(100, "x");
  return Array.from({ length: BATCHES * BATCH }, () =>
    encodeEvent({ channel: "", payload, priority: next() % 10, ttlMs: 200 + (next() % 16_000) }, "/bench/10"),
  );
}

/**
 * @param {import('./rig.mjs').Rig} rig @param {string} ordering @param {number} channels How many are published to in turn.
 * @returns {Subject}
 */
function coreSubject(rig, ordering, channels) {
  const [source, sink] = [rig.open(), rig.open()];
  const numbers = Array.from({ length: channels }, (_, index) => {
    const channel = rig.channel(`c${index}`);
    if (ordering === "WINDOW") rig.core.channelWindow(channel, 1, 2 + (index % 7), 1_000_000);
    rig.source(source, channel);
    rig.sink(sink, channel);
    return channel;
  });
  rig.core.inboxSet(sink, CAPACITY.events, CAPACITY.bytes, 0, rig.constant(`ORDERING_${ordering}`), 0);
  const frames = framesOf(numbers);
  const out = rig.constant("OUT_OFFSET");
  let turn = 0;
  return {
    push: () => rig.ingest(source, frames[turn++ % BATCHES] ?? Buffer.alloc(0)),
    pop() {
      // Entries differ by a byte or two: as many bytes as the same number of events has on average.
      const each = rig.core.inboxBytes(sink) / rig.core.inboxEvents(sink);
      rig.core.drain(sink, out, Math.ceil(each * BATCH), NOW);
    },
  };
}

/** One frame a batch where there is one channel, else one an event. @param {readonly number[]} channels @returns {Buffer[]} */
function framesOf(channels) {
  const all = events();
  return Array.from({ length: BATCHES }, (_, batch) => {
    const some = all.slice(batch * BATCH, (batch + 1) * BATCH);
    if (channels.length === 1) return publishFrame(channels[0] ?? 0, some);
    return Buffer.concat(
      some.map((event, index) => publishFrame(channels[(batch * BATCH + index) % channels.length] ?? 0, [event])),
    );
  });
}

/** @returns {Subject} */
function controlSubject() {
  const frames = framesOf([1]);
  const control = new MailboxControl();
  const landing = Buffer.alloc(131_072);
  const out = Buffer.alloc(OUT_BYTES);
  let turn = 0;
  return {
    push() {
      const frame = frames[turn++ % BATCHES] ?? Buffer.alloc(0);
      landing.set(frame);
      control.ingest(landing, frame.length, NOW);
    },
    pop: () => control.drain(BATCH, out, NOW),
  };
}

/** @param {Subject} subject @param {number} depth @returns {Subject} The same, with so much in it. */
function filled(subject, depth) {
  for (let count = 0; count < depth; count += BATCH) subject.push();
  return subject;
}

/** @param {Subject} subject @param {number} durationMs @returns {number} CPU ns per event in and out. */
const throughNs = ({ push, pop }, durationMs) =>
  nanosecondsPer(
    () => {
      push();
      pop();
    },
    BATCH,
    durationMs,
  );

/** What leaving alone costs: many come, then as many leave, and only that is measured. @param {Subject} subject @param {number} rounds */
function outNs({ push, pop }, rounds) {
  const samples = Array.from({ length: rounds }, () => {
    for (let n = 0; n < BATCHES; n++) push();
    const before = cpuMicroseconds();
    for (let n = 0; n < BATCHES; n++) pop();
    return ((cpuMicroseconds() - before) * 1000) / (BATCHES * BATCH);
  });
  return median(samples);
}

/** @typedef {{ ordering: string, depth: number, ns: number, low: number, high: number }} Line */
/** @typedef {{ rows: import('../goals.mjs').Row[], lines: Line[] }} Found */

/**
 * Measures some at one depth, in turn and over and over: what disturbs one round disturbs all that are compared.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @param {number} depth
 * @param {Readonly<Record<string, Subject>>} subjects
 * @param {string} [cell]
 * @returns {Found}
 */
function compare({ quick, say }, depth, subjects, cell = `mailbox-${depth}`) {
  const [rounds, durationMs] = quick ? [2, 60] : [7, 300];
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  /** @type {Map<string, number[]>} */
  const found = new Map(Object.keys(subjects).map((name) => [name, []]));
  // Once without noting it: code is compiled, and what waits is what stays when the first have left.
  for (const subject of Object.values(subjects)) throughNs(filled(subject, depth), durationMs);
  for (let repetition = 0; repetition < rounds; repetition++) {
    for (const [ordering, subject] of Object.entries(subjects)) {
      const ns = throughNs(subject, durationMs);
      found.get(ordering)?.push(ns);
      const out = cell === STREAMS_CELL ? { outNs: outNs(subject, 3) } : {};
      rows.push({ cell, peer: ordering, repetition, ns, ...out });
    }
  }
  const lines = [...found].map(([ordering, all]) => {
    const line = { ordering, depth, ns: median(all), low: Math.min(...all), high: Math.max(...all) };
    say(`${ordering}, ${depth} waiting: ${line.ns.toFixed(1)} ns per event in and out`);
    return line;
  });
  return { rows, lines };
}

/**
 * Measures every ordering at every depth, beside the plain one.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<Found>}
 */
export async function runMailbox(options) {
  const make = await rigMaker();
  const all = DEPTHS.map((depth) => {
    const ours = ORDERINGS.map((ordering) => [ordering.toLowerCase(), coreSubject(make(), ordering, 1)]);
    return compare(options, depth, Object.fromEntries([...ours, ["plain-heap", controlSubject()]]));
  });
  return { rows: all.flatMap(({ rows }) => rows), lines: all.flatMap(({ lines }) => lines) };
}

/**
 * Measures windows of a thousand streams. Publishing to one channel after another costs more by itself: fifo over as many tells how much.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<Found>}
 */
export async function runStreams(options) {
  const make = await rigMaker();
  const subjects = {
    priority: coreSubject(make(), "PRIORITY", 1),
    "fifo-1000-channels": coreSubject(make(), "FIFO", STREAMS),
    "priority-1000-channels": coreSubject(make(), "PRIORITY", STREAMS),
    "window-1000-streams": coreSubject(make(), "WINDOW", STREAMS),
  };
  return compare(options, STREAMS_DEPTH, subjects, STREAMS_CELL);
}

/**
 * Measures what a host with an ordered inbox leaves on the JavaScript heap.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<Found>}
 */
export async function runHeap({ quick, say }) {
  const bytesPerEvent = await steadyHeap(quick ? 200_000 : 1_000_000);
  say(`JavaScript heap of a host with an ordered inbox: ${bytesPerEvent.toFixed(4)} bytes per event`);
  return { rows: [{ cell: "mailbox-heap", peer: "sluice", repetition: 0, bytesPerEvent }], lines: [] };
}
