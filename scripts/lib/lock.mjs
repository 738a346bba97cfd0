/** One preparation at a time, so that `npm start` and `npm test` may be called at once from a clean clone. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 100;
/** A lock file without an id for this many looks was left by a process that died while writing it. */
const EMPTY_POLLS_MAX = 50;

/**
 * Does `work` while no other process does it under the same file. A holder that died is passed over.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {(pid: number) => void} [onWait] Called once when another process holds it.
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  let told = false;
  let emptyPolls = 0;
  for (let holder = take(path); holder !== undefined; holder = take(path)) {
    emptyPolls = holder === 0 ? emptyPolls + 1 : 0;
    if (holder === 0 ? emptyPolls > EMPTY_POLLS_MAX : !isAlive(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (holder !== 0 && !told) {
      onWait?.(holder);
      told = true;
    }
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Takes the lock file.
 *
 * @param {string} path
 * @returns {number | undefined} Undefined when taken, otherwise the holder's process id (0: being written).
 */
function take(path) {
  try {
    const file = openSync(path, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return undefined;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    // Freed in between.
    return 0;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
