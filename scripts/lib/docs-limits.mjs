/** The table of limits: names, values and reasons from host/limits.ts. */
import { readFileSync } from "node:fs";
import { loadSource } from "./load-source.mjs";
import { at } from "./paths.mjs";
import { Failure } from "./run.mjs";

/** One `/** … *\/` line or a `// --- Group ---` line, and the name that follows. */
const ENTRY = /\/\/ --- (?<group>.+?) ---|\/\*\* (?<comment>.+?) \*\/\s*\n\s*(?<name>[A-Za-z]+):/g;

/** @returns {Promise<string>} Markdown. */
export async function limitsPart() {
  const { limits } = /** @type {{ limits: Record<string, number> }} */ (await loadSource("host/limits.ts"));
  const source = readFileSync(at("host/limits.ts"), "utf8");
  const lines = [];
  const named = new Set();
  for (const { groups = {} } of source.slice(source.indexOf("Object.freeze({")).matchAll(ENTRY)) {
    const { group, comment, name = "" } = groups;
    if (group !== undefined) lines.push("", `**${group}**`, "", "| limit | value | what and why |", "|---|--:|---|");
    else {
      named.add(name);
      lines.push(`| \`${name}\` | ${limits[name]?.toLocaleString("en-US")} | ${comment} |`);
    }
  }
  const unnamed = Object.keys(limits).filter((name) => !named.has(name));
  if (unnamed.length > 0)
    throw new Failure(`host/limits.ts has limits without a one-line doc comment: ${unnamed.join(", ")}`);
  return lines.join("\n");
}
