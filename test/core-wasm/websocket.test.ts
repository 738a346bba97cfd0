/**
 * RFC 6455 inside the core: what a client may do, and every way in which it may break the protocol.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc6455#section-5
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeEvent, encodeFrame } from "./frames.ts";
import { Harness } from "./harness.ts";
import {
  binaryMessage,
  clientFrame,
  closeMessage,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  serverFrames,
  textMessage,
} from "./websocket.ts";
import { bytesField, join, raw, sizeDelimited, utf8, varintField } from "./wire.ts";

const EMPTY = raw();

/** A WebSocket peer that is a source, and a TCP sink beside it. */
function session(kind: number = abi.CONNECTION_WEBSOCKET) {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [peer, sink] = [harness.open(kind), harness.open()];
  harness.source(peer, channel);
  harness.sink(sink, channel);
  const publish = (id: string, dataBytes = 0): Uint8Array => {
    const event = encodeEvent({ id, type: "t", data: new Uint8Array(dataBytes).fill(0xa5) });
    return sizeDelimited(bytesField(2, join(varintField(2, channel), bytesField(3, event))));
  };
  return { harness, channel, peer, sink, publish, ids: () => sink.events().map(({ id }) => id) };
}

/** A binary payload of exactly `bytes` bytes that publishes one event; 0 gives none. */
function payloadOf(bytes: number, publish: (id: string, dataBytes: number) => Uint8Array): Uint8Array {
  for (let data = Math.max(0, bytes - 60); data <= bytes; data++) {
    const payload = publish("x", data);
    if (payload.length === bytes) return payload;
  }
  throw new Error(`No publish of ${bytes} bytes`);
}

describe("lengths", () => {
  test.each([124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 131_072, 1_000_000])(
    "a message of %d bytes",
    (bytes) => {
      const { peer, publish, ids } = session();
      expect(peer.feed(binaryMessage(payloadOf(bytes, publish)))).toEqual([]);
      expect(ids()).toEqual(["x"]);
    },
  );

  test("a message larger than any frame, of many frames", () => {
    const { peer, publish, ids } = session();
    const frames = Array.from({ length: 60 }, (_, index) => publish(`${index}`, 60_000));
    expect(peer.feed(binaryMessage(join(...frames)))).toEqual([]);
    expect(ids()).toEqual(frames.map((_, index) => `${index}`));
  });

  test("an empty message is no frame and no fault", () => {
    const { peer, publish, ids } = session();
    expect(peer.feed(join(binaryMessage(EMPTY), binaryMessage(publish("x"))))).toEqual([]);
    expect(ids()).toEqual(["x"]);
  });

  test.each([
    { name: "125 in 2 bytes", payload: 125, lengthBytes: 2 as const },
    { name: "125 in 8 bytes", payload: 125, lengthBytes: 8 as const },
    { name: "65535 in 8 bytes", payload: 65_535, lengthBytes: 8 as const },
  ])("$name, not the shortest form, is refused", ({ payload, lengthBytes }) => {
    const { peer, publish } = session();
    const bytes = clientFrame(OPCODE_BINARY, payloadOf(payload, publish), { lengthBytes });
    expect(peer.feed(bytes)).toMatchObject([{ reason: "close", status: abi.STATUS_WEBSOCKET }]);
  });

  test.each([2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 10n, 2n ** 62n])(
    "a length of %d is too large or no length",
    (length) => {
      const { peer } = session();
      const [outcome] = peer.feed(clientFrame(OPCODE_BINARY, raw(1, 2, 3), { lengthBytes: 8, length }));
      if (outcome?.reason !== "close") throw new Error(`Expected "close", got ${outcome?.reason}`);
      expect([abi.STATUS_FRAME_TOO_LARGE, abi.STATUS_WEBSOCKET]).toContain(outcome.status);
    },
  );

  test("a length with its highest bit set is STATUS_WEBSOCKET", () => {
    const { peer } = session();
    const bytes = clientFrame(OPCODE_BINARY, raw(1), { lengthBytes: 8, length: 2n ** 63n });
    expect(peer.feed(bytes)).toMatchObject([{ reason: "close" }]);
  });
});

describe("masking", () => {
  test.each([
    ["zeros", raw(0, 0, 0, 0)],
    ["ones", raw(255, 255, 255, 255)],
    ["four different bytes", raw(1, 2, 4, 128)],
  ])("a key of %s", (_, key) => {
    const { peer, sink, publish } = session();
    for (let data = 0; data < 70; data++) {
      expect(peer.feed(clientFrame(OPCODE_BINARY, publish("x", data), { key }))).toEqual([]);
      expect([...(sink.events()[0]?.data ?? [])]).toEqual(Array(data).fill(0xa5));
    }
  });

  test("an unmasked frame is refused", () => {
    const { peer, publish, ids } = session();
    const bytes = clientFrame(OPCODE_BINARY, publish("x"), { masked: false });
    expect(peer.feed(bytes)).toMatchObject([{ reason: "close", status: abi.STATUS_WEBSOCKET }]);
    expect(ids()).toEqual([]);
  });
});

