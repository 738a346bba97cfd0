/**
 * `npm test [-- files or options of vitest]`: prepares, runs the tests, ends with the line `N passed, N failed`.
 *
 * The line itself is written by test/setup/closing-line.ts; here is only what happens before and around it.
 */
import { spawn } from "node:child_process";
import { at, root } from "./lib/paths.mjs";
import { runMain } from "./lib/run.mjs";
import { prepare } from "./prepare.mjs";

await runMain(async () => {
  await prepare([]);
  const vitest = at("node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
});
