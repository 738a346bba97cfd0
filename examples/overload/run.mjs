/**
 * One mix of streams under four orderings, at 150 % load: `node examples/overload/run.mjs --help`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runLive } from "./live.mjs";
import { orderings } from "./mix.mjs";
import { plotsOf } from "./plots.mjs";
import { simulate } from "./simulate.mjs";
import { tableOfRuns, tableOfWaits } from "./tables.mjs";

const HELP = `Usage: node examples/overload/run.mjs [options]

Streams that together say 1.5 times what their receiver can take, under the orderings fifo, priority, deadline and window,
and what of each class came in time. In virtual time around a real host: takes seconds.

  --quick            20 s of virtual time instead of 120
  --seed N           another stream of random numbers (1)
  --out DIR          writes the numbers (results.json) and the plot (SVG) there, too
  --live             instead: over real sockets, against a running host
  --host URL         that host (SLUICE_URL, or http://127.0.0.1:7480)
  --seconds N        how long each ordering is to run there (5)
`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
    live: { type: "boolean", default: false },
    host: { type: "string", default: process.env["SLUICE_URL"] ?? "http://127.0.0.1:7480" },
    seconds: { type: "string", default: "5" },
  },
});

if (values.help) process.stdout.write(HELP);
else if (values.live) {
  try {
    await runLive({ url: values.host, seconds: Number(values.seconds), print: (line) => console.log(line) });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
} else await simulateAll(Number(values.seed), values.quick ? 20 : 120, values.out);

/** @param {number} seed @param {number} seconds @param {string | undefined} out */
async function simulateAll(seed, seconds, out) {
  const runs = [];
  for (const ordering of orderings) runs.push(await simulate({ ordering, seconds, seed }));
  console.log(`${tableOfRuns(runs)}\n\n${tableOfWaits(runs)}`);
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "results.json"), `${JSON.stringify({ seed, seconds, runs }, null, 2)}\n`);
  for (const [name, svg] of Object.entries(plotsOf(runs))) writeFileSync(join(out, name), svg);
  console.log(`\nWrote results.json and the plot to ${out}`);
}
