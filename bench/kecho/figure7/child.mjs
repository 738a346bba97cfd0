// The sinks as child processes, asked over their standard input.
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSecondsExact, end } from "../../driver/process.mjs";
import { SINKS } from "./modes.mjs";

const ARRIVAL_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Starts the sinks.
 *
 * @param {number} tcpPort Of the host.
 * @returns {Promise<{ cpuSeconds: () => number, handled: (wanted: number) => Promise<number>, end: () => Promise<void> }>} `handled` waits
 *   until so many events were handled in all, and then as long again as one look takes; it tells how many they are. `cpuSeconds` of
 *   all of them so far.
 * @throws {Error} Where one does not come up.
 */
export async function startSinks(tcpPort) {
  const sinks = await Promise.all(Array.from({ length: SINKS }, (_, index) => startSink(tcpPort, (index + 1) / SINKS)));
  const count = async () => {
    const counts = await Promise.all(sinks.map((sink) => sink.count()));
    return counts.reduce((sum, one) => sum + one, 0);
  };
  return {
    cpuSeconds: () => sinks.reduce((sum, { pid }) => sum + cpuSecondsExact(pid), 0),
    async handled(wanted) {
      const deadline = performance.now() + ARRIVAL_MS;
      while ((await count()) < wanted && performance.now() < deadline) await sleep(LOOK_EVERY_MS);
      // One too many would come now.
      await sleep(LOOK_EVERY_MS);
      return count();
    },
    end: async () => void (await Promise.all(sinks.map((sink) => sink.end()))),
  };
}

/** @param {number} tcpPort @param {number} load Its live attribute. */
async function startSink(tcpPort, load) {
  const script = path.join(import.meta.dirname, "sink.mjs");
  const child = spawn(process.execPath, [script, String(tcpPort), String(load)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`A sink ended with code ${child.exitCode}`);
    return value;
  };
  await next();
  return {
    pid: /** @type {number} */ (child.pid),
    async count() {
      child.stdin.write("\n");
      return Number(await next());
    },
    end: () => end(child),
  };
}
