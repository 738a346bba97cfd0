/**
 * `npm run schemas [-- --accept]`: formatting, lint and compatibility of schemas/ with its baseline.
 *
 * `--accept` makes the present schemas the baseline: at a release, never to silence a break (see schemas/README.md).
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { baseline, buf } from "./lib/buf.mjs";
import { at } from "./lib/paths.mjs";
import { Failure, runMain } from "./lib/run.mjs";

await runMain(async () => {
  const { values } = parseArgs({ options: { accept: { type: "boolean", default: false } } });
  await step('The schemas are not formatted; run "npx buf format -w" in schemas/', "format", "--diff", "--exit-code");
  await step("The schemas break a rule of lint", "lint");
  if (values.accept) return step("Cannot write the baseline", "build", "--output", baseline);
  if (!existsSync(at("schemas", baseline))) throw new Failure(`schemas/${baseline} is missing; see schemas/README.md`);
  await step("The schemas break the baseline: old clients would misread new hosts", "breaking", "--against", baseline);
});

/**
 * @param {string} complaint
 * @param {string[]} args of buf.
 */
async function step(complaint, ...args) {
  const { code, output } = await buf(...args);
  if (code !== 0) throw new Failure(`${complaint}:\n${output}`);
}
