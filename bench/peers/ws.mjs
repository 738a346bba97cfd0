// The relay on the `ws` package: what most people would write themselves.

import { createRequire } from "node:module";
import path from "node:path";
import { maskedMessage, OPCODE_BINARY, OPCODE_TEXT, upgrade, WebSocketStepper } from "../driver/websocket.mjs";
import { Wire } from "../driver/wire.mjs";
import { startPeer } from "./process-peer.mjs";

const SERVER = path.join(import.meta.dirname, "servers/ws-relay.mjs");

/** @returns {Promise<import('./peer.mjs').Peer>} */
export async function startWs() {
  const child = await startPeer(process.execPath, (port) => [SERVER, String(port)]);
  const open = async () => {
    const wire = await new Wire(child.port).open();
    await upgrade(wire, "/");
    return wire;
  };
  return {
    ...child,
    name: "ws",
    version: createRequire(import.meta.url)("ws/package.json").version,
    async openSink(channels) {
      const wire = await open();
      wire.socket.write(maskedMessage(OPCODE_TEXT, Buffer.from(`SUB ${channels.join(",")}`)));
      await wire.answerText("OK");
      // One message is one event: nothing inside needs to be looked at.
      const consumer = new WebSocketStepper(wire);
      wire.stream(consumer);
      return { wire, consumer, count: () => consumer.messages, dropped: () => 0 };
    },
    async openSource() {
      const wire = await open();
      wire.stream(new WebSocketStepper(wire));
      const message = (/** @type {import('./peer.mjs').BenchEvent} */ { channel, payload }) =>
        maskedMessage(
          OPCODE_BINARY,
          Buffer.concat([Buffer.from([channel.length]), Buffer.from(channel, "latin1"), payload]),
        );
      return { wire, encode: (events) => Buffer.concat(events.map(message)) };
    },
  };
}
