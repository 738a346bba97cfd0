/**
 * `npm run generate [-- --check]`: writes host/gen/ from schemas/, or says whether what is there is what would be written.
 *
 * The output is committed, so that a build needs no generator; the check keeps it honest.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buf } from "./lib/buf.mjs";
import { filesBelow } from "./lib/hash.mjs";
import { at } from "./lib/paths.mjs";
import { Failure, runMain } from "./lib/run.mjs";

await runMain(async () => {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  if (!values.check) return generate(at("schemas"));
  const folder = mkdtempSync(join(tmpdir(), "sluice-generate-"));
  try {
    // buf.gen.yaml says "../host/gen", from here as from schemas/.
    await generate(join(folder, "schemas"));
    const changed = differences(join(folder, "host", "gen"), at("host", "gen"));
    if (changed.length > 0) throw new Failure(`host/gen is stale: ${changed.join(", ")}. Run "npm run generate"`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** @param {string} base Folder that paths in buf.gen.yaml are relative to. */
async function generate(base) {
  const { code, output } = await buf("generate", "--output", base);
  if (code !== 0) throw new Failure(`Cannot generate from schemas/:\n${output}`);
}

/**
 * Names of files that are in one folder only, or differ.
 *
 * @param {string} wanted
 * @param {string} found
 * @returns {string[]}
 */
function differences(wanted, found) {
  /** @type {(folder: string) => Map<string, string>} */
  const read = (folder) =>
    new Map(filesBelow(folder).map((file) => [relative(folder, file), readFileSync(file, "utf8")]));
  const [a, b] = [read(wanted), read(found)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name));
}
