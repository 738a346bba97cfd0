/** Putting what was built where it belongs, under the feet of services and tests that run from there. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { filesBelow } from "./hash.mjs";

/**
 * Moves a built file or folder into place, file by file, each by a rename: whoever reads it sees the old or the new one.
 *
 * A process that began with the entry of the build before goes on to load that build's parts, so these stay until the next
 * one; and new parts come before the entries that lead to them.
 *
 * @param {string} from On the same file system.
 * @param {string} to
 * @param {string} record Where the files of a folder are noted for the next time.
 */
export function put(from, to, record) {
  if (!statSync(from).isDirectory()) return renameSync(from, to);
  // A file in its place, from another layout.
  if (existsSync(to) && !statSync(to).isDirectory()) rmSync(to);
  const names = filesBelow(from).map((file) => relative(from, file));
  const isThere = (/** @type {string} */ name) => Number(existsSync(join(to, name)));
  for (const name of names.sort((one, other) => isThere(one) - isThere(other))) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    renameSync(join(from, name), join(to, name));
  }
  const former = existsSync(record) ? readFileSync(record, "utf8").split("\n") : [];
  const kept = new Set([...names, ...former]);
  for (const file of filesBelow(to)) if (!kept.has(relative(to, file))) rmSync(file);
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, names.join("\n"));
}
