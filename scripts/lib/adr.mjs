/** The records of decisions, docs/adr/NNNN-title.md, and the index made of them. */
import { readdirSync, readFileSync } from "node:fs";
import { at } from "./paths.mjs";

/** @typedef {{ number: number, file: string, title: string, status: string, date: string }} Adr */

/** All records, by number. */
export const adrs = readdirSync(at("docs", "adr"))
  .filter((file) => /^\d{4}-[a-z0-9-]+\.md$/.test(file) && !file.startsWith("0000-"))
  .sort()
  .map(readAdr);

/** The text of docs/adr/README.md. */
export function adrIndex() {
  const rows = adrs.map(
    ({ file, title, status, date }) => `| [${file.slice(0, 4)}](${file}) | ${title} | ${status} | ${date} |`,
  );
  return `# Decisions

What was decided, why, and what else was weighed. A record is not edited once accepted, except for its status: a new
decision is a new record that supersedes the old one. Copy [the template](0000-template.md), take the next number, and run
\`npm run docs\`, which writes this page.

| | decision | status | date |
|---|---|---|---|
${rows.join("\n")}
`;
}

/**
 * @param {string} file
 * @returns {Adr}
 */
function readAdr(file) {
  const text = readFileSync(at("docs", "adr", file), "utf8");
  const field = (/** @type {string} */ name) => new RegExp(`^- ${name}: (.+)$`, "mi").exec(text)?.[1]?.trim() ?? "";
  const title = /^# (?:\d{4}[.:]? )?(.+)$/m.exec(text)?.[1] ?? file;
  return { number: Number(file.slice(0, 4)), file, title, status: field("Status").toLowerCase(), date: field("Date") };
}
