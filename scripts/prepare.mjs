/**
 * The step before every other: installs and builds what is missing or stale, with nothing but Node itself.
 *
 * `npm start` and `npm test` call it, so that each works alone from a clean clone; when all is fresh it costs some
 * milliseconds of hashing. By hand: `node scripts/prepare.mjs`.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { assertNode, install } from "./lib/install.mjs";
import { withLock } from "./lib/lock.mjs";
import { at, root } from "./lib/paths.mjs";
import { runMain } from "./lib/run.mjs";
import { build } from "./lib/stages.mjs";

/** All that runs; type declarations are for whoever imports the package. */
const RUNNABLE = /** @type {const} */ (["core", "bundles", "docs"]);

/**
 * Makes the given stages (see lib/stages.mjs) fresh.
 *
 * @param {readonly import("./lib/stages.mjs").StageName[]} [names] What `sluice` needs to run, by default.
 * @throws {import("./lib/run.mjs").Failure} A sentence that says what stands in the way.
 */
export async function prepare(names = RUNNABLE) {
  const { engines } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  assertNode(process.versions.node, engines.node);
  const waiting = (/** @type {number} */ pid) =>
    process.stderr.write(`Waiting for process ${pid}, which prepares this folder …\n`);
  await withLock(
    at(".prepare.lock"),
    async () => {
      await install(root);
      await build(names);
    },
    waiting,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await runMain(prepare.bind(undefined, RUNNABLE));
