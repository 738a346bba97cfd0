/** What the example of an overloaded receiver has found, as tables: the committed run, not a new one. */
import { readFileSync } from "node:fs";
import { at } from "./paths.mjs";

/**
 * @param {(runs: readonly import("../../examples/overload/plots.mjs").Run[]) => string} table
 * @returns {string} Markdown.
 */
export function orderingsPart(table) {
  return table(JSON.parse(readFileSync(at("examples/overload/reference/results.json"), "utf8")).runs);
}
