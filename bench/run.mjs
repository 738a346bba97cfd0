// `npm run bench`: runs the cells, peers innermost, and writes results as JSON and as a page. README.md explains.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { listCells, scales } from "./cells.mjs";
import { judge } from "./goals.mjs";
import { starters } from "./peers/registry.mjs";
import { describeMachine } from "./report/machine.mjs";
import { writePage } from "./report/page.mjs";
import { goalTable, short, summarize } from "./report/summary.mjs";
import { suites } from "./suites.mjs";

const RESULTS = path.join(import.meta.dirname, "results");
const USAGE = `Usage: npm run bench -- [options]
  --quick         at most 3 minutes: one repetition of shorter cells
  --only a,b      cells or suites whose name begins so, e.g. --only tput,conc-100-f8,core
  --reps n        repetitions, 5 unless said (the median is what counts)
  --nightly       also mosquitto and aedes
  --out DIR       where results go, bench/results unless said
  --list          names all cells and suites`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    reps: { type: "string" },
    nightly: { type: "boolean", default: false },
    out: { type: "string", default: RESULTS },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const scale = options.quick ? scales.quick : scales.full;
const repetitions = Number(options.reps ?? (options.quick ? 1 : 5));
const wanted = (/** @type {string} */ id) =>
  !options.only || options.only.split(",").some((prefix) => id.startsWith(prefix));
const cells = listCells({ nightly: options.nightly }).filter(({ id }) => wanted(id));
const extra = suites.filter(({ id }) => wanted(id));

if (options.help || options.list || !(repetitions >= 1) || cells.length + extra.length === 0) {
  const known = [...listCells({ nightly: options.nightly }), ...suites].map(
    ({ id, title }) => `  ${id.padEnd(20)} ${title}`,
  );
  console.log(options.list ? known.join("\n") : USAGE);
  process.exit(options.help || options.list ? 0 : 2);
}
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/** @type {Map<string, import('./peers/peer.mjs').Peer>} */
const peers = new Map();
/** What was left out, and why. @type {{ what: string, why: string }[]} */
const skipped = [];
/** @type {Record<string, string>} */
const versions = {};
const shared = new Set(cells.filter(({ alone }) => !alone).flatMap((cell) => cell.peers));

/** Every repetition has processes of its own: repetitions are then independent, and each begins with an idle one. */
async function startPeers() {
  for (const name of shared) {
    try {
      const peer = await /** @type {() => Promise<import('./peers/peer.mjs').Peer>} */ (starters[name])();
      peers.set(name, peer);
      versions[peer.name] = peer.version;
      say(`started ${name} ${peer.version}, ${short(peer.idleBytes / 2 ** 20)} MiB idle`);
    } catch (error) {
      // What cannot start now will not start at the next repetition either.
      shared.delete(name);
      skipped.push({ what: name, why: /** @type {Error} */ (error).message.split("\n")[0] ?? "" });
      say(`SKIPPED ${name}: ${/** @type {Error} */ (error).message}`);
    }
  }
}

/** @type {import('./goals.mjs').Row[]} */
const rows = [];
const startedAt = performance.now();
for (let repetition = 0; repetition < repetitions; repetition++) {
  await startPeers();
  for (const cell of cells) {
    if (repetition >= (cell.repetitionsMax ?? repetitions)) continue;
    // Every other repetition runs the peers backwards, so that none of them is always the one after a certain other.
    const order = repetition % 2 === 0 ? cell.peers : [...cell.peers].reverse();
    for (const name of order) await runOne(cell, name, repetition);
  }
  for (const peer of peers.values()) await peer.end();
  peers.clear();
}

/** @param {import('./cells.mjs').Cell} cell @param {string} name @param {number} repetition */
async function runOne(cell, name, repetition) {
  const peer = peers.get(name);
  if (peer === undefined && !cell.alone) return;
  const place = { cell: cell.id, peer: name, repetition, idleBytes: peer?.idleBytes ?? 0 };
  try {
    const measures = await cell.run(/** @type {import('./peers/peer.mjs').Peer} */ (peer), scale);
    rows.push({ ...place, ...measures });
    const told = Object.entries(measures).filter(([measure]) =>
      /PerMillion$|PerSecond$|PerUpdate$|PerEvent$|Percent$|Us$|Ms$|bytesPer|lost|peak|unaccounted/.test(measure),
    );
    say(
      `${repetition + 1}/${repetitions} ${cell.id} ${name}: ${told.map(([measure, value]) => `${measure} ${short(Number(value))}`).join(", ")}`,
    );
  } catch (error) {
    rows.push({ ...place, failed: /** @type {Error} */ (error).message });
    say(`${repetition + 1}/${repetitions} ${cell.id} ${name} FAILED: ${/** @type {Error} */ (error).message}`);
  }
}

/** @type {Record<string, unknown>} */
const extraResults = {};
/** @type {import('./goals.mjs').Row[]} */
const extraRows = [];
for (const suite of extra) {
  say(`suite ${suite.id}: ${suite.title}`);
  try {
    const { result, rows: more, skipped: left = [] } = await suite.run({ quick: options.quick, say });
    skipped.push(...left);
    extraResults[suite.id] = result;
    extraRows.push(...more);
  } catch (error) {
    skipped.push({ what: suite.id, why: /** @type {Error} */ (error).message });
    say(`SKIPPED ${suite.id}: ${/** @type {Error} */ (error).stack}`);
  }
}

const verdicts = judge([...rows, ...extraRows]);
const titles = new Map(cells.map(({ id, title }) => [id, title]));
const result = {
  format: 1,
  machine: describeMachine(),
  options: { ...options, repetitions },
  minutes: Math.round((performance.now() - startedAt) / 6000) / 10,
  versions,
  skipped,
  goals: verdicts,
  lines: summarize(rows, titles),
  ...extraResults,
  rows,
};
mkdirSync(options.out, { recursive: true });
const file = path.join(options.out, `${result.machine.date.replace(/[:.]/g, "-")}.json`);
writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
writePage(path.join(options.out, "index.html"), result);
console.log(goalTable(verdicts.filter(({ verdict }) => verdict !== "not run")));
console.log(`\n${file}\n${path.join(options.out, "index.html")}`);
process.exit(
  verdicts.some(({ verdict }) => verdict === "missed") || rows.some(({ failed }) => failed !== undefined) ? 1 : 0,
);
