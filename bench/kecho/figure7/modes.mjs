// What is compared in the paper's Figure 7: a filter that lets an event go to all of eight sinks, to one, or to none.

export const SINKS = 8;
export const CHANNEL = "fig700";
export const PAYLOAD_BYTES = 100;
export const EVENTS_PER_SECOND = 2_000;
/** Before each measurement: a filter that was bound just now is still being compiled, here and there. */
export const WARM_EVENTS = 200;

/** @typedef {{ way: 'all' | 'one' | 'none', route: object | null, sinks: number }} Mode */

/** @type {readonly Mode[]} */
export const MODES = Object.freeze([
  { way: "all", route: null, sinks: SINKS },
  { way: "one", route: { orderBy: "sink.load", limit: 1 }, sinks: 1 },
  { way: "none", route: { where: "priority > 7" }, sinks: 0 },
]);

/**
 * Every mode, forwards and backwards in turn, so that what drifts drifts for all.
 *
 * @param {number} rounds
 * @returns {Generator<{ round: number, mode: Mode }>}
 */
export function* rotation(rounds) {
  for (let round = 0; round < rounds; round++) {
    for (const mode of round % 2 === 0 ? MODES : [...MODES].reverse()) yield { round, mode };
  }
}
