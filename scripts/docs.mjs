/**
 * `npm run docs [-- --check]`: writes what pages say from sources, and the index of decisions.
 *
 * A generated part of a page lies between `<!-- generated: NAME -->` and `<!-- end -->`; the rest is written by people. That
 * links resolve is held by `npm run tidy`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { tableOfRuns, tableOfWaits } from "../examples/overload/tables.mjs";
import { adrIndex } from "./lib/adr.mjs";
import { codesPart } from "./lib/docs-codes.mjs";
import { costsPart, moduleLimitsPart } from "./lib/docs-costs.mjs";
import { framesPart } from "./lib/docs-frames.mjs";
import { routesPart, schemasPart } from "./lib/docs-http.mjs";
import { limitsPart } from "./lib/docs-limits.mjs";
import { orderingsPart } from "./lib/docs-orderings.mjs";
import { reasonsPart } from "./lib/docs-reasons.mjs";
import { staleLoadPart } from "./lib/docs-stale-load.mjs";
import { at } from "./lib/paths.mjs";
import { Failure, runMain } from "./lib/run.mjs";
import { prepare } from "./prepare.mjs";

/** By page, by name. @type {Record<string, Record<string, () => string | Promise<string>>>} */
const parts = {
  "docs/errors.md": { codes: codesPart },
  "docs/explain.md": { reasons: reasonsPart },
  "docs/filters/cost.md": { costs: costsPart, limits: moduleLimitsPart },
  "docs/frames.md": {
    "client frames": () => framesPart("ClientFrame"),
    "host frames": () => framesPart("HostFrame"),
    "frame parts": () => framesPart("parts"),
  },
  "docs/guides/orderings.md": { orderings: () => orderingsPart(tableOfRuns), waits: () => orderingsPart(tableOfWaits) },
  "docs/guides/stale-load.md": { "stale load 60": () => staleLoadPart(0.6), "stale load 80": () => staleLoadPart(0.8) },
  "docs/http.md": { routes: routesPart, schemas: schemasPart },
  "docs/operating.md": { limits: limitsPart },
};

await runMain(async () => {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  // The HTTP reference is what a host answers, and a host needs its core.
  await prepare(["core"]);
  /** @type {Record<string, string>} */
  const fresh = { "docs/adr/README.md": adrIndex() };
  for (const [page, made] of Object.entries(parts)) {
    let text = readFileSync(at(page), "utf8");
    for (const [name, make] of Object.entries(made)) text = withPart(page, text, name, await make());
    fresh[page] = text;
  }
  const stale = Object.keys(fresh).filter((page) => readFileSync(at(page), "utf8") !== fresh[page]);
  if (values.check && stale.length > 0) throw new Failure(`Stale: ${stale.join(", ")}. Run "npm run docs"`);
  if (!values.check) for (const page of stale) writeFileSync(at(page), fresh[page] ?? "");
});

/**
 * Replaces a generated part of a page.
 *
 * @param {string} page Its path, for the error.
 * @param {string} text
 * @param {string} name
 * @param {string} content
 * @returns {string}
 */
function withPart(page, text, name, content) {
  const begin = `<!-- generated: ${name} -->\n`;
  const start = text.indexOf(begin);
  const end = text.indexOf("<!-- end -->", start);
  if (start < 0 || end < 0) throw new Failure(`${page} lacks "${begin.trim()}" or its end`);
  return `${text.slice(0, start + begin.length)}${content.trim()}\n${text.slice(end)}`;
}
