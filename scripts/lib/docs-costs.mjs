/** What filter modules pay, and how large they may be: tables from host/filter/meter. */
import { readFileSync } from "node:fs";
import { loadSource } from "./load-source.mjs";
import { at } from "./paths.mjs";
import { Failure } from "./run.mjs";

/** @typedef {{ name: string, cost: number, charge?: string }} Opcode */
/** @typedef {{ fixed: number, per: number, shift: number }} Rate */

const FOLDER = "host/filter/meter";
/** What most instructions cost, and most of those on vectors: these are not listed one by one. */
const USUAL = 1;
const USUAL_VECTOR = 2;
/** What a length counts, in words. @type {Readonly<Record<string, string>>} */
const UNITS = Object.freeze({ bytes: "byte", elements: "element", pages: "page of 64 KiB" });
/** An interface's member behind its comment, of one line or more. */
const ENTRY =
  /\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\s*readonly (?<name>\w+): number;|readonly (?<bare>\w+): number;/g;

/** @returns {Promise<string>} Markdown: the version, and a row for each price. */
export async function costsPart() {
  const { COSTS, METER_VERSION } = /** @type {{ COSTS: Record<string, number & Rate>, METER_VERSION: number }} */ (
    await loadSource(`${FOLDER}/costs.ts`)
  );
  const { opcodes, bulkOpcodes } = /** @type {Record<string, readonly (Opcode | undefined)[]>} */ (
    await loadSource(`${FOLDER}/opcodes.ts`)
  );
  const { vectorOpcodes } = /** @type {Record<string, readonly (Opcode | undefined)[]>} */ (
    await loadSource(`${FOLDER}/vector-opcodes.ts`)
  );
  const { moduleLimits } = /** @type {{ moduleLimits: Record<string, number> }} */ (
    await loadSource(`${FOLDER}/limits.ts`)
  );
  const plain = [...(opcodes ?? []), ...(bulkOpcodes ?? [])].filter((one) => one !== undefined);
  const vector = (vectorOpcodes ?? []).filter((one) => one !== undefined);
  const all = [...plain, ...vector];
  const dearer = [...plain.filter(({ cost }) => cost !== USUAL), ...vector.filter(({ cost }) => cost !== USUAL_VECTOR)];
  const fixed = dearer.filter(({ charge }) => charge === undefined);
  const prices = [...new Set(fixed.map(({ cost }) => cost))].sort((one, other) => one - other);
  const rows = prices.map((price) => `| ${price} | ${namesOf(fixed.filter(({ cost }) => cost === price))} |`);
  const rates = Object.keys(UNITS).map((charge) => {
    const { fixed, per, shift } = /** @type {Rate} */ (COSTS[charge]);
    const unit = shift === 0 ? UNITS[charge] : `${2 ** shift} ${UNITS[charge]}s, rounded down`;
    const name = namesOf(all.filter((one) => one.charge === charge));
    return `| ${fixed.toLocaleString("en-US")} and ${per.toLocaleString("en-US")} for each ${unit} | ${name} |`;
  });
  return [
    `Version ${METER_VERSION} of the table.`,
    "",
    "| fuel | for |",
    "|---|---|",
    `| ${COSTS["entry"]} and 1 for each ${COSTS["localsPerFuel"]} locals | entering a function |`,
    `| ${COSTS["turn"]} | a turn of a loop, beside what is in it |`,
    `| ${COSTS["farLoad"]} | a load, beside its price, in modules whose memory may have more than ${moduleLimits["memoryPagesMax"]} pages |`,
    `| ${COSTS["import"]} | an import, beside the call |`,
    `| ${COSTS["leafMax"]} (${COSTS["import"]} in modules that refer to an import) | what an indirect call may reach, beside the call |`,
    ...rows,
    ...rates,
    `| ${USUAL} | every other instruction, but those on vectors |`,
    `| ${USUAL_VECTOR} | every other instruction on vectors (\`v128\` and \`i8x16\` to \`f64x2\`) |`,
  ].join("\n");
}

/** @returns {Promise<string>} Markdown: a row for each limit. */
export async function moduleLimitsPart() {
  const { moduleLimits } = /** @type {{ moduleLimits: Record<string, number> }} */ (
    await loadSource(`${FOLDER}/limits.ts`)
  );
  const source = readFileSync(at(`${FOLDER}/limits.ts`), "utf8");
  const lines = ["| limit | value | what and why |", "|---|--:|---|"];
  const listed = new Set();
  for (const { groups = {} } of source.matchAll(ENTRY)) {
    const name = groups["name"] ?? groups["bare"] ?? "";
    listed.add(name);
    const comment = (groups["comment"] ?? "")
      .replaceAll(/\s*\n\s*\*/g, "")
      .replaceAll(/\{@link (\w+)\}/g, "$1")
      .trim();
    lines.push(`| \`${name}\` | ${moduleLimits[name]?.toLocaleString("en-US")} | ${comment} |`);
  }
  const missing = Object.keys(moduleLimits).filter((name) => !listed.has(name));
  if (missing.length > 0)
    throw new Failure(`${FOLDER}/limits.ts has limits that are not declared: ${missing.join(", ")}`);
  return lines.join("\n");
}

/**
 * Names, those with the same beginning together: `i32.{add, sub}`.
 *
 * @param {readonly Opcode[]} some
 */
function namesOf(some) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const { name } of some) {
    const [head = "", tail] = name.split(".");
    const tails = groups.get(head) ?? [];
    if (!tails.includes(tail ?? "")) groups.set(head, [...tails, tail ?? ""]);
  }
  return [...groups]
    .map(([head, tails]) => {
      if (tails.length === 1) return `\`${tails[0] === "" ? head : `${head}.${tails[0]}`}\``;
      return `\`${head}.\` ${tails.map((tail) => `\`${tail}\``).join(" ")}`;
    })
    .join(", ");
}
