/** A WebSocket of JSON text: messages come up whole and checked, the host renders what goes down. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";
import {
  clientFrame,
  closeMessage,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  textMessage,
} from "./websocket.ts";
import { join, raw, utf8 } from "./wire.ts";

const EMPTY = raw();

/** A JSON peer that is a sink, and a source beside it. */
function jsonSession() {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [peer, source] = [harness.open(abi.CONNECTION_WEBSOCKET_JSON), harness.open()];
  harness.source(source, channel);
  harness.sink(peer, channel);
  return { harness, channel, peer, source };
}

describe("text messages of a JSON session", () => {
  test.each(["", "{}", "[1]", "ä€😀", "x".repeat(70_000)])("come up whole (%#)", (text) => {
    const { peer } = jsonSession();
    expect(peer.feed(textMessage(text))).toEqual([{ reason: "text", text }]);
    const bytes = utf8(text);
    const cut = bytes.length >> 1;
    const fragments = join(
      clientFrame(OPCODE_TEXT, bytes.subarray(0, cut), { fin: false }),
      clientFrame(OPCODE_PING, EMPTY),
      clientFrame(OPCODE_CONTINUATION, bytes.subarray(cut)),
    );
    expect(peer.feed(fragments)).toEqual([{ reason: "text", text }]);
  });

  test.each([raw(0xff), raw(0xc3), raw(0xed, 0xa0, 0x80)])("that are no UTF-8 close the connection (%#)", (bytes) => {
    const { peer } = jsonSession();
    const outcomes = peer.feed(clientFrame(OPCODE_TEXT, join(utf8("{}"), bytes)));
    expect(outcomes).toMatchObject([{ reason: "close", status: abi.STATUS_WEBSOCKET_UTF8 }]);
  });

  test("beyond FRAME_BYTES_MAX are refused, in fragments too", () => {
    const text = new Uint8Array(abi.FRAME_BYTES_MAX / 2 + 1).fill(0x61);
    const { peer } = jsonSession();
    const first = clientFrame(OPCODE_TEXT, text, { fin: false });
    const outcomes = peer.feed(join(first, clientFrame(OPCODE_CONTINUATION, text)));
    expect(outcomes).toMatchObject([
      { reason: "close", status: abi.STATUS_FRAME_TOO_LARGE, limit: abi.FRAME_BYTES_MAX },
    ]);
  });
});

describe("what goes down on a JSON session", () => {
  test("deliveries are plain size-delimited frames, control frames travel between them as they are", () => {
    const { harness, channel, peer, source } = jsonSession();
    peer.feed(clientFrame(OPCODE_PING, utf8("p")));
    harness.core.pingPush(peer.id);
    source.publish(channel, [{ type: "t" }]);
    const { frames, controls } = peer.drain();
    expect(frames.map(({ kind }) => kind.case)).toEqual(["deliver"]);
    expect(controls).toEqual([
      { opcode: OPCODE_PONG, payload: utf8("p") },
      { opcode: OPCODE_PING, payload: EMPTY },
    ]);
  });

  test("a close is echoed, closePush() writes one", () => {
    const { peer } = jsonSession();
    expect(peer.feed(closeMessage(1000))).toEqual([{ reason: "closed", code: 1000 }]);
    expect(peer.drain().controls).toEqual([{ opcode: OPCODE_CLOSE, payload: raw(3, 232) }]);
    const other = jsonSession();
    other.harness.core.closePush(other.peer.id, 3500, abi.STAGE_OFFSET, other.harness.stage(utf8("x")));
    expect(other.peer.drain().controls).toEqual([{ opcode: OPCODE_CLOSE, payload: join(raw(13, 172), utf8("x")) }]);
  });

  test("a frame that the host translates goes in by ingestFrame(), between two messages in order", () => {
    const { channel, peer } = jsonSession();
    expect(peer.feed(textMessage('{"publish":{}}'))).toMatchObject([{ reason: "text" }]);
    expect(peer.publish(channel, [{ type: "t" }], 4)).toMatchObject([{ reason: "receipt", ref: 4 }]);
    expect(peer.events().map(({ type }) => type)).toEqual(["t"]);
  });
});
