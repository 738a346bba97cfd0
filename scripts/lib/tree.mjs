/** What is in the working tree, to see that checks leave it as it was. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { at } from "./paths.mjs";
import { run } from "./run.mjs";

/**
 * Hashes of all files that git tracks or would track, by name. Undefined outside a repository, where there is no such list.
 *
 * @returns {Promise<Map<string, string> | undefined>}
 */
export async function treeHashes() {
  const { code, output } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).catch(
    () => ({ code: 1, output: "" }),
  );
  if (code !== 0) return undefined;
  const names = output.split("\0").filter((name) => name !== "" && existsSync(at(name)));
  return new Map(
    names.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(at(name)))
        .digest("hex"),
    ]),
  );
}

/**
 * Names of files that came, went or changed.
 *
 * @param {ReadonlyMap<string, string>} before
 * @param {ReadonlyMap<string, string>} after
 * @returns {string[]}
 */
export function changes(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort();
}
