// What a module that does its worst costs the others: how fast a pair on a channel of its own talks while events go through another
// channel, once without a filter, once by a module that never ends, once by one that uses all its fuel in each call.
import { setTimeout as sleep } from "node:timers/promises";
import { bindFilter } from "../driver/bind.mjs";
import { openMembers } from "../driver/members.mjs";
import { sluiceOverTcp } from "../peers/sluice.mjs";
import { startSluice } from "../peers/sluice-process.mjs";
import { BURNS, LOOPS, moduleOf } from "./modules.mjs";
import { upload } from "./upload.mjs";

const BATCH_EVENTS = 64;
const PAYLOAD_BYTES = 100;
/** Of the other channel, a second. */
const BESIDE_EVENTS = 16_000;
const TALK_EVENTS = 1_024_000;
const OUTSTANDING_EVENTS = 16 * BATCH_EVENTS;
/** Until what was saved up of a budget is spent, and how long what comes after it is looked at. */
const SATURATE_MS = 1_000;
const BUDGET_MS = 2_000;
const FUEL = 2_000_000;
const MODULE_BYTES = 1_000;

/** @type {readonly { way: string, title: string, module?: readonly number[] }[]} */
export const BESIDE = Object.freeze([
  { way: "plain", title: "beside a channel without a filter" },
  { way: "loops", title: "beside a module that never ends", module: LOOPS },
  { way: "burns", title: "beside a module that uses all its fuel", module: BURNS },
]);

/** @param {boolean} quick @param {import('../goals.mjs').Row[]} rows */
export async function measureNeighbours(quick, rows) {
  const host = await startSluice();
  /** @type {import('../driver/wire.mjs').Wire[]} */
  const wires = [];
  /** @param {string} channel */
  const pairOn = async (channel) => {
    const sink = await openMembers(host.tcpPort, channel, 0);
    const source = await sluiceOverTcp(host).openSource([channel]);
    const payload = Buffer.alloc(PAYLOAD_BYTES, "x");
    const events = Array.from({ length: BATCH_EVENTS }, () => ({ channel, payload, attributes: { kind: "news" } }));
    wires.push(source.wire, sink.wire);
    return { sink, source, frame: source.encode(events, BATCH_EVENTS) };
  };
  try {
    const talkers = await pairOn("talk00");
    const others = [];
    for (const [index, { way, module }] of BESIDE.entries()) {
      if (module !== undefined) await upload(host.port, `bench.${way}`, moduleOf(MODULE_BYTES, index, module));
      others.push({ way, module, channel: `side${index}0`, ...(await pairOn(`side${index}0`)) });
    }
    const events = TALK_EVENTS / (quick ? 4 : 1);
    await talk(talkers, events);
    for (let repetition = 0; repetition < (quick ? 2 : 7); repetition++) {
      for (const other of repetition % 2 === 0 ? others : [...others].reverse()) {
        const { way, module, channel } = other;
        // Bound anew, so that it is let alone as late as can be.
        if (module !== undefined) {
          await bindFilter(host.port, channel, "out", null);
          await bindFilter(host.port, channel, "out", { module: `bench.${way}`, fuel: FUEL });
        }
        const stop = keepBusy(other);
        const perSecond = await talk(talkers, events);
        await stop();
        rows.push({ cell: "module-neighbour", peer: way, repetition, perSecond });
      }
      const burning = /** @type {typeof others[number]} */ (others.at(-1));
      rows.push({ cell: "module-budget", peer: "burns", repetition, percent: await shareOf(host.port, burning) });
    }
  } finally {
    for (const wire of wires) wire.close();
    await host.end();
  }
}

/** @typedef {{ sink: import('../peers/peer.mjs').Sink, source: import('../peers/peer.mjs').Source, frame: Buffer }} Pair */

/** Publishes as fast as it goes. Returns events a second. @param {Pair} pair @param {number} events */
async function talk({ sink, source, frame }, events) {
  const from = sink.count();
  const startedAt = performance.now();
  for (let sent = 0; sink.count() - from < events; ) {
    while (sent < events && sent - (sink.count() - from) < OUTSTANDING_EVENTS) {
      source.wire.socket.write(frame);
      sent += BATCH_EVENTS;
    }
    await new Promise((resolve) => setImmediate(resolve));
    const { failure } = source.wire;
    if (failure) throw failure;
  }
  return events / ((performance.now() - startedAt) / 1_000);
}

/** Publishes at a pace until it is stopped. @param {Pair} pair @returns {() => Promise<void>} Resolves when all has arrived. */
function keepBusy({ sink, source, frame }) {
  const from = sink.count();
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * BESIDE_EVENTS;
    for (; sent < due; sent += BATCH_EVENTS) source.wire.socket.write(frame);
  }, 4);
  return async () => {
    clearInterval(timer);
    while (sink.count() - from < sent && performance.now() - startedAt < 60_000) await sleep(5);
    if (sink.count() - from !== sent) throw new Error(`${sink.count() - from} events arrived of ${sent} beside`);
  };
}

/** What of a core a module gets in the long run, in per cent: by its fuel or its time, whichever is more. @param {number} port @param {Pair & { way: string }} pair */
async function shareOf(port, pair) {
  const stop = keepBusy(pair);
  const used = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/filters/bench.${pair.way}`);
    const { counters } = /** @type {{ counters: { fuel: number, ns: number } }} */ (await response.json());
    return { ...counters, at: performance.now() };
  };
  await sleep(SATURATE_MS);
  const before = await used();
  await sleep(BUDGET_MS);
  const after = await used();
  await stop();
  return Math.max(after.fuel - before.fuel, after.ns - before.ns) / ((after.at - before.at) * 1e6) / 0.01;
}
