/** The licences of packages that are bundled into the command line: most ask to go wherever their code goes. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "./paths.mjs";

/**
 * Writes what must lie beside bundles.
 *
 * @param {Iterable<string>} inputs Paths of bundled files, from the root.
 * @returns {string} One part per package: name, version, licence, and the text of its licence file.
 * @throws {Error} Where a package comes without one.
 */
export function noticesFrom(inputs) {
  const names = new Set([...inputs].flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  return [...names]
    .sort()
    .map(noticeOf)
    .join(`\n${"-".repeat(80)}\n\n`);
}

/** @param {string} name */
function noticeOf(name) {
  const folder = at("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  const text = file !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "";
  if (text === "" && license === undefined) throw new Error(`${name} says nothing of its licence`);
  return `${name} ${version}, ${license}\n\n${text.trim()}\n`;
}
