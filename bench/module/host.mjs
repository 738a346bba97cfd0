// A host in a process of its own that tells how long its event loop stood still.
//
// Usage: node host.mjs. Prints its HTTP port; then, for each line of input, the longest delay since the line before, in ms.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { openEmbedded } from "../kecho/embedded-service.mjs";

const { serveHost } = await openEmbedded();
const served = await serveHost({ listen: "127.0.0.1:0", tcp: null });
// A timer a millisecond: what it is late is what everybody else was late. What it tells is the time between two of them.
const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
console.log(new URL(served.url).port);
for await (const _ of createInterface(process.stdin)) {
  console.log(Math.max(0, delay.max / 1e6 - RESOLUTION_MS).toFixed(3));
  delay.reset();
}
process.exit(0);
