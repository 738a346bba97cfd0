/** `npm run bench [-- options]`: prepares, then runs bench/run.mjs in this process; `-- --help` lists its options. */
import { pathToFileURL } from "node:url";
import { at } from "./lib/paths.mjs";
import { runMain } from "./lib/run.mjs";
import { prepare } from "./prepare.mjs";

await runMain(async () => {
  await prepare();
  await import(pathToFileURL(at("bench", "run.mjs")).href);
});
