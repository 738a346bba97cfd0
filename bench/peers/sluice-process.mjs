// The service itself, as `sluice serve` starts it: every peer file of Sluice talks to this process.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { freePort } from "../driver/process.mjs";
import { startPeer } from "./process-peer.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
/** `BENCH_SLUICE` names another build, to hold two of them side by side. */
const BINARY = process.env["BENCH_SLUICE"] ?? path.join(ROOT, "dist/sluice.js");

/**
 * Starts `sluice serve` on loopback with all its defaults.
 *
 * @param {readonly string[]} [nodeFlags] For profiling.
 * @returns {Promise<Awaited<ReturnType<typeof startPeer>> & { version: string, tcpPort: number }>} `port` is HTTP's.
 * @throws {Error} Where it is not built, or does not come up.
 */
export async function startSluice(nodeFlags = (process.env.BENCH_NODE_FLAGS ?? "").split(" ").filter(Boolean)) {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: run \`npm run build\` first`);
  const tcpPort = await freePort();
  const child = await startPeer(process.execPath, (port) => [
    ...nodeFlags,
    BINARY,
    "serve",
    "--listen",
    `127.0.0.1:${port}`,
    "--tcp",
    `127.0.0.1:${tcpPort}`,
  ]);
  const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  return { ...child, version, tcpPort };
}
