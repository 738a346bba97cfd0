/** Content hashes, so that what is fresh is known by what files say and not by when they were touched. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";

/**
 * All files below a path in a fixed order; the path itself where it is a file; none where it does not exist.
 *
 * @param {string} path
 * @returns {string[]}
 */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/**
 * One hash over names and contents of files and folders. A file that comes, goes or moves changes it too.
 *
 * @param {string} base Names are taken relative to it, so that a copy elsewhere hashes alike.
 * @param {readonly string[]} paths Relative to `base`.
 * @param {readonly string[]} [extras] Anything else that counts, such as versions.
 * @returns {string} 64 hexadecimal digits.
 */
export function hashOf(base, paths, extras = []) {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of filesBelow(join(base, path))) {
      const content = readFileSync(file);
      // Lengths keep "ab"+"c" apart from "a"+"bc".
      hash.update(`${relative(base, file).split(sep).join("/")}\0${content.length}\0`);
      hash.update(content);
    }
  }
  hash.update(extras.join("\0"));
  return hash.digest("hex");
}
