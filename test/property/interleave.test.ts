/**
 * Goal: connections share one landing zone and one core, and nothing else. Method: several conversations are fed in random
 * parts, a part of one and then a part of another; each sink must get what it gets when its source is alone.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeEvent } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { clientFrame, OPCODE_BINARY, OPCODE_CONTINUATION, OPCODE_PING } from "../core-wasm/websocket.ts";
import { bytesField, join, raw, sizeDelimited, utf8, varintField } from "../core-wasm/wire.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const PEERS = 3;
const KINDS = [abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET];
const EVENTS = 8;

/** What peer `index` writes: publishes on the channel of the same number, with ids and data of its own. */
function conversation(index: number, kind: number): Uint8Array {
  const frames = Array.from({ length: EVENTS }, (_, place) => {
    const data = new Uint8Array(place * 40).fill(index * 16 + place);
    const event = encodeEvent({ id: `${index}-${place}`, type: "t", data });
    return sizeDelimited(bytesField(2, join(varintField(2, index + 1), bytesField(3, event))));
  });
  if (kind === abi.CONNECTION_STREAM) return join(...frames);
  const all = join(...frames);
  const cut = 77 + index;
  return join(
    clientFrame(OPCODE_BINARY, all.subarray(0, cut), { fin: false, key: raw(index + 1, 2, 3, 4) }),
    clientFrame(OPCODE_PING, utf8(`p${index}`)),
    clientFrame(OPCODE_CONTINUATION, all.subarray(cut), { key: raw(9, index + 8, 7, 6) }),
  );
}

test("interleaved parts of several connections read as each connection alone", { timeout: timeoutMs(60_000) }, () => {
  const turns = fc.array(fc.tuple(fc.nat({ max: PEERS - 1 }), fc.integer({ min: 1, max: 400 })), {
    maxLength: 60,
    size: "max",
  });
  fc.assert(
    fc.property(turns, (parts) => {
      const harness = Harness.create();
      const peers = KINDS.map((kind, index) => {
        const channel = harness.channel(`c${index}`);
        const [peer, sink] = [harness.open(kind), harness.open()];
        harness.source(peer, channel);
        harness.sink(sink, channel);
        return { peer, sink, bytes: conversation(index, kind), at: 0 };
      });
      const feed = (index: number, count: number): void => {
        const peer = peers[index] as (typeof peers)[number];
        expect(peer.peer.feed(peer.bytes.subarray(peer.at, peer.at + count))).toEqual([]);
        peer.at += count;
      };
      for (const [index, count] of parts) feed(index, count);
      for (let index = 0; index < PEERS; index++) feed(index, 1_000_000);
      peers.forEach(({ peer, sink }, index) => {
        const got = sink
          .drain()
          .deliveries.map(({ event, sequence }) => [event.id, sequence, event.data?.length, new Set(event.data)]);
        expect(got).toEqual(
          Array.from({ length: EVENTS }, (_, place) => [
            `${index}-${place}`,
            BigInt(place + 1),
            place * 40,
            new Set(place === 0 ? [] : [index * 16 + place]),
          ]),
        );
        const pongs = peer.drain().controls.map(({ payload }) => Buffer.from(payload).toString());
        expect(pongs).toEqual(KINDS[index] === abi.CONNECTION_STREAM ? [] : [`p${index}`]);
      });
    }),
    propertyParameters(100),
  );
});
