/**
 * `npm start [-- options of sluice serve]`: prepares, then becomes `sluice serve --host-load …`.
 *
 * The service runs in this very process: signals, exit code and terminal are its own.
 */
import { pathToFileURL } from "node:url";
import { at } from "./lib/paths.mjs";
import { runMain } from "./lib/run.mjs";
import { prepare } from "./prepare.mjs";

await runMain(async () => {
  await prepare();
  const entry = at("dist", "sluice.js");
  process.argv.splice(1, process.argv.length - 1, entry, "serve", ...process.argv.slice(2));
  await import(pathToFileURL(entry).href);
});
