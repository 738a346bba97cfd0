// A subscriber that can do half of what is published: how old is what is urgent when it is taken?
import { setTimeout as sleep } from "node:timers/promises";
import { PacedSink } from "./paced-sink.mjs";
import { cpuSeconds } from "./process.mjs";
import { numberedPayload } from "./stamp.mjs";
import { median, quantile } from "./statistics.mjs";

const CHANNEL = "subj01";
const IN_PER_SECOND = 40_000;
const TAKEN_PER_SECOND = 20_000;
/** One event in so many is urgent. */
const URGENT_EVERY = 200;
/** Events of one write: what comes in a millisecond. */
const PER_WRITE = IN_PER_SECOND / 1000;
/** What is granted ahead, where the peer knows credit: 3 ms of what is taken. */
const CREDIT_EVENTS = 64;
/** A timer that is late catches up with so much at once. */
const LATE_MS_MAX = 50;
const DRAIN_MS = 5_000;

/**
 * Publishes at twice the pace at which one subscriber takes, then lets it take the rest at the same pace.
 *
 * @param {import('../peers/peer.mjs').Peer} peer
 * @param {{ payloadBytes: number, seconds: number }} options
 * @returns {Promise<{ urgentP50Ms: number, urgentP99Ms: number, otherP50Ms: number, lost: number, cpuPerMillion: number }>}
 *   `lost`: events that never came, came twice, or that the broker said it dropped.
 * @throws {Error} When a connection fails.
 */
export async function measureUrgent(peer, { payloadBytes, seconds }) {
  const total = IN_PER_SECOND * seconds;
  const isUrgent = (/** @type {number} */ number) => number % URGENT_EVERY === 0;
  const sink = await peer.openSink([CHANNEL], {
    payloadBytes,
    inbox: { ordering: "priority", capacityEvents: 1_000_000, capacityBytes: 1 << 28 },
    credit: { events: CREDIT_EVENTS },
  });
  const source = await peer.openSource([CHANNEL]);
  const sentAt = new Float64Array(total);
  const ages = new Float64Array(total).fill(Number.NaN);
  let twice = 0;
  const paced = new PacedSink(sink.wire, sink.consumer, (number) => {
    if (!Number.isNaN(ages[number])) twice++;
    ages[number] = performance.now() - (sentAt[number] ?? Number.NaN);
  });
  sink.wire.stream(paced);
  try {
    const writes = Array.from({ length: total / PER_WRITE }, (_, write) =>
      source.encode(
        Array.from({ length: PER_WRITE }, (_, index) => {
          const number = write * PER_WRITE + index;
          return {
            channel: CHANNEL,
            payload: numberedPayload(payloadBytes, number),
            priority: isUrgent(number) ? 9 : 1,
          };
        }),
        PER_WRITE,
      ),
    );
    const cpuBefore = cpuSeconds(peer.pid).total;
    let written = 0;
    let given = 0;
    const start = performance.now();
    const end = start + (total / TAKEN_PER_SECOND) * 1000 + DRAIN_MS;
    for (let last = start; paced.taken + twice < total && performance.now() < end; ) {
      const now = performance.now();
      for (const due = Math.min(writes.length, now - start); written < due; written++) {
        sentAt.fill(performance.now(), written * PER_WRITE, (written + 1) * PER_WRITE);
        source.wire.socket.write(/** @type {Buffer} */ (writes[written]));
      }
      // What it could not take for want of events is gone: it is no faster afterwards.
      given += (Math.min(now - last, LATE_MS_MAX) * TAKEN_PER_SECOND) / 1000;
      last = now;
      const taken = paced.take(Math.floor(given));
      given = Math.min(given - taken, PER_WRITE);
      if (taken > 0) sink.grant?.({ events: taken });
      const failure = sink.wire.failure ?? source.wire.failure;
      if (failure) throw failure;
      await sleep(1);
    }
    const cpu = cpuSeconds(peer.pid).total - cpuBefore;
    const urgent = [...ages].filter((_, number) => isUrgent(number));
    const others = [...ages].filter((_, number) => !isUrgent(number));
    return {
      urgentP50Ms: median(urgent),
      urgentP99Ms: quantile(urgent, 0.99),
      otherP50Ms: median(others),
      lost: ages.filter(Number.isNaN).length + twice + sink.dropped(),
      cpuPerMillion: (cpu / total) * 1e6,
    };
  } finally {
    for (const { wire } of [source, sink]) wire.close();
    await sleep(100);
  }
}
