/** `npm run soak [-- --minutes N]`: prepares, then runs bench/soak.mjs in this process. */
import { pathToFileURL } from "node:url";
import { at } from "./lib/paths.mjs";
import { runMain } from "./lib/run.mjs";
import { prepare } from "./prepare.mjs";

await runMain(async () => {
  await prepare();
  await import(pathToFileURL(at("bench", "soak.mjs")).href);
});
