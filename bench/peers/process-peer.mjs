// What all peers share: a child process on a free port, its idle memory, and its end.
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { end, freePort, memoryOf, start } from "../driver/process.mjs";

/** Time for a fresh process to come to rest before its idle memory is read. */
const SETTLE_MS = 300;

/**
 * Starts a broker.
 *
 * @param {string} command
 * @param {(port: number) => readonly string[]} argumentsFor
 * @param {{ cwd?: string }} [options]
 * @returns {Promise<{ pid: number, port: number, idleBytes: number, end: () => Promise<void> }>}
 * @throws {Error} When it does not come up.
 */
export async function startPeer(command, argumentsFor, options = {}) {
  const port = await freePort();
  const child = await start(command, argumentsFor(port), port, options);
  await sleep(SETTLE_MS);
  const pid = /** @type {number} */ (child.pid);
  return { pid, port, idleBytes: memoryOf(pid).bytes, end: () => end(child) };
}

/**
 * Asks a command for its version.
 *
 * @param {string} command @param {readonly string[]} args
 * @returns {string} The first thing that looks like a version.
 * @throws {Error} Where there is no such command: the peer is then left out by name.
 */
export function versionOf(command, args) {
  // Some answer with an exit code other than 0: mosquitto calls its help a failure.
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error) throw error;
  return /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)?.[0] ?? "unknown";
}
