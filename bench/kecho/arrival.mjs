// N-12: from a client's write to the handler inside the host. Two processes, one monotonic clock.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { DelimitedStepper } from "../driver/delimited-stepper.mjs";
import { encodeEvent, joinFrame, publishFrame, readHostFrame } from "../driver/sluice-frames.mjs";
import { quantile } from "../driver/statistics.mjs";
import { Wire } from "../driver/wire.mjs";
import { CHANNEL } from "./timing.mjs";

const PAYLOAD_BYTES = 100;
const EVENTS_PER_SECOND = 1000;
const WARM_SHARE = 0.1;

/**
 * Measures how old an event is when an embedded handler gets it, with a modest, even load over TCP.
 *
 * The stamp is taken before the client's write, so the figure holds the client's system call and the kernel's part too: it
 * bounds the paper's figure (socket arrival to handler) from above.
 *
 * @param {number} count
 * @returns {Promise<{ p50Us: number, p99Us: number }>}
 */
export async function measureArrival(count) {
  const child = spawn(process.execPath, [import.meta.filename, "host", String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  try {
    const { port } = JSON.parse((await lines.next()).value);
    const wire = await new Wire(port).open();
    const number = await join(wire);
    for (let i = 0; i < count; i++) {
      const payload = Buffer.alloc(PAYLOAD_BYTES);
      payload.writeBigInt64LE(process.hrtime.bigint());
      wire.socket.write(publishFrame(number, [encodeEvent({ channel: CHANNEL, payload }, "/kecho/1")]));
      await sleep(1000 / EVENTS_PER_SECOND);
    }
    const ages = JSON.parse((await lines.next()).value);
    wire.close();
    const warm = ages.slice(Math.floor(ages.length * WARM_SHARE));
    return { p50Us: quantile(warm, 0.5), p99Us: quantile(warm, 0.99) };
  } finally {
    child.kill("SIGKILL");
  }
}

/** @param {Wire} wire @returns {Promise<number>} The channel's number. */
function join(wire) {
  return new Promise((resolve) => {
    wire.stream(
      new DelimitedStepper({
        other(frame) {
          const said = readHostFrame(frame);
          if (said.kind === "joined") resolve(said.channelNumber);
        },
      }),
    );
    wire.socket.write(joinFrame(CHANNEL, "source", 1));
  });
}

/** The child: a host with a TCP listener and an embedded subscriber. Prints its port, then the ages in µs. @param {number} count */
async function host(count) {
  const { openEmbedded } = await import("./embedded-service.mjs");
  const { service, serveHost } = await openEmbedded();
  const served = await serveHost({ service, listen: "127.0.0.1:0", tcp: "127.0.0.1:0" });
  /** @type {number[]} */
  const ages = [];
  service.subscribe(CHANNEL, {
    onEvents: (deliveries) => {
      const now = process.hrtime.bigint();
      for (const { event } of deliveries) {
        const { data = new Uint8Array(8) } = event;
        ages.push(Number(now - new DataView(data.buffer, data.byteOffset).getBigInt64(0, true)) / 1000);
      }
      if (ages.length === count) console.log(JSON.stringify(ages));
    },
  });
  console.log(JSON.stringify({ port: Number(new URL(served.tcpUrl ?? "").port) }));
}

if (process.argv[1] === import.meta.filename && process.argv[2] === "host") {
  await host(Number(process.argv[3]));
  await once(process, "SIGTERM");
}
