// Events against a thousand to a million subscriptions, by the index and by asking every subscription: µs per event.
//
// In one process, no sockets. What is timed is the core taking a frame of events: reading, storing, finding who wants them, and
// putting them into their inboxes. Both ways do the same but for the finding, and must find the same.
import { rigMaker } from "../core/rig.mjs";
import { median, quantile } from "../driver/statistics.mjs";
import { openSubject } from "./subject.mjs";

const MIB = 1 << 20;
/** Enough for connections, members, programs and inboxes of all subscriptions; pages that nobody touches cost nothing. */
const MEMORY_BYTES = 2047 * MIB;
const STORE_BYTES = 64 * MIB;
const BATCHES = 32;

/**
 * @typedef {{ mix: import('./workload.mjs').Mix, subscriptions: number, batchEvents: number }} Case
 * @typedef {{ mix: string, subscriptions: number, indexedUs: number, scannedUs: number, ratio: number, matches: number,
 *   bytesPerSubscription: number, addUs: number, removeUs: number }} Line
 */

const SIZES = [1_000, 10_000, 100_000];
const MIXES = /** @type {const} */ (["mix", "equal", "ranges"]);
/** A batch has so many events that scanning them takes some tens of milliseconds. @param {number} subscriptions */
const batchEventsFor = (subscriptions) => Math.max(2, Math.min(64, Math.floor(400_000 / subscriptions)));

/** @param {boolean} quick @returns {Case[]} */
function casesFor(quick) {
  const sizes = quick ? SIZES.slice(0, 2) : SIZES;
  const cases = MIXES.flatMap((mix) => sizes.map((subscriptions) => ({ mix, subscriptions })));
  // A million only once: it takes most of a minute to make them.
  if (!quick) cases.push({ mix: "mix", subscriptions: 1_000_000 });
  return cases.map((one) => ({ ...one, batchEvents: batchEventsFor(one.subscriptions) }));
}

/**
 * Runs all cases.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: Line[] }>} Of rows the repetition is a round over the same subscriptions.
 * @throws {Error} Where index and scan do not deliver the same.
 */
export async function runMatch({ quick, say }) {
  const make = await rigMaker();
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  const lines = [];
  for (const one of casesFor(quick)) {
    const { mix, subscriptions, batchEvents } = one;
    const rig = make({ memoryBytes: MEMORY_BYTES, storeBytes: STORE_BYTES });
    const subject = openSubject(rig, { ...one, batches: BATCHES, churn: true });
    const rounds = roundsOf(subject, { rounds: quick ? 3 : 7, budgetMs: quick ? 60 : 200 });
    const cell = `match-${mix}-${subscriptions}`;
    rounds.forEach(({ indexedUs, scannedUs }, repetition) => {
      rows.push({ cell, peer: "indexed", repetition, us: indexedUs });
      rows.push({ cell, peer: "scanned", repetition, us: scannedUs });
    });
    const { bytesPerSubscription, addUs, removeUs } = subject;
    rows.push({ cell, peer: "index", repetition: 0, bytesPerSubscription, addUs, removeUs });
    const line = {
      mix,
      subscriptions,
      indexedUs: median(rounds.map((round) => round.indexedUs)),
      scannedUs: median(rounds.map((round) => round.scannedUs)),
      ratio: median(rounds.map((round) => round.scannedUs / round.indexedUs)),
      matches: median(rounds.map((round) => round.deliveries)) / batchEvents,
      bytesPerSubscription,
      addUs,
      removeUs,
    };
    lines.push(line);
    say(sentenceOf(line));
  }
  return { rows, lines };
}

/**
 * Publishes batches in both ways in turn.
 *
 * @param {import('./subject.mjs').Subject} subject @param {{ rounds: number, budgetMs: number }} options A round takes both at
 *   least one batch, and goes on with the index for a while.
 */
function roundsOf(subject, { rounds, budgetMs }) {
  const found = [];
  for (let round = -1; round < rounds; round++) {
    const scanned = subject.publish(round + 1, true);
    const indexed = subject.publish(round + 1, false);
    if (scanned.deliveries !== indexed.deliveries)
      throw new Error(`The scan delivers ${scanned.deliveries} times, the index ${indexed.deliveries} times`);
    const samples = [];
    const end = performance.now() + budgetMs;
    for (let batch = round; performance.now() < end; batch++) samples.push(subject.publish(batch + 2, false).us);
    // The first round is for the compilers and caches.
    if (round < 0) continue;
    found.push({ scannedUs: scanned.us, indexedUs: quantile(samples, 0.25), deliveries: indexed.deliveries });
  }
  return found;
}

/** @param {Line} line */
function sentenceOf({
  mix,
  subscriptions,
  indexedUs,
  scannedUs,
  ratio,
  matches,
  bytesPerSubscription,
  addUs,
  removeUs,
}) {
  const [indexed, scanned] = [indexedUs.toFixed(2), scannedUs.toFixed(1)];
  return `${mix}, ${subscriptions} subscriptions, ${matches.toFixed(1)} match: index ${indexed} µs, scan ${scanned} µs, ${ratio.toFixed(1)} × faster; ${bytesPerSubscription.toFixed(0)} B each, add ${addUs.toFixed(2)} µs, remove ${removeUs.toFixed(2)} µs`;
}
