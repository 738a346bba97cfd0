/** Where things are. Every script works from the repository's root, wherever it was called. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, without a slash at the end. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {string[]} parts of a path below the root. */
export const at = (...parts) => join(root, ...parts);
