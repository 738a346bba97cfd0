/**
 * `npm run ok`: everything that CI checks. `npm run check`: the part that needs no test run, in some seconds.
 *
 * Every step runs even if one before it failed, so that one run tells all; the tree must be left as it was.
 */
import { parseArgs } from "node:util";
import { at } from "./lib/paths.mjs";
import { Failure, run, runMain } from "./lib/run.mjs";
import { changes, treeHashes } from "./lib/tree.mjs";
import { prepare } from "./prepare.mjs";

/** @typedef {{ name: string, args: readonly string[], show?: boolean }} Step `args` of Node; `show`: output as it comes. */

const biome = at("node_modules", "@biomejs", "biome", "bin", "biome");
const tsc = at("node_modules", "typescript", "bin", "tsc");

/** @type {readonly Step[]} */
const quick = [
  { name: "build", args: ["scripts/build.mjs"] },
  { name: "format", args: [biome, "check", "--linter-enabled=false"] },
  { name: "lint", args: [biome, "lint", "--error-on-warnings"] },
  { name: "types", args: [tsc] },
  { name: "types without a runtime", args: [tsc, "-p", "tsconfig.portable.json"] },
  { name: "types of bench", args: [tsc, "-p", "tsconfig.bench.json"] },
  { name: "schemas", args: ["scripts/schemas.mjs"] },
  { name: "generated code", args: ["scripts/generate.mjs", "--check"] },
  { name: "docs", args: ["scripts/docs.mjs", "--check"] },
  { name: "tidy", args: ["scripts/test.mjs", "test/tidy.test.ts"] },
];

/** Tidy is among them. @type {readonly Step[]} */
const full = [
  ...quick.filter(({ name }) => name !== "tidy"),
  { name: "tests", args: ["scripts/test.mjs"], show: true },
];

await runMain(async () => {
  const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
  await prepare([]);
  const before = await treeHashes();
  /** @type {string[]} */
  const failed = [];
  for (const step of values.quick ? quick : full) if (!(await passes(step))) failed.push(step.name);
  const after = await treeHashes();
  if (before === undefined || after === undefined)
    process.stderr.write("–  tree unchanged: not a git repository, not checked\n");
  else {
    const changed = changes(before, after);
    process.stderr.write(`${mark(changed.length === 0)} tree unchanged ${changed.join(", ")}\n`);
    if (changed.length > 0) failed.push("tree unchanged");
  }
  if (failed.length > 0) throw new Failure(`Not ok: ${failed.join(", ")}`);
  process.stderr.write("ok\n");
});

/**
 * @param {Step} step
 * @returns {Promise<boolean>}
 */
async function passes({ name, args, show = false }) {
  const startMs = performance.now();
  const { code, output } = await run(process.execPath, args, { show });
  process.stderr.write(`${mark(code === 0)} ${name} (${((performance.now() - startMs) / 1000).toFixed(1)} s)\n`);
  if (code !== 0) process.stderr.write(output);
  return code === 0;
}

/** @param {boolean} good */
function mark(good) {
  return good ? "ok " : "NOT";
}
