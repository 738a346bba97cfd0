// redis-server, as Debian ships it: PUBLISH and SUBSCRIBE.
import { tmpdir } from "node:os";
import { Wire } from "../driver/wire.mjs";
import { discard, fixedSink } from "./fixed-sink.mjs";
import { startPeer, versionOf } from "./process-peer.mjs";

const bulk = (/** @type {string} */ text) => `$${text.length}\r\n${text}\r\n`;

/** @returns {Promise<import('./peer.mjs').Peer>} */
export async function startRedis() {
  const version = versionOf("redis-server", ["--version"]);
  // No persistence, and no limit that would close a busy subscriber.
  const settings = [
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--client-output-buffer-limit",
    "pubsub",
    "0",
    "0",
    "0",
  ];
  const child = await startPeer("redis-server", (port) => ["--port", String(port), ...settings], { cwd: tmpdir() });
  return {
    ...child,
    name: "redis",
    version,
    async openSink(channels, { payloadBytes }) {
      const wire = await new Wire(child.port).open();
      wire.socket.write(`*${channels.length + 1}\r\n${bulk("SUBSCRIBE")}${channels.map(bulk).join("")}`);
      await wire.answerText(`:${channels.length}\r\n`);
      const head = `*3\r\n${bulk("message")}${bulk(channels[0] ?? "")}$${payloadBytes}\r\n`;
      return fixedSink(wire, { frameBytes: head.length + payloadBytes + 2, first: "*".charCodeAt(0) });
    },
    async openSource() {
      const wire = await new Wire(child.port).open();
      // Redis answers every PUBLISH; a pipelining client reads those answers and lets them go.
      wire.stream(discard);
      return {
        wire,
        encode: (events) =>
          Buffer.concat(
            events.flatMap(({ channel, payload }) => [
              Buffer.from(`*3\r\n${bulk("PUBLISH")}${bulk(channel)}$${payload.length}\r\n`),
              payload,
              Buffer.from("\r\n"),
            ]),
          ),
      };
    },
  };
}
