// A child process that receives and forgets, so that receiving costs the measured process nothing.
//
// Usage: node sinks.mjs '{"way":"baseline","payloadBytes":100}'            listens; whoever connects is a source
//        node sinks.mjs '{"way":"client","tcpPort":7481,"sinks":8}'        joins as so many sinks
// Prints one line of JSON when it is ready. "feedEveryMs" makes it a source instead: one event each time, to its connections in
// turn, or on the channel.
import net from "node:net";
import { DelimitedStepper } from "../driver/delimited-stepper.mjs";
import { encodeEvent, joinFrame, publishFrame, readHostFrame } from "../driver/sluice-frames.mjs";
import { Wire } from "../driver/wire.mjs";
import { CHANNEL } from "./timing.mjs";

const READ_BYTES = 16_384;
const { way, sinks = 0, tcpPort = 0, payloadBytes = 100, feedEveryMs = 0 } = JSON.parse(process.argv[2] ?? "{}");

if (way === "baseline") {
  /** @type {net.Socket[]} */
  const sockets = [];
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    // A connection that greets is being opened: it is answered, as a member answers a newcomer.
    socket.on("data", (bytes) => bytes[0] === 0x3f && socket.write("!"));
    socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1", () =>
    console.log(JSON.stringify({ port: /** @type {net.AddressInfo} */ (server.address()).port })),
  );
  if (feedEveryMs > 0) {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(payloadBytes);
    const event = Buffer.concat([head, Buffer.alloc(payloadBytes, "x")]);
    let turn = 0;
    setInterval(() => sockets.length > 0 && sockets[turn++ % sockets.length]?.write(event), feedEveryMs);
  }
} else {
  for (let i = 0; i < sinks; i++) await member("sink");
  if (feedEveryMs > 0) {
    const { wire, number } = await member("source");
    const payload = Buffer.alloc(payloadBytes, "x");
    setInterval(
      () => wire.socket.write(publishFrame(number, [encodeEvent({ channel: CHANNEL, payload }, "/kecho/1")])),
      feedEveryMs,
    );
  }
  console.log(JSON.stringify({ port: tcpPort }));
}

/** Joins the channel, and forgets what arrives later. @param {'sink' | 'source'} role @returns {Promise<{ wire: Wire, number: number }>} */
async function member(role) {
  const wire = await new Wire(tcpPort, READ_BYTES).open();
  const number = await new Promise((resolve) => {
    wire.stream(
      new DelimitedStepper({
        other(frame) {
          const said = readHostFrame(frame);
          if (said.kind === "joined") resolve(said.channelNumber);
        },
      }),
    );
    wire.socket.write(joinFrame(CHANNEL, role, 1));
  });
  return { wire, number };
}
