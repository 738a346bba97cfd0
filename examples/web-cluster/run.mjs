/**
 * A web server cluster that balances its load by events: `node examples/web-cluster/run.mjs --help`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { figure8, figure9a, figure9b, staleLoad } from "./figures.mjs";
import { runLive } from "./live.mjs";
import { plotsOf } from "./plots.mjs";
import { tableOfFigure8, tableOfFigure9a, tableOfFigure9b, tableOfStaleLoad } from "./tables.mjs";

const HELP = `Usage: node examples/web-cluster/run.mjs [options]

Simulates the web server cluster of the KECho paper, all of whose decisions a real host makes, and prints the paper's
figures 8 and 9 and how policies do on old loads. Takes some minutes.

  --quick            shorter runs and fewer of them: some seconds
  --seed N           another stream of random numbers (1)
  --out DIR          writes the numbers (results.json) and plots (SVG) there, too
  --live             instead: eight servers and their clients over real sockets, against a running host
  --host URL         that host (SLUICE_URL, or http://127.0.0.1:7480)
  --seconds N        how long it is to run (10)
`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
    live: { type: "boolean", default: false },
    host: { type: "string", default: process.env["SLUICE_URL"] ?? "http://127.0.0.1:7480" },
    seconds: { type: "string", default: "10" },
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
} else await simulateAll(Number(values.seed), values.quick, values.out);

/** @param {number} seed @param {boolean} isQuick @param {string | undefined} out */
async function simulateAll(seed, isQuick, out) {
  const seconds = isQuick ? 30 : 60;
  const rounds = isQuick ? 1 : 3;
  const say = (/** @type {string} */ title, /** @type {string} */ text) => console.log(`\n${title}\n\n${text}`);

  const rates = isQuick ? [20, 26, 33, 50] : [20, 23, 26, 28, 30, 33, 36, 40, 45, 50];
  const eight = await figure8({ rates, seconds, rounds, seed });
  say(`Figure 8: one of 8 servers gets more and more requests, of 38 ms each; ${seconds} s`, tableOfFigure8(eight));

  const perSecond = isQuick ? [1, 5] : [0.2, 0.5, 1, 2, 5, 10, 20, 50];
  const nineA = await figure9a({ perSecond, seconds, rounds, seed });
  say("Figure 9a: servers say their load more and more often; 40 requests/s", tableOfFigure9a(nineA));

  const copies = isQuick ? [1, 3] : [1, 2, 3, 4, 5];
  const nineB = await figure9b({ copies, seconds, rounds, seed });
  say("Figure 9b: a request is forwarded to several servers; 40 requests/s, 1 update/s", tableOfFigure9b(nineB));

  const stale = [];
  for (const [utilisation, agesMs] of /** @type {const} */ ([
    [0.6, isQuick ? [1000] : [200, 1000, 5000]],
    [0.8, isQuick ? [] : [200, 1000, 5000]],
  ])) {
    if (agesMs.length === 0) continue;
    const rows = await staleLoad({ utilisation, agesMs, seconds: isQuick ? 40 : 110, seed });
    say(`Any server may take any request, servers busy ${utilisation * 100} % of the time`, tableOfStaleLoad(rows));
    stale.push(rows);
  }
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  const results = { figure8: eight, figure9a: nineA, figure9b: nineB, staleLoad: stale };
  writeFileSync(join(out, "results.json"), `${JSON.stringify({ seed, seconds, ...results }, null, 2)}\n`);
  for (const [name, svg] of Object.entries(plotsOf(results))) writeFileSync(join(out, name), svg);
  console.log(`\nWrote results.json and plots to ${out}`);
}
