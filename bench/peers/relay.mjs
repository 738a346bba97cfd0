// The C relay that parses nothing: the floor. It carries the very frames that Sluice takes in, so the bytes are the same.
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { encodeEvent, publishFrame } from "../driver/sluice-frames.mjs";
import { Wire } from "../driver/wire.mjs";
import { discard, fixedSink } from "./fixed-sink.mjs";
import { startPeer, versionOf } from "./process-peer.mjs";

const SOURCE = "/bench/10";
const CHANNEL_NUMBER = 1;

/** One event in one frame, whatever the channel: nobody reads it on the way. @param {Buffer} payload */
const frameOf = (payload) => publishFrame(CHANNEL_NUMBER, [encodeEvent({ channel: "", payload }, SOURCE)]);

/** @returns {Promise<import('./peer.mjs').Peer>} @throws {Error} Where there is no C compiler. */
export async function startRelay() {
  const binary = path.join(mkdtempSync(path.join(tmpdir(), "bench-relay-")), "relay");
  execFileSync("cc", ["-O2", "-Wall", "-o", binary, path.join(import.meta.dirname, "servers/relay.c")]);
  const child = await startPeer(binary, (port) => [String(port)]);
  return {
    ...child,
    name: "relay",
    version: `cc ${versionOf("cc", ["--version"])}`,
    async openSink(_channels, { payloadBytes }) {
      const wire = await new Wire(child.port).open();
      wire.socket.write("K");
      await wire.answerText("K");
      const frame = frameOf(Buffer.alloc(payloadBytes));
      return fixedSink(wire, { frameBytes: frame.length, first: frame.readUInt8(0) });
    },
    async openSource() {
      const wire = await new Wire(child.port).open();
      wire.socket.write("S");
      wire.stream(discard);
      return { wire, encode: (events) => Buffer.concat(events.map(({ payload }) => frameOf(payload))) };
    },
  };
}
