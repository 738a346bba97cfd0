/**
 * The experiments: Figures 8 and 9 of the KECho paper, and what comes after them. Each gives rows of plain numbers.
 */
import { meanOf, quantileOf } from "../lib/statistics.mjs";
import { balancing, forwarding } from "./channels.mjs";
import { FORWARD_AFTER_MS, NODES, TIMEOUT_MS, WORK_MS } from "./paper.mjs";
import { policies } from "./policies.mjs";
import { simulate } from "./simulate.mjs";

/** Requests per second of the seven others: they are busy for less than 10 % of the time, as the paper assumes of one. */
const BACKGROUND = 2;
/** The node whose clients are too many. */
const BUSY = "web-1";

const settings = {
  forwardAfterMs: FORWARD_AFTER_MS,
  copies: 1,
  cancelOnStart: false,
  updatesPerSecond: 1,
  watch: true,
};

/**
 * The paper's cluster with one node that gets `rate` requests per second.
 *
 * @param {{ rate: number, seconds: number, seed: number, changes?: Partial<import("./server.mjs").ServerSettings> }} options
 */
function cluster({ rate, seconds, seed, changes = {} }) {
  const others = Array.from({ length: NODES - 1 }, (_, index) => ({ perSecond: BACKGROUND, server: index + 2 }));
  return simulate({
    servers: NODES,
    filters: forwarding,
    settings: { ...settings, ...changes },
    arrivals: [{ perSecond: rate, server: 1 }, ...others],
    // "approximately 38 ms"
    work: (random) => WORK_MS * (0.95 + 0.1 * random.next()),
    timeoutMs: TIMEOUT_MS,
    seconds,
    isStaggered: true,
    seed,
  });
}

/**
 * What the load balancer costs host and servers, in wall-clock ms per second of the cluster, by the paper's tasks.
 *
 * @param {readonly import("./simulate.mjs").Run[]} runs The same one several times: of what a frame has cost the least counts, for
 *   the rest is what else the machine has had to do.
 * @param {number} seconds
 */
function overheadOf(runs, seconds) {
  const ms = (/** @type {string[]} */ ...names) => {
    const us = names.map(
      (name) => (runs[0]?.tasks[name]?.count ?? 0) * Math.min(...runs.map(({ tasks }) => tasks[name]?.us ?? 0)),
    );
    return us.reduce((sum, one) => sum + one, 0) / 1000 / seconds;
  };
  return {
    /** Saying one's load: on the monitoring channel, and as an attribute that routes read. */
    submit: ms("publish load", "update", "update, deliver"),
    /** Handing that to all others, who take it in. */
    handle: ms("publish load, deliver", "deliver load"),
    /** The OUT route and what it sends. */
    forward: ms("publish forward", "publish forward, deliver", "deliver forward"),
    /** The IN route, which discards all responses to a request but the first. */
    respond: ms("publish response", "publish response, deliver", "deliver response"),
  };
}

/**
 * Runs all of several variants, and then all of them again: what slows the machine down for a while hits each of them once.
 *
 * @template Variant
 * @param {readonly Variant[]} variants
 * @param {number} rounds
 * @param {(variant: Variant) => Promise<import("./simulate.mjs").Run>} run
 * @returns {Promise<import("./simulate.mjs").Run[][]>} The runs of each.
 */
async function inRounds(variants, rounds, run) {
  /** @type {import("./simulate.mjs").Run[][]} */
  const runs = variants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, variant] of variants.entries()) runs[index]?.push(await run(variant));
  }
  return runs;
}

/**
 * Fig. 8: response times over the rate of requests, without and with forwarding, and what forwarding costs.
 *
 * @param {{ rates: readonly number[], seconds: number, rounds?: number, seed: number }} options
 */
export async function figure8({ rates, seconds, rounds = 1, seed }) {
  const changes = { forwardAfterMs: Number.POSITIVE_INFINITY };
  const without = await inRounds(rates, 1, (rate) => cluster({ rate, seconds, seed, changes }));
  const balanced = await inRounds(rates, rounds, (rate) => cluster({ rate, seconds, seed }));
  return rates.map((rate, index) => {
    const alone = ofBusy(without[index]?.[0]);
    const runs = balanced[index] ?? [];
    const asked = ofBusy(runs[0]);
    const times = (/** @type {string} */ served) => asked.filter((one) => one.served === served).map(({ ms }) => ms);
    return {
      rate,
      withoutMs: meanOf(alone.map(({ ms }) => ms)),
      timedOut: alone.filter(({ served }) => served === "timeout").length / alone.length,
      localMs: meanOf(times("local")),
      // Where hardly anything is forwarded there is nothing to say of it.
      remoteMs: times("remote").length < 10 ? Number.NaN : meanOf(times("remote")),
      lost: times("timeout").length / asked.length,
      forwarded: (runs[0]?.counts.forwarded ?? 0) / asked.length,
      overhead: overheadOf(runs, seconds),
    };
  });
}

