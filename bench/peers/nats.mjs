// nats-server, as Debian ships it.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Wire } from "../driver/wire.mjs";
import { discard, fixedSink } from "./fixed-sink.mjs";
import { startPeer, versionOf } from "./process-peer.mjs";

// Six digits each, so that every delivery of one payload size has one size on the wire.
const FIRST_SUBSCRIPTION = 100_000;
const PING = "PING\r\n";

/** @returns {Promise<import('./peer.mjs').Peer>} */
export async function startNats() {
  const version = versionOf("nats-server", ["--version"]);
  const configuration = path.join(mkdtempSync(path.join(tmpdir(), "bench-nats-")), "nats.conf");
  const child = await startPeer("nats-server", (port) => {
    // The limits that would close a busy subscriber are raised: nothing may be lost here.
    writeFileSync(
      configuration,
      `listen: "127.0.0.1:${port}"\nping_interval: "30m"\nmax_pending: 268435456\nwrite_deadline: "60s"\n`,
    );
    return ["-c", configuration];
  });
  const open = async () => {
    const wire = await new Wire(child.port).open();
    await wire.answerText("\r\n");
    wire.socket.write(
      `CONNECT {"verbose":false,"pedantic":false,"echo":true,"lang":"raw","version":"0","protocol":1}\r\n${PING}`,
    );
    await wire.answerText("PONG\r\n");
    return wire;
  };
  return {
    ...child,
    name: "nats",
    version,
    async openSink(channels, { payloadBytes }) {
      const wire = await open();
      const lines = channels.map((channel, index) => `SUB ${channel} ${FIRST_SUBSCRIPTION + index}\r\n`);
      wire.socket.write(lines.join("") + PING);
      await wire.answerText("PONG\r\n");
      const head = `MSG ${channels[0]} ${FIRST_SUBSCRIPTION} ${payloadBytes}\r\n`;
      return fixedSink(wire, {
        frameBytes: head.length + payloadBytes + 2,
        first: "M".charCodeAt(0),
        other: (buffer, at) => {
          if (buffer[at] !== PING.charCodeAt(0)) return 0;
          wire.socket.write("PONG\r\n");
          return PING.length;
        },
      });
    },
    async openSource() {
      const wire = await open();
      wire.stream(discard);
      return {
        wire,
        encode: (events) =>
          Buffer.concat(
            events.flatMap(({ channel, payload }) => [
              Buffer.from(`PUB ${channel} ${payload.length}\r\n`),
              payload,
              Buffer.from("\r\n"),
            ]),
          ),
      };
    },
  };
}
