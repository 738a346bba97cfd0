// User level: a client of the service in another process, over one TCP connection.

import { once } from "node:events";
import http from "node:http";
import { DelimitedStepper } from "../driver/delimited-stepper.mjs";
import { putChannel } from "../driver/footprint.mjs";
import { encodeEvent, joinFrame, publishFrame, readHostFrame } from "../driver/sluice-frames.mjs";
import { Wire } from "../driver/wire.mjs";
import { awaitedUs, CHANNEL, cpuPerEvent, timedUs } from "./timing.mjs";

let writes = 0;

/** @param {Wire} wire @param {Buffer} bytes */
function write(wire, bytes) {
  writes++;
  wire.socket.write(bytes);
}

/** @param {import('./subject.mjs').Order} order @returns {Promise<import('./subject.mjs').Work>} */
export async function prepare({ operation, payloadBytes, tcpPort = 0, httpPort = 0 }) {
  if (operation === "create") return create(httpPort);
  if (operation === "open") return open(tcpPort);
  const wire = await new Wire(tcpPort).open();
  const session = listen(wire);
  const number = await session.join(CHANNEL, operation === "submit" ? "source" : "sink");
  return operation === "submit" ? submit(wire, number, payloadBytes) : poll(session);
}

/** Counts deliveries and waits for answers. @param {Wire} wire */
function listen(wire) {
  let ref = 0;
  let answered = (/** @type {number} */ _channelNumber) => {};
  const stepper = new DelimitedStepper({
    other(frame) {
      const said = readHostFrame(frame);
      if (said.kind === "joined") answered(said.channelNumber);
    },
  });
  wire.stream(stepper);
  return {
    wire,
    stepper,
    /** @param {string} channel @param {'sink' | 'source'} role @returns {Promise<number>} The channel's number. */
    join(channel, role) {
      return new Promise((resolve) => {
        answered = resolve;
        write(wire, joinFrame(channel, role, ++ref));
      });
    },
  };
}

/** One PUT over a connection that is kept. @param {number} port */
function create(port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return {
    step: (/** @type {number} */ index) => {
      writes++;
      return awaitedUs(() => putChannel(agent, port, `kecho-${process.pid}-${index}`));
    },
    socketWrites: () => writes,
  };
}

/** One connection, one join and its answer, however many members there are. @param {number} port */
function open(port) {
  /** @type {Wire | null} */
  let wire = null;
  return {
    step: () =>
      awaitedUs(async () => {
        wire = await new Wire(port, 16_384).open();
        await listen(wire).join(CHANNEL, "source");
      }),
    async settle() {
      wire?.close();
    },
    socketWrites: () => writes,
  };
}

/** One frame, one write, however many sinks there are; encoding is part of it. @param {Wire} wire @param {number} number @param {number} payloadBytes */
function submit(wire, number, payloadBytes) {
  const payload = Buffer.alloc(payloadBytes, "x");
  return {
    step: () =>
      timedUs(() => write(wire, publishFrame(number, [encodeEvent({ channel: CHANNEL, payload }, "/kecho/1")]))),
    async settle() {
      if (wire.socket.writableLength > 0) await once(wire.socket, "drain");
      else await new Promise((resolve) => setImmediate(resolve));
    },
    socketWrites: () => writes,
  };
}

/** CPU time of this process per event that arrives, one at a time. @param {ReturnType<typeof listen>} session */
function poll({ wire, stepper }) {
  return {
    step: () =>
      cpuPerEvent(
        () => stepper.count,
        (arrived) => (wire.onProgress = arrived),
      ),
    socketWrites: () => writes,
  };
}