/** @param {import("./simulate.mjs").Run | undefined} run */
function ofBusy(run) {
  return (run?.outcomes ?? []).filter(({ server }) => server === BUSY);
}

/** What of a run concerns its costs. @param {readonly import("./simulate.mjs").Run[]} runs The same one. @param {number} seconds */
function costs(runs, seconds) {
  const [{ counts, tasks }] = /** @type {[import("./simulate.mjs").Run]} */ (runs);
  return {
    overhead: overheadOf(runs, seconds),
    loadEvents: counts.loadEvents / seconds,
    loadsHeard: counts.heardLoads / seconds,
    forwarded: counts.forwarded,
    responsesSent: tasks["publish response"]?.count ?? 0,
    responsesUsed: counts.responses,
    cancels: counts.cancels,
    work: counts.busyMs,
  };
}

/** Of the busy server, where something else varies. */
const RATE = 40;

/**
 * Fig. 9a: overhead over the rate at which servers say their load, by events that all others get (as in KECho), and by live
 * attributes only, which the host keeps.
 *
 * @param {{ perSecond: readonly number[], seconds: number, rounds?: number, seed: number }} options
 */
export async function figure9a({ perSecond, seconds, rounds = 1, seed }) {
  const variants = perSecond.flatMap((updatesPerSecond) => [
    { updatesPerSecond, watch: true },
    { updatesPerSecond, watch: false },
  ]);
  const runs = await inRounds(variants, rounds, (changes) => cluster({ rate: RATE, seconds, seed, changes }));
  return perSecond.map((rate, index) => ({
    perSecond: rate,
    events: costs(runs[2 * index] ?? [], seconds),
    attributes: costs(runs[2 * index + 1] ?? [], seconds),
  }));
}

/**
 * Fig. 9b: overhead over the number of servers that a request is forwarded to; and with a cancel, which the paper proposes.
 *
 * @param {{ copies: readonly number[], seconds: number, rounds?: number, seed: number }} options
 */
export async function figure9b({ copies: all, seconds, rounds = 1, seed }) {
  const variants = all.flatMap((copies) => [
    { copies, cancelOnStart: false },
    { copies, cancelOnStart: true },
  ]);
  const runs = await inRounds(variants, rounds, (changes) => cluster({ rate: RATE, seconds, seed, changes }));
  return all.map((copies, index) => ({
    copies,
    ...costs(runs[2 * index] ?? [], seconds),
    withCancel: costs(runs[2 * index + 1] ?? [], seconds),
  }));
}

/**
 * Policies on loads of some age: 8 servers, exponential work of 38 ms, loads told by all at once every `ageMs`.
 *
 * @param {{ utilisation: number, agesMs: readonly number[], seconds: number, seed: number, names?: readonly string[] }} options
 */
export async function staleLoad({ utilisation, agesMs, seconds, seed, names }) {
  const rows = [];
  for (const policy of policies) {
    if (names !== undefined && !names.includes(policy.name)) continue;
    const seen = [];
    // What reads no load is the same at every age.
    for (const ageMs of policy.readsLoad ? agesMs : agesMs.slice(0, 1)) {
      seen.push({ ageMs: policy.readsLoad ? ageMs : null, ...(await underPolicy(policy, ageMs)) });
    }
    rows.push({ policy: policy.name, utilisation, runs: seen });
  }
  return rows;

  /** @param {import("./policies.mjs").Policy} policy @param {number} ageMs */
  async function underPolicy({ route, cancelOnStart, isIdeal = false }, ageMs) {
    const run = await simulate({
      servers: NODES,
      filters: balancing(route),
      settings: {
        forwardAfterMs: Number.POSITIVE_INFINITY,
        copies: 1,
        cancelOnStart,
        updatesPerSecond: isIdeal ? Number.POSITIVE_INFINITY : 1000 / ageMs,
        watch: false,
      },
      arrivals: [{ perSecond: (NODES * utilisation * 1000) / WORK_MS }],
      work: (random) => random.exponential(WORK_MS),
      // Nobody gives up: what is slow is to show.
      timeoutMs: 60_000,
      seconds,
      warmupSeconds: Math.min(10, seconds / 4),
      // Without delay a load is never old, so this one is the ideal that no cluster has.
      latencyMs: isIdeal ? 0 : 0.25,
      seed,
    });
    const times = run.outcomes.map(({ ms }) => ms);
    return {
      requests: times.length,
      meanMs: meanOf(times),
      p99Ms: quantileOf(times, 0.99),
      timedOut: run.outcomes.filter(({ served }) => served === "timeout").length / times.length,
      /** Work done for each work asked for: 1 is none in vain. */
      work: run.counts.busyMs / run.askedMs,
      cancels: run.counts.cancels / run.sent,
    };
  }
}