describe("the protocol is broken by", () => {
  const control = { fin: true };
  test.each([
    { name: "reserved bit 1", bytes: clientFrame(OPCODE_BINARY, EMPTY, { reserved: 4 }) },
    { name: "reserved bit 2", bytes: clientFrame(OPCODE_BINARY, EMPTY, { reserved: 2 }) },
    { name: "reserved bit 3", bytes: clientFrame(OPCODE_BINARY, EMPTY, { reserved: 1 }) },
    { name: "reserved bits of a ping", bytes: clientFrame(OPCODE_PING, EMPTY, { reserved: 4 }) },
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
      name: `opcode ${opcode}`,
      bytes: clientFrame(opcode, EMPTY),
    })),
    { name: "a fragmented ping", bytes: clientFrame(OPCODE_PING, EMPTY, { fin: false }) },
    { name: "a fragmented close", bytes: clientFrame(OPCODE_CLOSE, EMPTY, { fin: false }) },
    { name: "a ping of 126 bytes", bytes: clientFrame(OPCODE_PING, new Uint8Array(126), control) },
    { name: "a close of 1 byte", bytes: clientFrame(OPCODE_CLOSE, raw(3)) },
    { name: "a close with a reason that is no UTF-8", bytes: clientFrame(OPCODE_CLOSE, raw(3, 232, 0xff)) },
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((code) => ({
      name: `close code ${code}`,
      bytes: clientFrame(OPCODE_CLOSE, raw(code >> 8, code & 255)),
    })),
    { name: "a continuation of nothing", bytes: clientFrame(OPCODE_CONTINUATION, EMPTY) },
    {
      name: "a new message within a message",
      bytes: join(clientFrame(OPCODE_BINARY, EMPTY, { fin: false }), clientFrame(OPCODE_BINARY, EMPTY)),
    },
  ])("$name: STATUS_WEBSOCKET, whole or byte by byte", ({ bytes }) => {
    for (const splits of [[], Array.from({ length: bytes.length }, (_, index) => index)]) {
      const { peer, publish, ids } = session();
      peer.feed(binaryMessage(publish("before")));
      const outcomes = peer.feed(bytes, splits);
      const [outcome] = outcomes;
      if (outcome?.reason !== "close") throw new Error(`Expected "close", got ${outcome?.reason}`);
      expect([abi.STATUS_WEBSOCKET, abi.STATUS_WEBSOCKET_UTF8]).toContain(outcome.status);
      const later = peer.feed(binaryMessage(publish("after")));
      expect(later.filter(({ reason }) => reason !== "close")).toEqual([]);
      expect(ids()).toEqual(["before"]);
    }
  });

  test("text on a binary session, binary on a JSON session: STATUS_WEBSOCKET_KIND", () => {
    const binary = session();
    expect(binary.peer.feed(textMessage("{}"))).toMatchObject([{ reason: "close", status: abi.STATUS_WEBSOCKET_KIND }]);
    const json = session(abi.CONNECTION_WEBSOCKET_JSON);
    expect(json.peer.feed(binaryMessage(raw(0)))).toMatchObject([
      { reason: "close", status: abi.STATUS_WEBSOCKET_KIND },
    ]);
  });

  test("a message that ends within a frame: STATUS_WEBSOCKET_SPLIT, at each length", () => {
    const whole = session().publish("x");
    for (let length = 1; length < whole.length; length++) {
      const { peer, ids } = session();
      const outcomes = peer.feed(binaryMessage(whole.subarray(0, length)));
      expect(outcomes).toMatchObject([{ reason: "close", status: abi.STATUS_WEBSOCKET_SPLIT }]);
      expect(ids()).toEqual([]);
    }
  });
});

