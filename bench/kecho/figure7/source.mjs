// The paper's Figure 7a, right: a source with its OUT filter, and eight sinks elsewhere. The source lives in the host, as the
// paper's lives in the kernel; what counts is what submitting an event costs until it is written to the sinks' sockets.
//
// Usage: node source.mjs ROUNDS EVENTS, the events of a slice. Prints one line of JSON: CPU µs per event by round and mode.
import { bindRoute } from "../../driver/bind.mjs";
import { openEmbedded } from "../embedded-service.mjs";
import { startSinks } from "./child.mjs";
import { CHANNEL, EVENTS_PER_SECOND, PAYLOAD_BYTES, rotation, rounds, WARM_EVENTS } from "./modes.mjs";

const [count, events] = process.argv.slice(2).map(Number);
if (count === undefined || events === undefined) throw new Error("Usage: node source.mjs ROUNDS EVENTS");
const { service, serveHost, eventOf } = await openEmbedded();
const served = await serveHost({ service, listen: "127.0.0.1:0", tcp: "127.0.0.1:0" });
const httpPort = Number(new URL(served.url).port);
const sinks = await startSinks(Number(new URL(served.tcpUrl ?? "").port));
const event = eventOf(Buffer.alloc(PAYLOAD_BYTES, "x"));

/** CPU of this process for one event: submitted, filtered, written. */
function submit() {
  const before = process.cpuUsage();
  service.publish(CHANNEL, [event]);
  service.flush();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** @param {number} count @returns {Promise<number>} µs of all together. */
async function submitAll(count) {
  let us = 0;
  for (let i = 0; i < count; i++) {
    const due = performance.now() + 1000 / EVENTS_PER_SECOND;
    us += submit();
    while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
  }
  return us;
}

let handled = 0;
const sums = rounds(events);
for (const { round, mode } of rotation(count)) {
  if (mode.route !== null) await bindRoute(httpPort, CHANNEL, "out", mode.route);
  await submitAll(WARM_EVENTS);
  sums.add(round, mode.way, await submitAll(events));
  handled += (WARM_EVENTS + events) * mode.sinks;
  const found = await sinks.handled(handled);
  if (found !== handled) throw new Error(`OUT, ${mode.way}: ${found} deliveries instead of ${handled}`);
  if (mode.route !== null) await bindRoute(httpPort, CHANNEL, "out", null);
}
await sinks.end();
process.stdout.write(`${JSON.stringify(sums.told())}\n`, () => process.exit(0));
