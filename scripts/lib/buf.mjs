/** The buf command line, offline: it ships its binary, and the only plugin is local. */
import { at } from "./paths.mjs";
import { run } from "./run.mjs";

/**
 * Runs buf in schemas/.
 *
 * @param {string[]} args
 * @returns {Promise<import("./run.mjs").Outcome>}
 */
export const buf = (...args) => run(at("node_modules", ".bin", "buf"), args, { cwd: at("schemas") });

/** What the schemas were at the last release; nothing may break it. */
export const baseline = "baseline.binpb";
