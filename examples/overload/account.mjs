/**
 * What became of each event, by class: counted from what was said and what came, so it needs no trust in the host's own counts.
 */
import { quantileOf } from "../lib/statistics.mjs";
import { classes, streamsOf } from "./mix.mjs";

/**
 * @typedef {object} Line
 * @property {string} name Of the class.
 * @property {number} sent
 * @property {number} met Came in time; without deadlines: came.
 * @property {number} late Came after its time.
 * @property {number} dropped The host told of as dropped.
 * @property {number} waiting None of these: it waits still.
 * @property {number} windows Whole windows, one after the other.
 * @property {number} violated Those of which more was missed than may be.
 * @property {number} p99Ms That 99 % of what came have waited at most.
 */

/**
 * @param {{ sent: ReadonlyMap<string, number>, taken: readonly import("./receiver.mjs").Taken[], dropped: ReadonlyMap<string, number>,
 *   latencyMs: number }} run `latencyMs`: what the way takes, which is not the host's.
 * @returns {Line[]} In the order of the classes.
 * @throws {Error} where an event came twice or was never said: then nothing else counts.
 */
export function accountOf({ sent, taken, dropped, latencyMs }) {
  /** By channel, at each event's number: whether it came in time. @type {Map<string, boolean[]>} */
  const came = new Map([...sent].map(([channel]) => [channel, []]));
  for (const { channel, number, waitedMs, withinMs } of taken) {
    const numbers = came.get(channel) ?? [];
    if (numbers[number] !== undefined || number >= (sent.get(channel) ?? 0))
      throw new Error(`Event ${number} of ${channel} came twice or was never said`);
    numbers[number] = withinMs === null || waitedMs <= withinMs + latencyMs;
  }
  return classes.map(({ name, window }) => {
    const streams = streamsOf().filter(({ of }) => of.name === name);
    const sum = (/** @type {(channel: string) => number} */ count) =>
      streams.reduce((all, { channel }) => all + count(channel), 0);
    const total = sum((channel) => sent.get(channel) ?? 0);
    const all = sum((channel) => Object.keys(came.get(channel) ?? []).length);
    const met = sum((channel) => (came.get(channel) ?? []).filter(Boolean).length);
    const gone = sum((channel) => dropped.get(channel) ?? 0);
    const judged = streams.map(({ channel }) => windowsOf(came.get(channel) ?? [], sent.get(channel) ?? 0, window));
    const mine = new Set(streams.map(({ channel }) => channel));
    return {
      name,
      sent: total,
      met,
      late: all - met,
      dropped: gone,
      waiting: total - all - gone,
      windows: judged.reduce((count, one) => count + one.windows, 0),
      violated: judged.reduce((count, one) => count + one.violated, 0),
      p99Ms: quantileOf(
        taken.filter(({ channel }) => mine.has(channel)).map(({ waitedMs }) => waitedMs),
        0.99,
      ),
    };
  });
}

/**
 * Windows that follow one another from the stream's first event on.
 *
 * @param {readonly boolean[]} inTime By number; absent: it never came. @param {number} sent
 * @param {{ lose: number, of: number } | null} window
 */
function windowsOf(inTime, sent, window) {
  if (window === null) return { windows: 0, violated: 0 };
  const windows = Math.floor(sent / window.of);
  let violated = 0;
  for (let at = 0; at < windows * window.of; at += window.of) {
    const met = inTime.slice(at, at + window.of).filter(Boolean).length;
    if (window.of - met > window.lose) violated++;
  }
  return { windows, violated };
}
