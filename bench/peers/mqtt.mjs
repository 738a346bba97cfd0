// MQTT 3.1.1 at QoS 0, as far as a load driver needs it; for mosquitto and aedes, which run with --nightly only.
import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { varint } from "../driver/protobuf.mjs";
import { Wire } from "../driver/wire.mjs";
import { discard, fixedSink } from "./fixed-sink.mjs";
import { startPeer, versionOf } from "./process-peer.mjs";

const CONNECT = 0x10;
const PUBLISH = 0x30;
const SUBSCRIBE = 0x82;
const CONNACK_BYTES = 4;
/** Subscriptions of one packet. */
const GROUP = 500;

/** @param {string} text */
function string(text) {
  const bytes = Buffer.alloc(2 + text.length);
  bytes.writeUInt16BE(text.length);
  bytes.write(text, 2, "latin1");
  return bytes;
}

/** @param {number} kind @param {Buffer} body */
const packet = (kind, body) => Buffer.concat([Buffer.from([kind]), varint(body.length), body]);

let clients = 0;

/** @param {number} port */
async function open(port) {
  const wire = await new Wire(port).open();
  // Protocol level 4, clean session, no keep-alive.
  wire.socket.write(
    packet(
      CONNECT,
      Buffer.concat([string("MQTT"), Buffer.from([4, 2, 0, 0]), string(`bench-${process.pid}-${++clients}`)]),
    ),
  );
  await wire.answer((kept) => (kept.length >= CONNACK_BYTES ? CONNACK_BYTES : -1));
  return wire;
}

/**
 * What a broker that speaks MQTT offers.
 *
 * @param {number} port
 * @returns {Pick<import('./peer.mjs').Peer, 'openSink' | 'openSource'>}
 */
function overMqtt(port) {
  const publish = (/** @type {string} */ channel, /** @type {Buffer} */ payload) =>
    packet(PUBLISH, Buffer.concat([string(channel), payload]));
  return {
    async openSink(channels, { payloadBytes }) {
      const wire = await open(port);
      for (let i = 0; i < channels.length; i += GROUP) {
        const group = channels.slice(i, i + GROUP);
        const filters = group.map((channel) => Buffer.concat([string(channel), Buffer.from([0])]));
        wire.socket.write(packet(SUBSCRIBE, Buffer.concat([Buffer.from([0, 1]), ...filters])));
        const answerBytes = 1 + varint(2 + group.length).length + 2 + group.length;
        await wire.answer((kept) => (kept.length >= answerBytes ? answerBytes : -1));
      }
      return fixedSink(wire, {
        frameBytes: publish(channels[0] ?? "", Buffer.alloc(payloadBytes)).length,
        first: PUBLISH,
      });
    },
    async openSource() {
      const wire = await open(port);
      wire.stream(discard);
      return {
        wire,
        encode: (events) => Buffer.concat(events.map(({ channel, payload }) => publish(channel, payload))),
      };
    },
  };
}

/** @returns {Promise<import('./peer.mjs').Peer>} */
export async function startMosquitto() {
  const version = versionOf("mosquitto", ["-h"]);
  const configuration = path.join(mkdtempSync(path.join(tmpdir(), "bench-mosquitto-")), "mosquitto.conf");
  const child = await startPeer("mosquitto", (port) => {
    const lines = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence false",
      "max_queued_messages 0",
      "max_inflight_messages 0",
      "set_tcp_nodelay true",
      "log_type none",
    ];
    writeFileSync(configuration, `${lines.join("\n")}\n`);
    return ["-c", configuration];
  });
  return { ...child, name: "mosquitto", version, ...overMqtt(child.port) };
}

/** @returns {Promise<import('./peer.mjs').Peer>} @throws {Error} Where the package is not installed (tools/package.json). */
export async function startAedes() {
  const { version } = createRequire(path.join(import.meta.dirname, "../../tools/package.json"))("aedes/package.json");
  const child = await startPeer(process.execPath, (port) => [
    path.join(import.meta.dirname, "servers/aedes-broker.mjs"),
    String(port),
  ]);
  return { ...child, name: "aedes", version, ...overMqtt(child.port) };
}
