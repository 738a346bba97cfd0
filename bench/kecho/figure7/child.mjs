// The sinks as a child process, asked over its standard input.
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { end } from "../../driver/process.mjs";

const ARRIVAL_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Starts the sinks.
 *
 * @param {number} tcpPort Of the host.
 * @returns {Promise<{ pid: number, handled: (wanted: number) => Promise<number>, end: () => Promise<void> }>} `handled` waits until so many
 *   events were handled in all, and then as long again as one look takes; it tells how many they are.
 * @throws {Error} Where they do not come up.
 */
export async function startSinks(tcpPort) {
  const script = path.join(import.meta.dirname, "sinks.mjs");
  const child = spawn(process.execPath, [script, String(tcpPort)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`The sinks ended with code ${child.exitCode}`);
    return value;
  };
  await next();
  const count = async () => {
    child.stdin.write("\n");
    return Number(await next());
  };
  return {
    pid: /** @type {number} */ (child.pid),
    async handled(wanted) {
      const deadline = performance.now() + ARRIVAL_MS;
      while ((await count()) < wanted && performance.now() < deadline) await sleep(LOOK_EVERY_MS);
      // One too many would come now.
      await sleep(LOOK_EVERY_MS);
      return count();
    },
    end: () => end(child),
  };
}
