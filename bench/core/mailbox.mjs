// What an ordered inbox costs by how much waits in it: ns per event that comes and one that leaves, the way in and out included;
// beside a mailbox in plain JavaScript that copies bytes in and out and keeps a binary heap, but checks and matches nothing.
import { encodeEvent, publishFrame } from "../driver/sluice-frames.mjs";
import { quantile } from "../driver/statistics.mjs";
import { rigMaker } from "./rig.mjs";

const NOW = 1e12;
const BATCH = 64;
const BATCHES = 256;
const DEPTHS = [100, 1_000, 10_000, 100_000];
const ORDERINGS = ["FIFO", "PRIORITY", "DEADLINE", "PRIORITY_DEADLINE"];
const STREAMS = 1_000;
const CAPACITY = [16_777_216, 1_073_741_824];

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

/** @typedef {{ push: () => void, pop: () => void }} Subject */

/**
 * @param {import('./rig.mjs').Rig} rig @param {string} ordering @param {number} channels How many are published to in turn.
 * @returns {Subject}
 */
function coreSubject(rig, ordering, channels) {
  const next = random();
  const [source, sink] = [rig.open(), rig.open()];
  const numbers = Array.from({ length: channels }, (_, index) => {
    const channel = rig.channel(`c${index}`);
    if (ordering === "WINDOW") rig.core.channelWindow(channel, 1, 2 + (index % 7), 1_000_000);
    rig.source(source, channel);
    rig.sink(sink, channel);
    return channel;
  });
  rig.core.inboxSet(sink, CAPACITY[0] ?? 0, CAPACITY[1] ?? 0, 0, rig.constant(`ORDERING_${ordering}`), 0);
  const payload = Buffer.alloc(100, "x");
  const frames = Array.from({ length: BATCHES }, (_, batch) => {
    const events = Array.from({ length: BATCH }, () => {
      const given = { channel: "", payload, priority: next() % 10, ttlMs: 200 + (next() % 16_000) };
      return encodeEvent(given, "/bench/10");
    });
    if (channels === 1) return publishFrame(numbers[0] ?? 0, events);
    return Buffer.concat(
      events.map((event, index) => publishFrame(numbers[(batch * BATCH + index) % channels] ?? 0, [event])),
    );
  });
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

/** @returns {Subject} */
function plainSubject() {
  const next = random();
  const events = Array.from({ length: BATCHES * BATCH }, () => ({
    priority: next() % 10,
    deadline: 200 + (next() % 16_000),
  }));
  /** @type {{ priority: number, deadline: number, arrival: number, bytes: Uint8Array }[]} */
  const heap = [];
  const before = (/** @type {typeof heap[number]} */ a, /** @type {typeof heap[number]} */ b) =>
    a.priority !== b.priority
      ? a.priority > b.priority
      : a.deadline !== b.deadline
        ? a.deadline < b.deadline
        : a.arrival < b.arrival;
  const landing = new Uint8Array(140);
  const out = new Uint8Array(1 << 20);
  let arrivals = 0;
  const at = (/** @type {number} */ place) => /** @type {typeof heap[number]} */ (heap[place]);
  return {
    push() {
      for (let n = 0; n < BATCH; n++) {
        const { priority, deadline } = /** @type {typeof events[number]} */ (events[arrivals % events.length]);
        const entry = { priority, deadline, arrival: arrivals++, bytes: landing.slice() };
        let place = heap.length;
        heap.push(entry);
        while (place > 0 && before(entry, at((place - 1) >> 1))) {
          heap[place] = at((place - 1) >> 1);
          place = (place - 1) >> 1;
        }
        heap[place] = entry;
      }
    },
    pop() {
      let used = 0;
      for (let n = 0; n < BATCH; n++) {
        const first = at(0);
        out.set(first.bytes, used);
        used += first.bytes.length;
        const last = /** @type {typeof heap[number]} */ (heap.pop());
        let place = 0;
        for (let child = 1; child < heap.length; child = place * 2 + 1) {
          if (child + 1 < heap.length && before(at(child + 1), at(child))) child++;
          if (!before(at(child), last)) break;
          heap[place] = at(child);
          place = child;
        }
        if (heap.length > 0) heap[place] = last;
      }
    },
  };
}

/** @param {Subject} subject @param {number} depth @param {number} rounds @param {number} batches @returns {number} ns per event. */
function measure({ push, pop }, depth, rounds, batches) {
  for (let count = 0; count < depth; count += BATCH) push();
  const turn = () => {
    push();
    pop();
  };
  for (let n = 0; n < batches; n++) turn();
  const samples = Array.from({ length: rounds }, () => {
    const start = performance.now();
    for (let n = 0; n < batches; n++) turn();
    return ((performance.now() - start) * 1e6) / (batches * BATCH);
  });
  // Whatever else the machine does only adds: the quietest quarter tells what it costs.
  return quantile(samples, 0.25);
}

/**
 * Measures every ordering at every depth.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: { ordering: string, depth: number, ns: number }[] }>}
 */
export async function runMailbox({ quick, say }) {
  const make = await rigMaker();
  const [rounds, batches] = quick ? [8, 100] : [24, 400];
  /** @type {{ ordering: string, depth: number, ns: number }[]} */
  const lines = [];
  const note = (/** @type {string} */ ordering, /** @type {number} */ depth, /** @type {Subject} */ subject) => {
    const ns = measure(subject, depth, rounds, batches);
    lines.push({ ordering, depth, ns });
    say(`${ordering}, ${depth} waiting: ${ns.toFixed(1)} ns per event in and out`);
  };
  for (const depth of DEPTHS) {
    for (const ordering of ORDERINGS) note(ordering.toLowerCase(), depth, coreSubject(make(), ordering, 1));
    note("plain-js", depth, plainSubject());
  }
  // Publishing to one channel after another costs more by itself: fifo over as many channels tells how much.
  note("fifo-1000-channels", 10_000, coreSubject(make(), "FIFO", STREAMS));
  note("priority-1000-channels", 10_000, coreSubject(make(), "PRIORITY", STREAMS));
  note("window-1000-streams", 10_000, coreSubject(make(), "WINDOW", STREAMS));
  const rows = lines.map(({ ordering, depth, ns }) => ({
    cell: `mailbox-${depth}`,
    peer: ordering,
    repetition: 0,
    ns,
  }));
  return { rows, lines };
}
