// A host in a process of its own that tells how long its event loop stood still.
//
// Usage: node host.mjs. Prints its HTTP port; then, for each line of input, the longest delay since the line before, in ms.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { openEmbedded } from "../kecho/embedded-service.mjs";

const { serveHost } = await openEmbedded();
const served = await serveHost({ listen: "127.0.0.1:0", tcp: null });
// A timer a millisecond: what it is late is what everybody else was late.
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
console.log(new URL(served.url).port);
for await (const _ of createInterface(process.stdin)) {
  console.log((delay.max / 1e6).toFixed(3));
  delay.reset();
}
process.exit(0);
