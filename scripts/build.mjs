/** `npm run build [-- --force]`: builds everything that is stale, or everything. */
import { parseArgs } from "node:util";
import { runMain } from "./lib/run.mjs";
import { build, stages } from "./lib/stages.mjs";
import { prepare } from "./prepare.mjs";

await runMain(async () => {
  const { values } = parseArgs({ options: { force: { type: "boolean", default: false } } });
  await prepare([]);
  const names = /** @type {import("./lib/stages.mjs").StageName[]} */ (Object.keys(stages));
  const built = await build(names, values);
  process.stderr.write(built.length === 0 ? "Everything is fresh.\n" : `Built ${built.join(", ")}.\n`);
});
