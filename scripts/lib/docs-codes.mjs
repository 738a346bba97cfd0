/** The table of codes from host/errors.ts, with the advice that a table in code has no room for. */
import { readFileSync } from "node:fs";
import { advice } from "./docs-advice.mjs";
import { loadSource } from "./load-source.mjs";
import { at } from "./paths.mjs";
import { Failure } from "./run.mjs";

/** @typedef {{ title: string, status: number, close: number, retryable: boolean }} Meaning */

/** @returns {Promise<string>} Markdown, grouped as the source is. */
export async function codesPart() {
  const { codes } = /** @type {{ codes: Record<string, Meaning> }} */ (await loadSource("host/errors.ts"));
  const source = readFileSync(at("host/errors.ts"), "utf8");
  const orphans = Object.keys(advice).filter((code) => !Object.hasOwn(codes, code));
  const unadvised = Object.keys(codes).filter((code) => !Object.hasOwn(advice, code));
  if (orphans.length + unadvised.length > 0) {
    throw new Failure(
      `scripts/lib/docs-advice.mjs lacks ${unadvised.join(", ") || "none"}, and has too many: ${orphans.join(", ") || "none"}`,
    );
  }
  const lines = [];
  const listed = new Set();
  let heading = "";
  for (const { groups = {} } of source.matchAll(
    /\/\/ --- (?<group>.+?) ---|^ {2}(?<code>[a-z0-9_]+): (?:passing|terminal)\(/gm,
  )) {
    const { group, code } = groups;
    if (group !== undefined) heading = group;
    else if (code !== undefined) {
      const meaning = codes[code];
      if (meaning === undefined) throw new Failure(`host/errors.ts names "${code}" outside of the table`);
      listed.add(code);
      // The source goes on with other things under headings of the same kind.
      if (heading !== "")
        lines.push("", `## ${heading}`, "", "| code | HTTP | close | meaning | what to do |", "|---|--:|--:|---|---|");
      heading = "";
      lines.push(
        `| <a id="${code}"></a>\`${code}\` | ${meaning.status} | ${meaning.close} | ${meaning.title} | ${advice[code]} |`,
      );
    }
  }
  const missing = Object.keys(codes).filter((code) => !listed.has(code));
  if (missing.length > 0) throw new Failure(`Codes not found in the text of host/errors.ts: ${missing.join(", ")}`);
  return lines.join("\n");
}
