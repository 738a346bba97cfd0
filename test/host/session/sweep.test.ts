/**
 * Peers that fall silent, on a clock that the test moves.
 */
import { describe, expect, test } from "vitest";
import { codes } from "../../../host/errors.ts";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { clientFrame, OPCODE_BINARY, OPCODE_PING, OPCODE_PONG, serverFrames } from "../../core-wasm/websocket.ts";
import { sizeDelimited } from "../../core-wasm/wire.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestService } from "../support/service.ts";

const limits = { handshakeMs: 10_000, frameMs: 30_000, stallMs: 60_000, pingMs: 25_000, pongMs: 15_000 };
const frame = sizeDelimited(encodeFrame({ kind: { case: "ping", value: {} } }));

describe("a stream that has sent no whole frame", () => {
  const play = (kind: "stream" | "websocket", chunks: readonly (readonly number[])[], seconds: number) => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service, kind);
    for (let second = 0; second < seconds; second++) {
      carrier.connection.receive(Uint8Array.from(chunks[second] ?? []));
      clock.advance(1_000);
      settle();
    }
    return { carrier, service };
  };

  test.each([
    { name: "says nothing", bytes: [] },
    // A size prefix of 1,000,000 bytes in pieces, then its first bytes.
    { name: "trickles the beginning of a large frame", bytes: [[0xc0], [0x84], [0x3d], ...Array(20).fill([0x0a])] },
  ])("is closed after handshakeMs where it $name, and the peer is told", ({ bytes }) => {
    expect(play("stream", bytes, 9).carrier.ended).toBe(false);
    const { carrier, service } = play("stream", bytes, 13);
    expect(carrier.ended).toBe(true);
    expect(carrier.frames()).toMatchObject([{ case: "problem", value: { code: "frame_timeout" } }]);
    expect(service.sessionCount).toBe(0);
  });

  test("is not closed once it has sent one, however long it is silent then", () => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service);
    // Always with the beginning of the next one: no read ends where a frame does.
    carrier.connection.receive(new Uint8Array([...frame, ...frame.subarray(0, 1)]));
    clock.advance(9_000);
    carrier.connection.receive(frame.subarray(1));
    for (let minute = 0; minute < 10; minute++) {
      clock.advance(60_000);
      settle();
    }
    expect(carrier.ended).toBe(false);
    expect(service.sessionCount).toBe(1);
  });

  test("is no WebSocket: that has shaken hands, and is pinged", () => {
    expect(play("websocket", [], 13).carrier.ended).toBe(false);
  });
});

describe("a frame that is not finished", () => {
  test("ends the session after frameMs, and the peer is told", () => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service);
    carrier.connection.receive(frame);
    carrier.connection.receive(frame.subarray(0, 2));
    clock.advance(30_000);
    settle();
    expect(carrier.ended).toBe(false);
    clock.advance(3_000);
    settle();
    expect(carrier.ended).toBe(true);
    expect(carrier.frames().at(-1)).toMatchObject({ case: "problem", value: { code: "frame_timeout" } });
    expect(service.sessionCount).toBe(0);
  });

  test("trickling bytes do not help", () => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service);
    const long = sizeDelimited(encodeFrame({ kind: { case: "hello", value: { client: "x".repeat(100) } } }));
    carrier.connection.receive(frame);
    for (let at = 0; at < 40 && !carrier.ended; at++) {
      carrier.connection.receive(long.subarray(at, at + 1));
      clock.advance(1_000);
      settle();
    }
    expect(carrier.ended).toBe(true);
  });

  test("many frames that are always cut do no harm, as long as each is finished", () => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service);
    carrier.connection.receive(frame.subarray(0, 1));
    for (let second = 0; second < 100; second++) {
      carrier.connection.receive(new Uint8Array([...frame.subarray(1), ...frame.subarray(0, 1)]));
      clock.advance(1_000);
      settle();
    }
    expect(carrier.ended).toBe(false);
  });

  test("a message of a WebSocket counts as well", () => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service, "websocket");
    carrier.connection.receive(clientFrame(OPCODE_BINARY, frame).subarray(0, 3));
    for (let second = 0; second < 20; second++) {
      clock.advance(1_000);
      settle();
    }
    expect(carrier.ended).toBe(false);
    clock.advance(12_000);
    settle();
    expect(carrier.ended).toBe(true);
  });
});

