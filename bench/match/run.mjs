// Events against a thousand to a million subscriptions, by the index and by asking every subscription: µs per event.
//
// In one process, no sockets. What is timed is the core taking a frame of events: reading, storing, finding who wants them, and
// putting them into inboxes. Both ways do the same but for the finding, and must find the same. Once the events go to all who want
// them; once a route keeps each from all of these. A channel beside it has as many sinks as want an event and the same route, but nothing
// to be found: the difference is what finding costs.
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
 * @typedef {{ scannedUs: number, indexedUs: number, deliveries: number, differences: number }} Round
 * @typedef {{ mix: string, subscriptions: number, indexedUs: number, scannedUs: number, ratio: number, findUs: number, publishUs: number, publishRatio: number,
 *   matches: number, bytesPerSubscription: number, addUs: number, removeUs: number }} Line Of `ratio` how many times faster the index is;
 *   `publish…` of events that go to all who want them, the others of events that go to nobody; `find…` of these without reading, storing and
 *   listing the found ones.
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
 * Runs all cases. One that the core has no room for is left out.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: Line[], skipped: { what: string, why: string }[] }>} Of rows the repetition is a round over the same subscriptions.
 */
export async function runMatch({ quick, say }) {
  const make = await rigMaker();
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  const lines = [];
  /** @type {{ what: string, why: string }[]} */
  const skipped = [];
  for (const one of casesFor(quick)) {
    const cell = `match-${one.mix}-${one.subscriptions}`;
    try {
      const { line, ...measured } = runCase(make, one, quick);
      rows.push(...measured.rows.map((row) => ({ cell, ...row })));
      lines.push(line);
      say(sentenceOf(line));
    } catch (error) {
      // A million may be more than this build of the core has room for; the others still count.
      const why = /** @type {Error} */ (error).message;
      if (!why.includes("refuses")) throw error;
      skipped.push({ what: cell, why });
      say(`SKIPPED ${cell}: ${why}`);
    }
  }
  return { rows, lines, skipped };
}

/** @param {Awaited<ReturnType<typeof rigMaker>>} make @param {Case} one @param {boolean} quick */
function runCase(make, one, quick) {
  const rig = make({ memoryBytes: MEMORY_BYTES, storeBytes: STORE_BYTES });
  const subject = openSubject(rig, { ...one, batches: BATCHES, churn: true });
  const rounds = roundsOf(subject, one.batchEvents, { rounds: quick ? 3 : 7, budgetMs: quick ? 40 : 70 });
  const rows = rounds.flatMap(({ all, found, findUs }, repetition) => [
    { peer: "find", repetition, us: findUs },
    { peer: "indexed", repetition, us: found.indexedUs },
    { peer: "scanned", repetition, us: found.scannedUs },
    { peer: "publish-indexed", repetition, us: all.indexedUs },
    { peer: "publish-scanned", repetition, us: all.scannedUs },
  ]);
  const { bytesPerSubscription, addUs, removeUs } = subject;
  const line = {
    mix: one.mix,
    subscriptions: one.subscriptions,
    indexedUs: median(rounds.map(({ found }) => found.indexedUs)),
    scannedUs: median(rounds.map(({ found }) => found.scannedUs)),
    ratio: median(rounds.map(({ found }) => found.scannedUs / found.indexedUs)),
    findUs: median(rounds.map(({ findUs }) => findUs)),
    publishUs: median(rounds.map(({ all }) => all.indexedUs)),
    publishRatio: median(rounds.map(({ all }) => all.scannedUs / all.indexedUs)),
    matches: median(rounds.map(({ all }) => all.deliveries)) / one.batchEvents,
    bytesPerSubscription,
    addUs,
    removeUs,
  };
  // Deliveries by which index and scan differ: there must be none.
  const differences = rounds.reduce((sum, { all, found }) => sum + all.differences + found.differences, 0);
  return {
    line,
    rows: [...rows, { peer: "index", repetition: 0, bytesPerSubscription, addUs, removeUs, differences }],
  };
}

/**
 * Publishes batches in both ways in turn: to all who want them, then to none of these.
 *
 * @param {import('./subject.mjs').Subject} subject @param {number} batchEvents @param {{ rounds: number, budgetMs: number }} options A round goes on with
 *   each way for a while, for a batch at least.
 */
function roundsOf(subject, batchEvents, options) {
  const rounds = [];
  /** @type {((batch: number) => number) | undefined} */
  let beside;
  // The first round is for the compilers and caches.
  for (let round = -1; round < options.rounds; round++) {
    const all = roundOf(subject, round, options.budgetMs);
    subject.onlyFind(true);
    const found = roundOf(subject, round, options.budgetMs);
    subject.onlyFind(false);
    beside ??= subject.beside(Math.round(all.deliveries / batchEvents));
    const besideUs = lowerQuartile(round + 2, options.budgetMs, beside);
    if (round < 0) continue;
    rounds.push({ all, found, findUs: found.indexedUs - besideUs });
  }
  return rounds;
}

/** @param {import('./subject.mjs').Subject} subject @param {number} round @param {number} budgetMs @returns {Round} */
function roundOf(subject, round, budgetMs) {
  const scanned = subject.publish(round + 1, true);
  const indexed = subject.publish(round + 1, false);
  const differences = Math.abs(scanned.deliveries - indexed.deliveries);
  const [scannedUs, indexedUs] = [true, false].map((isScan) =>
    lowerQuartile(round + 2, budgetMs, (batch) => subject.publish(batch, isScan).us),
  );
  return { scannedUs: Number(scannedUs), indexedUs: Number(indexedUs), deliveries: indexed.deliveries, differences };
}

/** @param {number} first Batch to begin with. @param {number} budgetMs @param {(batch: number) => number} publish */
function lowerQuartile(first, budgetMs, publish) {
  const samples = [];
  const end = performance.now() + budgetMs;
  // At least one, however long that takes.
  for (let batch = first; samples.length === 0 || performance.now() < end; batch++) samples.push(publish(batch));
  return quantile(samples, 0.25);
}

/** @param {Line} line */
function sentenceOf(line) {
  const { mix, subscriptions, indexedUs, scannedUs, ratio, findUs, publishUs, publishRatio, matches } = line;
  const found = `found in ${findUs.toFixed(2)} µs of ${indexedUs.toFixed(2)}, by a scan ${scannedUs.toFixed(1)} µs, ${ratio.toFixed(1)} × faster`;
  const all = `to all ${publishUs.toFixed(2)} µs, ${publishRatio.toFixed(1)} × faster`;
  const each = `${line.bytesPerSubscription.toFixed(0)} B each, add ${line.addUs.toFixed(2)} µs, remove ${line.removeUs.toFixed(2)} µs`;
  return `${mix}, ${subscriptions} subscriptions, ${matches.toFixed(1)} match: ${found}; ${all}; ${each}`;
}
