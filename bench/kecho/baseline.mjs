// The naive way, as ECho does it: a connection between a source and each of its sinks, and each event written to each of them.

import { once } from "node:events";
import net from "node:net";
import { HOST } from "../driver/process.mjs";
import { awaitedUs, cpuPerEvent, timedUs } from "./timing.mjs";

let writes = 0;

/** @param {net.Socket} socket @param {Buffer | string} bytes */
function write(socket, bytes) {
  writes++;
  socket.write(bytes);
}

/** @param {number} port */
async function connect(port) {
  const socket = net.connect({ port, host: HOST, noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** @param {import('./subject.mjs').Order} order @returns {Promise<import('./subject.mjs').Work>} */
export async function prepare({ operation, sinks, payloadBytes, sinkPort = 0 }) {
  if (operation === "create") return create();
  if (operation === "open") return open(sinks, sinkPort);
  const sockets = await Promise.all(Array.from({ length: sinks }, () => connect(sinkPort)));
  return operation === "submit" ? submit(sockets, payloadBytes) : poll(sockets);
}

/** A channel is a place where members call in: a listening socket of its own, and an entry in a table. */
function create() {
  const channels = new Map();
  return {
    step: (/** @type {number} */ index) =>
      awaitedUs(async () => {
        const server = net.createServer();
        server.listen(0, HOST);
        await once(server, "listening");
        channels.set(`channel-${index}`, { server, address: server.address(), members: [] });
      }),
    socketWrites: () => writes,
  };
}

/** Opening means to call every member, to say hello and to hear an answer. @param {number} members @param {number} port */
function open(members, port) {
  /** @type {net.Socket[]} */
  let opened = [];
  return {
    step: () =>
      awaitedUs(async () => {
        opened = await Promise.all(
          Array.from({ length: members }, async () => {
            const socket = await connect(port);
            write(socket, "?");
            await once(socket, "data");
            return socket;
          }),
        );
      }),
    async settle() {
      for (const socket of opened) socket.destroy();
    },
    socketWrites: () => writes,
  };
}

/** Submitting means two writes per sink: a head and the event. @param {net.Socket[]} sockets @param {number} payloadBytes */
function submit(sockets, payloadBytes) {
  const payload = Buffer.alloc(payloadBytes, "x");
  const step = () =>
    timedUs(() => {
      const head = Buffer.allocUnsafe(4);
      head.writeUInt32BE(payload.length);
      for (const socket of sockets) {
        write(socket, head);
        write(socket, payload);
      }
    });
  return { step, settle: () => allWritten(sockets), socketWrites: () => writes };
}

/**
 * Receiving: a look at every connection whenever one of them is readable. The events come from the child, one at a time.
 *
 * A step is a slice of events; its cost is the CPU time of this process per event.
 *
 * @param {net.Socket[]} sockets
 */
function poll(sockets) {
  let taken = 0;
  let arrived = () => {};
  const look = () => {
    for (const socket of sockets) {
      for (;;) {
        const head = socket.read(4);
        if (head === null) break;
        const event = socket.read(head.readUInt32BE(0));
        if (event === null) {
          socket.unshift(head);
          break;
        }
        taken++;
      }
    }
    arrived();
  };
  for (const socket of sockets) socket.on("readable", look);
  return {
    step: () =>
      cpuPerEvent(
        () => taken,
        (resolve) => (arrived = resolve),
      ),
    socketWrites: () => writes,
  };
}

/** Waits until the kernel has everything. @param {readonly net.Socket[]} sockets */
export async function allWritten(sockets) {
  while (sockets.some((socket) => socket.writableLength > 0)) await new Promise((resolve) => setImmediate(resolve));
}
