// What of the JavaScript heap an event leaves behind: a host of one's own, with an ordered inbox in which always as much waits, in a
// process whose garbage is collected before it is weighed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/**
 * @param {number} events Counted; as many go ahead of them, so that code is compiled and tables have their sizes.
 * @returns {Promise<number>} Bytes of `heapUsed` per event; what is below a hundredth is chance.
 * @throws {Error} Where the host loses an event or the process fails.
 */
export async function steadyHeap(events) {
  const script = path.join(import.meta.dirname, "steady-heap-child.mjs");
  const child = spawn(process.execPath, ["--expose-gc", script, String(events)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let complaint = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  child.stderr.on("data", (text) => {
    complaint += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The host whose heap is weighed failed: ${complaint.trim()}`);
  return Number(said);
}
