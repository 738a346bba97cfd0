/** What the simulation of the web cluster has found, as a table: the committed run, not a new one. */
import { readFileSync } from "node:fs";
import { tableOfStaleLoad } from "../../examples/web-cluster/tables.mjs";
import { at } from "./paths.mjs";
import { Failure } from "./run.mjs";

/**
 * @param {number} utilisation Share of the time in which servers are busy.
 * @returns {string} Markdown.
 */
export function staleLoadPart(utilisation) {
  const path = "examples/web-cluster/reference/results.json";
  /** @type {Pick<import("../../examples/web-cluster/plots.mjs").Results, "staleLoad">} */
  const { staleLoad } = JSON.parse(readFileSync(at(path), "utf8"));
  const rows = staleLoad.find(([first]) => first?.utilisation === utilisation);
  if (rows === undefined) throw new Failure(`${path} has no runs at ${utilisation}`);
  return tableOfStaleLoad(rows);
}