describe("a peer that does not read", () => {
  test("is dropped after stallMs without progress", () => {
    const { service, clock, settle, log } = createTestService(limits);
    const [slow, source] = [new TestCarrier(service), new TestCarrier(service)];
    slow.join("c");
    settle();
    slow.takes = false;
    source.publish("c", 1);
    settle();
    clock.advance(59_000);
    expect(slow.destroyed).toBe(false);
    clock.advance(3_000);
    expect(slow.destroyed).toBe(true);
    expect(log).toContainEqual(expect.objectContaining({ message: "session dropped", code: "slow_consumer" }));
    expect(service.channels.get("c")?.sinks()).toBe(0);
    // The carrier's "close" follows; only then is the slot free, for the system may have looked at it until then.
    expect(service.slots.held).toBe(1);
    slow.connection.closed();
    expect(service.slots.held).toBe(0);
  });

  test("is left alone while it makes progress", () => {
    const { service, clock, settle } = createTestService(limits);
    const [slow, source] = [new TestCarrier(service), new TestCarrier(service)];
    slow.join("c");
    settle();
    slow.takes = false;
    source.publish("c", 100);
    settle();
    let waiting = 5_000;
    slow.pendingBytes = () => waiting;
    for (let step = 0; step < 20; step++) {
      waiting -= 10;
      clock.advance(50_000);
    }
    expect(slow.destroyed).toBe(false);
  });

  test("is dropped when it does not even take its goodbye", () => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service);
    carrier.join("c");
    settle();
    carrier.takes = false;
    carrier.send({ kind: { case: "ping", value: {} } });
    settle();
    carrier.connection.receive(new Uint8Array([0]));
    settle();
    expect(carrier.destroyed).toBe(false);
    clock.advance(7_000);
    expect(carrier.destroyed).toBe(true);
  });
});

describe("a silent WebSocket", () => {
  const controls = (carrier: TestCarrier): number[] =>
    carrier.writes
      .flatMap(({ copy }) => serverFrames(copy).map(({ opcode }) => opcode))
      .filter((opcode) => opcode >= 8);

  test.each(["websocket", "websocket-json"] as const)("%s: is pinged, and closed where no answer comes", (kind) => {
    const { service, clock, settle } = createTestService(limits);
    const carrier = new TestCarrier(service, kind);
    clock.advance(27_000);
    settle();
    expect(controls(carrier)).toEqual([OPCODE_PING]);
    clock.advance(16_000);
    settle();
    expect(carrier.ended).toBe(true);
    const last = serverFrames(carrier.writes.at(-1)?.copy ?? new Uint8Array(0)).at(-1);
    expect(((last?.payload[0] ?? 0) << 8) | (last?.payload[1] ?? 0)).toBe(codes.frame_timeout.close);
  });

  test("a pong keeps it, and TCP is left to the system", () => {
    const { service, clock, settle } = createTestService(limits);
    const [socket, stream] = [new TestCarrier(service, "websocket"), new TestCarrier(service)];
    stream.connection.receive(frame);
    for (let round = 0; round < 10; round++) {
      clock.advance(27_000);
      settle();
      socket.connection.receive(clientFrame(OPCODE_PONG, new Uint8Array(0)));
    }
    expect(controls(socket).length).toBeGreaterThan(5);
    expect(socket.ended).toBe(false);
    expect(stream.ended).toBe(false);
    expect(stream.frames()).toMatchObject([{ case: "pong" }]);
  });
});

describe("the sweeper", () => {
  test("has no timer while there is no session", () => {
    const { service, clock } = createTestService(limits);
    expect(clock.waiting).toBe(0);
    const carrier = new TestCarrier(service);
    expect(clock.waiting).toBe(1);
    carrier.connection.closed();
    clock.advance(2_000);
    expect(clock.waiting).toBe(0);
  });
});
