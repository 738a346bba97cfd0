// The contract that is measured: 12 regions over 16 conditions, as an operator would write it and as closures.

/** What the conditions begin with. @type {Readonly<Record<string, number | boolean | string>>} */
export const INITIAL = Object.freeze({
  p99: 20,
  load: 0.3,
  memory: 0.5,
  lag: 2,
  rate: 500,
  errors: 0,
  depth: 10,
  dropped: 0,
  missed: 0,
  sinks: 8,
  hosts: 3,
  battery: 0.9,
  credit: 1_000,
  age: 5,
  manual: false,
  mode: "full",
});

/** What holds in four situations beside the initial values, and the path that follows. @type {readonly { path: string, values: Record<string, number | boolean | string> }[]} */
export const SITUATIONS = Object.freeze([
  { path: "normal/steady", values: {} },
  { path: "normal/busy", values: { rate: 5_000 } },
  { path: "degraded/lossy", values: { p99: 80, missed: 20 } },
  { path: "down/lost", values: { p99: 900, memory: 0.95 } },
]);

/** What changes between two evaluations, and never the path. */
export const TICKING = "age";

/** @typedef {Record<string, number | boolean | string>} Values @typedef {{ name: string, when?: string, holds: (values: any) => boolean, regions?: readonly Region[] }} Region */

/** Each predicate twice: for the core, and as a function of the snapshot. @type {readonly Region[]} */
export const REGIONS = Object.freeze([
  {
    name: "normal",
    when: "p99 < 50 AND load < 0.8 AND age < 1000",
    holds: (v) => v.p99 < 50 && v.load < 0.8 && v.age < 1000,
    regions: [
      { name: "idle", when: "rate < 10", holds: (v) => v.rate < 10 },
      { name: "steady", when: "rate < 1000 AND errors < 5", holds: (v) => v.rate < 1000 && v.errors < 5 },
      { name: "busy", holds: () => true },
    ],
  },
  {
    name: "degraded",
    when: "p99 < 500 AND memory < 0.9 AND lag <= 100",
    holds: (v) => v.p99 < 500 && v.memory < 0.9 && v.lag <= 100,
    regions: [
      { name: "saving", when: "mode = 'eco'", holds: (v) => v.mode === "eco" },
      { name: "deep", when: "depth > 1000 AND credit > 0", holds: (v) => v.depth > 1000 && v.credit > 0 },
      { name: "lossy", holds: () => true },
    ],
  },
  {
    name: "down",
    holds: () => true,
    regions: [
      { name: "alone", when: "hosts < 2 AND sinks > 0", holds: (v) => v.hosts < 2 && v.sinks > 0 },
      { name: "kept", when: "manual", holds: (v) => v.manual },
      {
        name: "lost",
        when: "battery > 0.1 OR dropped > 0 OR missed > 10",
        holds: (v) => v.battery > 0.1 || v.dropped > 0 || v.missed > 10,
      },
    ],
  },
]);

/** The contract as it is PUT. @param {readonly Region[]} regions @returns {{ name: string }[]} */
export const regionsOf = (regions) =>
  regions.map(({ name, when, regions: children }) => ({
    name,
    ...(when === undefined ? {} : { when }),
    ...(children === undefined ? {} : { regions: regionsOf(children) }),
  }));
