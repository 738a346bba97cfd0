// Ten thousand sinks with different filters on one channel, of which an event selects ten; beside a channel with just ten sinks.
import { setTimeout as sleep } from "node:timers/promises";
import { startSluiceOverTcp } from "../peers/sluice.mjs";
import { Flow } from "./flow.mjs";
import { cpuSeconds, writesOf } from "./process.mjs";
import { median } from "./statistics.mjs";

const GROUP = 10;
const PAYLOAD_BYTES = 100;
const READ_BYTES = 4096;
/** Connections that are opened at the same time. */
const PARALLEL = 64;
const ARRIVAL_MS = 10_000;
/** Groups of events that are published one by one to count writes, of which the median counts: collecting garbage writes, too. */
const COUNTED_GROUPS = 10;
const GROUP_EVENTS = 50;

/**
 * @typedef {object} ManyResult
 * @property {number} filteredPerMillion CPU seconds per million events, batched, on the channel with all the filters.
 * @property {number} plainPerMillion On the channel with ten sinks that want everything.
 * @property {number} writesPerEvent Calls that write, per event, one event at a time; ten is one per sink that gets it.
 * @property {number} plainWritesPerEvent
 * @property {number} unwanted Deliveries at sinks that should have had none.
 * @property {number} lost Missing or doubled; must be 0.
 */

/** @param {number} group */
const zoneOf = (group) => `z${String(group).padStart(4, "0")}`;
/** No two sinks share an expression. @param {number} index */
const whereOf = (index) => `zone = '${zoneOf(Math.floor(index / GROUP))}' AND load < 0.9${index % GROUP}`;

/**
 * Measures both channels on one process, in turn.
 *
 * @param {number} subscribers A multiple of ten.
 * @param {number} seconds Measured time of each.
 * @returns {Promise<ManyResult>}
 * @throws {Error} When a connection fails, or an event does not arrive.
 */
export async function measureManySinks(subscribers, seconds) {
  const peer = await startSluiceOverTcp();
  const want = { payloadBytes: PAYLOAD_BYTES, readBytes: READ_BYTES };
  /** @type {import('../peers/peer.mjs').Sink[]} */
  const all = [];
  try {
    const plain = await openAll(GROUP, () => peer.openSink(["plain0"], { ...want, readBytes: 262_144 }));
    all.push(...plain);
    const many = await openAll(subscribers, (index) => peer.openSink(["many00"], { ...want, where: whereOf(index) }));
    all.push(...many);
    const group = Math.floor(subscribers / GROUP / 2);
    const chosen = many.slice(group * GROUP, (group + 1) * GROUP);
    const plainSource = await peer.openSource(["plain0"]);
    const manySource = await peer.openSource(["many00"]);
    const cost = (
      /** @type {typeof plain} */ sinks,
      /** @type {typeof plainSource} */ source,
      /** @type {string} */ channel,
    ) => costOf(peer.pid, sinks, source, channel, zoneOf(group), seconds);
    const plainPerMillion = await cost(plain, plainSource, "plain0");
    const filtered = await cost(chosen, manySource, "many00");
    const counts = many.map((sink) => sink.count());
    const expected = filtered.sent;
    const unwanted = counts.reduce((sum, count, index) => sum + (Math.floor(index / GROUP) === group ? 0 : count), 0);
    const lost = chosen.reduce((sum, sink) => sum + Math.abs(expected - sink.count()), 0);
    const groups = subscribers / GROUP;
    const writesPerEvent = await countWrites(peer.pid, manySource, "many00", (index) => {
      const turn = (index * 7) % groups;
      return { zone: zoneOf(turn), sinks: many.slice(turn * GROUP, (turn + 1) * GROUP) };
    });
    const plainWritesPerEvent = await countWrites(peer.pid, plainSource, "plain0", () => ({
      zone: zoneOf(0),
      sinks: plain,
    }));
    return {
      filteredPerMillion: filtered.perMillion,
      plainPerMillion: plainPerMillion.perMillion,
      writesPerEvent,
      plainWritesPerEvent,
      unwanted,
      lost,
    };
  } finally {
    for (const { wire } of all) wire.close();
    await peer.end();
  }
}

/**
 * Opens sinks, some at a time.
 *
 * @param {number} count @param {(index: number) => Promise<import('../peers/peer.mjs').Sink>} open
 */
async function openAll(count, open) {
  /** @type {import('../peers/peer.mjs').Sink[]} */
  const sinks = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) sinks[index] = await open(index);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, count) }, worker));
  return sinks;
}

/** @param {string} zone */
const attributesOf = (zone) => ({ zone, load: 0.5 });

/**
 * CPU per million events of one zone, as fast as the sinks take them.
 *
 * @param {number} pid @param {readonly import('../peers/peer.mjs').Sink[]} sinks @param {import('../peers/peer.mjs').Source} source
 * @param {string} channel @param {string} zone @param {number} seconds
 */
async function costOf(pid, sinks, source, channel, zone, seconds) {
  /** @type {import('./flow.mjs').Load} */
  const load = {
    payloadBytes: PAYLOAD_BYTES,
    fanOut: GROUP,
    writes: "batched",
    vary: () => ({ attributes: attributesOf(zone) }),
  };
  const flow = new Flow(sinks, [source], load, [channel]);
  flow.pump();
  await sleep(300);
  const before = { cpu: cpuSeconds(pid).total, events: flow.delivered() };
  await sleep(seconds * 1000);
  const cpu = cpuSeconds(pid).total - before.cpu;
  const events = flow.delivered() - before.events;
  await flow.stop();
  for (const { wire } of sinks) wire.onProgress = null;
  return { perMillion: (cpu / events) * 1e6, sent: flow.sent };
}

/**
 * Publishes events one by one, each once the one before has arrived everywhere, and counts the host's writes.
 *
 * @param {number} pid @param {import('../peers/peer.mjs').Source} source @param {string} channel
 * @param {(index: number) => { zone: string, sinks: readonly import('../peers/peer.mjs').Sink[] }} turnOf
 * @returns {Promise<number>} Writes per event.
 */
async function countWrites(pid, source, channel, turnOf) {
  const payload = Buffer.alloc(PAYLOAD_BYTES, "x");
  const marks = [writesOf(pid)];
  for (let i = 0; i < COUNTED_GROUPS * GROUP_EVENTS; i++) {
    const { zone, sinks } = turnOf(i);
    const counts = sinks.map((sink) => sink.count());
    const arrived = () => sinks.every((sink, index) => sink.count() > Number(counts[index]));
    source.wire.socket.write(source.encode([{ channel, payload, attributes: attributesOf(zone) }], 1));
    const deadline = performance.now() + ARRIVAL_MS;
    while (!arrived()) {
      if (performance.now() > deadline) throw new Error(`Event ${i} did not reach its ${sinks.length} sinks`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if ((i + 1) % GROUP_EVENTS === 0) marks.push(writesOf(pid));
  }
  return median(marks.slice(1).map((mark, index) => (mark - Number(marks[index])) / GROUP_EVENTS));
}
