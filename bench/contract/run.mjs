// What contracts cost in the core: evaluating one, a pass over many of which few are marked, setting a condition.
//
// In one process, no sockets, no actions; what idle contracts cost events is in idle.mjs. The host makes conditions and contracts; what is timed are calls into its core, as it makes
// them itself.
import path from "node:path";
import { nanosecondsPer } from "../core/batches.mjs";
import { median } from "../driver/statistics.mjs";
import { Closures } from "./closures.mjs";
import { INITIAL, REGIONS, regionsOf, SITUATIONS, TICKING } from "./definition.mjs";
import { IDLE, measureIdle } from "./idle.mjs";

const LIBRARY = path.join(import.meta.dirname, "../../dist/index.js");
/** Contracts that one change marks: what a call costs is shared by so many. */
const TOGETHER = 32;
const FEW = 100;
const MANY = 10_000;
const names = Object.keys(INITIAL);

/** A module of one function, which stores a number in its memory: the least that a write across the boundary can be. */
const STORE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 2, 127, 124, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 9, 1, 5, 115, 116, 111, 114,
  101, 0, 0, 10, 11, 1, 9, 0, 32, 0, 32, 1, 57, 3, 0, 11,
]);

/**
 * Measures everything in turn.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: { way: string, title: string, ns: number, low: number, high: number }[] }>}
 * @throws {Error} Where core and closures are of different minds.
 */
export async function runContract({ quick, say }) {
  const rounds = quick ? 3 : 9;
  const batchMs = quick ? 20 : 60;
  const [core, few, many] = [await open(), await open(), await open()];
  const closures = new Closures(INITIAL);
  for (let i = 0; i < TOGETHER; i++) {
    core.contract(`c${i}`, names);
    closures.add(REGIONS, names);
  }
  for (let i = 0; i < FEW; i++) few.contract(`c${i}`, [TICKING, "load", "p99"]);
  for (let i = 0; i < MANY; i++)
    many.contract(`c${i}`, i % (MANY / FEW) === 0 ? [TICKING, "load", "p99"] : ["load", "p99"]);
  const least = new WebAssembly.Instance(new WebAssembly.Module(STORE)).exports;
  const store = /** @type {(at: number, value: number) => void} */ (least["store"]);

  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  let tick = 0;
  /** What is timed. @type {{ way: string, title: string, steps: number, run: () => void }[]} */
  const passes = [
    { way: "pass-100", title: "a pass over 100 contracts, all marked", steps: 1, run: () => few.step(tick++) },
    { way: "pass-10000", title: "a pass over 10,000, of which 100 are marked", steps: 1, run: () => many.step(tick++) },
  ];
  // One that a single contract observes, which is marked then.
  const single = await open();
  single.contract("c", names);
  const { exports } = single;
  const condition = single.number("credit");
  const writes = [
    {
      way: "store",
      title: "a number stored across the boundary",
      run: (/** @type {number} */ value) => store(64, value),
    },
    {
      way: "set",
      title: "an observed condition set",
      run: (/** @type {number} */ value) => void exports.conditionNumber(condition, value),
    },
  ];
  for (let repetition = -1; repetition < rounds; repetition++) {
    // The first round is for the compilers and is not kept.
    const keep = (/** @type {string} */ peer, /** @type {number} */ ns) => {
      if (repetition >= 0) rows.push({ cell: "contract", peer, repetition, ns });
    };
    const cost = { core: 0, closures: 0 };
    for (const { path: wanted, values } of SITUATIONS) {
      for (const [name, value] of Object.entries({ ...INITIAL, ...values })) {
        core.set(name, value);
        closures.set(name, value);
      }
      core.service.contracts.run();
      closures.pass();
      const found = [core.service.contracts.read("c0").path.join("/"), closures.contracts[0]?.path.at(-1)?.path];
      if (found.some((one) => one !== wanted)) throw new Error(`The paths are ${found.join(" and ")}, not ${wanted}`);
      cost.core += nanosecondsPer(() => core.step(tick++), TOGETHER, batchMs) / SITUATIONS.length;
      const step = () => {
        closures.set(TICKING, tick++ % 512);
        closures.pass();
      };
      cost.closures += nanosecondsPer(step, TOGETHER, batchMs) / SITUATIONS.length;
    }
    keep("core", cost.core);
    keep("closures", cost.closures);
    for (const { way, steps, run } of passes) keep(way, nanosecondsPer(run, steps, batchMs * 2));
    for (const { way, run } of writes) {
      const batch = () => {
        for (let i = 0; i < 1_000; i++) run(i);
      };
      keep(way, nanosecondsPer(batch, 1_000, batchMs));
    }
  }
  const titles = [
    { way: "core", title: "a contract of 12 regions over 16 conditions evaluated, by the core" },
    { way: "closures", title: "the same by closures in JavaScript" },
    ...passes,
    ...writes,
    ...IDLE,
  ];
  for (const { close } of [core, few, many, single]) close();
  await measureIdle(rounds, (peer, repetition, ns) => rows.push({ cell: "contract", peer, repetition, ns }));
  const lines = titles.map(({ way, title }) => {
    const samples = rows.filter(({ peer }) => peer === way).map((row) => Number(row["ns"]));
    return { way, title, ns: median(samples), low: Math.min(...samples), high: Math.max(...samples) };
  });
  for (const { title, ns, low, high } of lines)
    say(`${title}: ${ns.toFixed(1)} ns (${low.toFixed(1)}–${high.toFixed(1)})`);
  return { rows, lines };
}

/** A host with the conditions, of which calls into its core are made. */
async function open() {
  const { createHost } = /** @type {typeof import('../../host/index.ts')} */ (await import(LIBRARY));
  const core = process.env["BENCH_CORE"];
  const host = await createHost(core === undefined ? {} : { core });
  const { service } = host;
  for (const [name, initial] of Object.entries(INITIAL))
    service.conditions.put(name, { kind: "value", initial, observed: true });
  const { exports } = service.core;
  const numbers = new Map(names.map((name) => [name, service.conditions.numberOf(name)]));
  const number = (/** @type {string} */ name) => numbers.get(name) ?? 0;
  const ticking = number(TICKING);
  return {
    service,
    exports,
    number,
    close: () => host.close(),
    set: (/** @type {string} */ name, /** @type {number | boolean | string} */ value) =>
      service.conditions.change([[name, { value }]]),
    /** @param {string} name @param {readonly string[]} observed */
    contract(name, observed) {
      const conditions = Object.fromEntries(names.map((one) => [one, { use: one, observed: observed.includes(one) }]));
      service.contracts.put(name, {
        conditions,
        select: undefined,
        regions: regionsOf(REGIONS),
        order: "nested",
        transitions: [],
      });
    },
    /** Changes one condition, and evaluates what that has marked. @param {number} tick */
    step(tick) {
      exports.conditionNumber(ticking, tick % 512);
      while (exports.contractsNext() !== 0);
    },
  };
}
