// What is compared in the paper's Figure 7: a filter that lets an event go to all of eight sinks, to one, or to none.

export const SINKS = 8;
export const CHANNEL = "fig700";
export const PAYLOAD_BYTES = 100;
export const EVENTS_PER_SECOND = 2_000;
/** Before each slice: what was bound just now is met for the first time, here and there. */
export const WARM_EVENTS = 50;
/** A round goes through the modes that often, a slice of each: what the machine does meanwhile lasts for seconds and meets all of them. */
const SLICES = 8;
/** Rounds of slices before anything is told, for the compilers of the runtime. */
export const WARM_ROUNDS = 1;

/** @typedef {{ way: 'all' | 'one' | 'none', route: object | null, sinks: number }} Mode */

/** @type {readonly Mode[]} */
export const MODES = Object.freeze([
  { way: "all", route: null, sinks: SINKS },
  { way: "one", route: { orderBy: "sink.load", limit: 1 }, sinks: 1 },
  { way: "none", route: { where: "priority > 7" }, sinks: 0 },
]);

/**
 * Every mode in slices, forwards and backwards in turn.
 *
 * @param {number} rounds Without those that warm.
 * @returns {Generator<{ round: number, mode: Mode }>} Below 0 are rounds that warm.
 */
export function* rotation(rounds) {
  for (let slice = -WARM_ROUNDS * SLICES; slice < rounds * SLICES; slice++) {
    for (const mode of slice % 2 === 0 ? MODES : [...MODES].reverse())
      yield { round: Math.floor(slice / SLICES), mode };
  }
}

/**
 * Adds slices up to rounds.
 *
 * @param {number} events Of one slice.
 * @returns {{ add: (round: number, way: string, us: number) => void, told: () => { round: number, way: string, us: number }[] }} `add` takes the CPU µs of
 *   a whole slice, `told` gives them per event.
 */
export function rounds(events) {
  /** @type {Map<string, { round: number, way: string, us: number }>} */
  const sums = new Map();
  return {
    add(round, way, us) {
      if (round < 0) return;
      const key = `${round} ${way}`;
      const sum = sums.get(key) ?? { round, way, us: 0 };
      sum.us += us / (events * SLICES);
      sums.set(key, sum);
    },
    told: () => [...sums.values()],
  };
}
