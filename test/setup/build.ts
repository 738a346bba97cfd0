/** Before all tests: builds what is stale, once, so that tests run against the sources as they are. */
import { Failure } from "../../scripts/lib/run.mjs";
import { prepare } from "../../scripts/prepare.mjs";

/** Called by vitest. */
export async function setup(): Promise<void> {
  await prepare(["core", "core-debug"]);
  try {
    await prepare(["bundles", "docs"]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // Half a host still lets the core be tested; but such a run never counts as passed.
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