describe("messages and frames", () => {
  test("several size-delimited frames in one message", () => {
    const { peer, publish, ids } = session();
    peer.feed(binaryMessage(join(publish("1"), publish("2"), publish("3"))));
    expect(ids()).toEqual(["1", "2", "3"]);
  });

  test("a frame that straddles the fragments of one message, at every place", () => {
    const whole = join(session().publish("1"), session().publish("2"));
    for (let cut = 0; cut <= whole.length; cut++) {
      const { peer, ids } = session();
      const first = clientFrame(OPCODE_BINARY, whole.subarray(0, cut), { fin: false });
      const middle = clientFrame(OPCODE_CONTINUATION, EMPTY, { fin: false });
      const last = clientFrame(OPCODE_CONTINUATION, whole.subarray(cut), { key: raw(9, 8, 7, 6) });
      expect(peer.feed(join(first, middle, last))).toEqual([]);
      expect(ids()).toEqual(["1", "2"]);
    }
  });

  test("control frames between fragments are answered in between and leave the message whole", () => {
    const { peer, publish, ids } = session();
    const whole = publish("1", 300);
    const parts = [
      clientFrame(OPCODE_BINARY, whole.subarray(0, 100), { fin: false }),
      clientFrame(OPCODE_PING, utf8("between")),
      clientFrame(OPCODE_CONTINUATION, whole.subarray(100, 200), { fin: false }),
      clientFrame(OPCODE_PONG, utf8("unasked")),
      clientFrame(OPCODE_CONTINUATION, whole.subarray(200)),
    ];
    expect(peer.feed(join(...parts))).toEqual([]);
    expect(ids()).toEqual(["1"]);
    expect(peer.drain().controls).toEqual([{ opcode: OPCODE_PONG, payload: utf8("between") }]);
  });

  test("size prefix and payload split between fragments byte by byte", () => {
    const { peer, publish, ids } = session();
    const whole = publish("1", 200);
    const bytes = [...whole].map((byte, index) =>
      clientFrame(index === 0 ? OPCODE_BINARY : OPCODE_CONTINUATION, raw(byte), { fin: index === whole.length - 1 }),
    );
    expect(peer.feed(join(...bytes))).toEqual([]);
    expect(ids()).toEqual(["1"]);
  });

  test("a control frame of the protocol comes up in order among publishes of one message", () => {
    const { peer, publish, sink } = session();
    const ping = sizeDelimited(encodeFrame({ ref: 3, kind: { case: "ping", value: {} } }));
    expect(peer.feed(binaryMessage(join(publish("1"), ping, publish("2"))))).toMatchObject([
      { reason: "control", ref: 3 },
    ]);
    expect(sink.events().map(({ id }) => id)).toEqual(["1", "2"]);
  });
});

describe("ping, pong and close", () => {
  test.each([0, 1, 125])("a ping of %d bytes is answered with its bytes", (bytes) => {
    const { peer } = session();
    const payload = new Uint8Array(bytes).map((_, index) => index);
    peer.feed(clientFrame(OPCODE_PING, payload));
    expect(peer.drain().controls).toEqual([{ opcode: OPCODE_PONG, payload }]);
  });

  test("pingPush() writes one ping, its pong is silent", () => {
    const { harness, peer } = session();
    harness.core.pingPush(peer.id);
    expect(peer.drain().controls.map(({ opcode }) => opcode)).toEqual([OPCODE_PING]);
    expect(peer.feed(clientFrame(OPCODE_PONG, EMPTY))).toEqual([]);
    expect(peer.drain().bytes.length).toBe(0);
  });

  test.each([1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999])(
    "a close with code %d is told and echoed",
    (code) => {
      const { peer } = session();
      expect(peer.feed(closeMessage(code, "grüße"))).toEqual([{ reason: "closed", code }]);
      const [echo] = serverFrames(peer.drain().bytes);
      expect(echo?.opcode).toBe(OPCODE_CLOSE);
      expect([...(echo?.payload.subarray(0, 2) ?? [])]).toEqual([code >> 8, code & 255]);
    },
  );

  test("a close without a code is 1005 and echoed without one", () => {
    const { peer } = session();
    expect(peer.feed(closeMessage())).toEqual([{ reason: "closed", code: 1005 }]);
    const [echo] = serverFrames(peer.drain().bytes);
    expect(echo).toMatchObject({ opcode: OPCODE_CLOSE, payload: EMPTY });
  });

  test("after a close nothing is read any more", () => {
    const { peer, publish, ids } = session();
    const outcomes = peer.feed(join(closeMessage(1000), binaryMessage(publish("late"))));
    expect(outcomes).toEqual([{ reason: "closed", code: 1000 }]);
    peer.feed(binaryMessage(publish("later")));
    expect(ids()).toEqual([]);
  });

  test("closePush() writes one close with code and reason", () => {
    const { harness, peer } = session();
    harness.core.closePush(peer.id, 3500, abi.STAGE_OFFSET, harness.stage(utf8("Gone ä")));
    const [frame, ...rest] = serverFrames(peer.drain().bytes);
    expect(rest).toEqual([]);
    expect(frame).toMatchObject({ opcode: OPCODE_CLOSE, payload: join(raw(3500 >> 8, 3500 & 255), utf8("Gone ä")) });
  });

  test("pingPush() and closePush() do nothing on a stream", () => {
    const { harness, sink } = session();
    harness.core.pingPush(sink.id);
    harness.core.closePush(sink.id, 1000, abi.STAGE_OFFSET, 0);
    expect(sink.drain().bytes.length).toBe(0);
  });
});
