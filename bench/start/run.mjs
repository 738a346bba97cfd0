// How long a host takes to start: from making the process until it says that it is ready; beside Node that does nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { median } from "../driver/statistics.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
/** `BENCH_SLUICE` names another build, to hold two of them side by side. */
const BINARY = process.env["BENCH_SLUICE"] ?? path.join(ROOT, "dist/sluice.js");

/** @typedef {{ way: string, title: string, ms: number, low: number, high: number }} Line */

/**
 * Starts each way in turn.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ lines: Line[], rows: import('../goals.mjs').Row[] }>}
 * @throws {Error} Where nothing is built, or it does not come up.
 */
export async function runStart({ quick, say }) {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: run \`npm run build\` first`);
  const serve = [BINARY, "serve", "--listen", "127.0.0.1:0", "--tcp", "127.0.0.1:0"];
  const ways = [
    { way: "node", title: "node -e 0, until it has ended", run: () => untilEnd(["-e", "0"]) },
    { way: "sluice", title: "sluice serve, until it says that it is ready", run: () => untilReady(serve) },
    { way: "version", title: "sluice --version, until it has ended", run: () => untilEnd([BINARY, "--version"]) },
  ];
  // Files come into the system's cache.
  for (const { run } of ways) await run();
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  for (let repetition = 0; repetition < (quick ? 3 : 15); repetition++)
    for (const { way, run } of ways) rows.push({ cell: "start", peer: way, repetition, ms: await run() });
  const lines = ways.map(({ way, title }) => {
    const all = rows.filter(({ peer }) => peer === way).map(({ ms }) => Number(ms));
    const line = { way, title, ms: median(all), low: Math.min(...all), high: Math.max(...all) };
    say(`${title}: ${line.ms.toFixed(0)} ms (${line.low.toFixed(0)}–${line.high.toFixed(0)})`);
    return line;
  });
  return { lines, rows };
}

/** @param {readonly string[]} args @returns {Promise<number>} ms. */
async function untilEnd(args) {
  const start = performance.now();
  const [code] = await once(spawn(process.execPath, args, { stdio: "ignore" }), "exit");
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`node ${args.join(" ")} ends with ${code}`);
  return ms;
}

/** @param {readonly string[]} args @returns {Promise<number>} ms. */
async function untilReady(args) {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  const exit = once(child, "exit");
  let said = "";
  const ready = new Promise((resolve) => {
    child.stdout.on("data", (text) => {
      said += text;
      if (said.includes("is ready at")) resolve(true);
    });
  });
  const isReady = await Promise.race([ready, exit.then(() => false)]);
  const ms = performance.now() - start;
  child.kill("SIGTERM");
  await exit;
  if (!isReady) throw new Error(`sluice serve ended before it was ready: ${said}`);
  return ms;
}
