/**
 * Video under overload, with and without a contract: `node examples/adaptive-video/run.mjs --help`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { plotsOf } from "./plots.mjs";
import { simulate } from "./simulate.mjs";

const HELP = `Usage: node examples/adaptive-video/run.mjs [options]

Cameras say more than their viewer can take, for a while. A contract has a host send key frames only, by their deadlines, and all again
when that is over. 30 s of virtual time around a real host: takes seconds.

  --seed N           another start of the host's own choices (1)
  --out DIR          writes the numbers (results.json) and the plots (SVG) there, too
`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
  },
});

if (values.help) process.stdout.write(HELP);
else {
  const runs = [];
  for (const governed of [false, true]) runs.push(await simulate({ governed, seed: Number(values.seed) }));
  for (const { governed, samples, transitions } of runs) {
    const most = Math.round(Math.max(...samples.map(({ lagMs }) => lagMs)));
    console.log(`${governed ? "With" : "Without"} the contract: frames are up to ${most} ms old`);
    for (const { atS, to, why } of transitions) console.log(`  ${atS.toFixed(1)} s: ${to} (${why})`);
  }
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(
      join(values.out, "results.json"),
      `${JSON.stringify({ seed: Number(values.seed), runs }, null, 2)}\n`,
    );
    for (const [name, svg] of Object.entries(plotsOf(runs))) writeFileSync(join(values.out, name), svg);
    console.log(`Wrote results.json and the plots to ${values.out}`);
  }
}
