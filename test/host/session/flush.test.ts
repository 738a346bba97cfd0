/**
 * Output: how many writes there are, when a slot is free again, and what slow peers may cost.
 */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { createSlots, SLOTS } from "../../../host/session/slots.ts";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { sizeDelimited } from "../../core-wasm/wire.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestService } from "../support/service.ts";

describe("one flush per sink and loop turn", () => {
  test.each([1, 2, 8, 64])(
    "%i sinks: one write each, however many publishes came in, and none on the publisher's side",
    (sinks) => {
      const { service, turn, settle } = createTestService();
      const carriers = Array.from({ length: sinks }, () => new TestCarrier(service));
      for (const carrier of carriers) carrier.join("c");
      const source = new TestCarrier(service);
      source.publish("c", 1);
      settle();
      const before = service.counters.writes;
      const own = source.writes.length;
      for (let publish = 0; publish < 50; publish++) source.publish("c", 10);
      expect(service.counters.writes).toBe(before);
      turn();
      expect(service.counters.writes - before).toBe(sinks);
      expect(source.writes.length).toBe(own);
      for (const carrier of carriers) expect(carrier.delivered()).toBe(501);
    },
  );

  test.each(["stream", "websocket", "websocket-json"] as const)(
    "%s: an event that does not fit behind a smaller one follows it",
    (kind) => {
      const { service, settle } = createTestService();
      const sink = new TestCarrier(service, kind);
      // A peer that answers no pings says itself how much it takes.
      const credit = { events: 10n, bytes: 10_000_000n };
      const frames = [
        encodeFrame({ kind: { case: "credit", value: credit } }),
        encodeFrame({ kind: { case: "join", value: { channel: "c" } } }),
      ].map(sizeDelimited);
      const texts = ['{"credit":{"events":10,"bytes":10000000}}', '{"join":{"channel":"c"}}'];
      // Masked by zeros, which changes nothing.
      const framed = (opcode: number, body: Uint8Array): number[] => [opcode, 0x80 | body.length, 0, 0, 0, 0, ...body];
      const inputs = {
        stream: frames.flatMap((frame) => [...frame]),
        websocket: frames.flatMap((frame) => framed(0x82, frame)),
        "websocket-json": texts.flatMap((text) => framed(0x81, new TextEncoder().encode(text))),
      };
      sink.connection.receive(new Uint8Array(inputs[kind]));
      settle();
      const before = service.statistics()["deliveriesTotal"] ?? 0;
      const source = { type: "t", dataContentType: "text/plain" };
      for (const bytes of [300_000, 1_000_000, 10])
        service.publish("c", [create(EventSchema, { ...source, data: new Uint8Array(bytes).fill(0x78) })]);
      settle();
      expect((service.statistics()["deliveriesTotal"] ?? 0) - before).toBe(3);
    },
  );

  test("what nobody gets costs no turn", () => {
    const { service, settle } = createTestService();
    const sink = new TestCarrier(service);
    sink.join("heard");
    const source = new TestCarrier(service);
    source.publish("heard", 1);
    source.publish("unheard", 1);
    settle();
    const before = service.counters.flushes;
    source.publish("unheard", 10);
    settle();
    expect(service.counters.flushes).toBe(before);
    source.publish("heard", 10);
    settle();
    expect(service.counters.flushes).toBe(before + 1);
    expect(sink.delivered()).toBe(11);
  });

  test("several sources of one turn share the write of a sink", () => {
    const { service, turn, settle } = createTestService();
    const sink = new TestCarrier(service);
    sink.join("c");
    const sources = Array.from({ length: 16 }, () => new TestCarrier(service));
    for (const source of sources) source.publish("c", 1);
    settle();
    const before = sink.writes.length;
    for (const source of sources) source.publish("c", 1);
    turn();
    expect(sink.writes.length - before).toBe(1);
  });

  test("an idle host schedules nothing", () => {
    const { service, settle, turn } = createTestService();
    const sink = new TestCarrier(service);
    sink.join("c");
    settle();
    expect(turn()).toBe(false);
  });

  test("more than fits a slot goes out over several turns", () => {
    const { service, settle } = createTestService();
    const sink = new TestCarrier(service);
    sink.join("c");
    const source = new TestCarrier(service);
    for (let publish = 0; publish < 30; publish++) source.publish("c", 100, new Uint8Array(1_000));
    settle();
    expect(sink.delivered()).toBe(3_000);
    expect(sink.writes.length).toBeGreaterThan(2);
  });
});

describe("slots", () => {
  test("createSlots() gives the lowest free slot and refuses to hold one twice", () => {
    const slots = createSlots();
    for (let slot = 0; slot < SLOTS; slot++) {
      expect(slots.free()).toBe(slot);
      slots.hold(slot);
    }
    expect(slots.free()).toBe(-1);
    expect(slots.held).toBe(SLOTS);
    slots.release(3);
    slots.release(7);
    expect(slots.free()).toBe(3);
    slots.hold(3);
    expect(slots.free()).toBe(7);
    expect(() => slots.hold(3)).toThrow(/held already/);
    expect(() => slots.release(7)).toThrow(/not held/);
  });

  test("bytes that a socket still sends are left alone until its write is done", () => {
    const { service, settle } = createTestService();
    const [slow, fast, source] = [new TestCarrier(service), new TestCarrier(service), new TestCarrier(service)];
    slow.join("c");
    fast.join("c");
    settle();
    slow.takes = false;
    source.publish("c", 5);
    settle();
    expect(service.slots.held).toBe(1);
    const held = slow.writes.at(-1);
    for (let round = 0; round < 20; round++) {
      source.publish("c", 50);
      settle();
    }
    expect(held?.bytes).toEqual(held?.copy);
    expect(fast.delivered()).toBe(1_005);
    expect(slow.delivered()).toBe(5);
    slow.takes = true;
    slow.connection.written();
    settle();
    expect(slow.delivered()).toBe(1_005);
    expect(service.slots.held).toBe(0);
  });

  test("a socket that goes away gives its slot back", () => {
    const { service, settle } = createTestService();
    const [slow, source] = [new TestCarrier(service), new TestCarrier(service)];
    slow.join("c");
    settle();
    slow.takes = false;
    source.publish("c", 5);
    settle();
    slow.connection.closed();
    expect(service.slots.held).toBe(0);
    expect(service.sessionCount).toBe(1);
  });
});

describe("stalled sinks", () => {
  test("a hundred of them hold few slots and few bytes, and the others go on", () => {
    const { service, settle } = createTestService();
    const stalled = Array.from({ length: 100 }, () => new TestCarrier(service));
    const live = new TestCarrier(service);
    for (const carrier of [...stalled, live]) carrier.join("c");
    settle();
    for (const carrier of stalled) carrier.takes = false;
    const source = new TestCarrier(service);
    for (let round = 0; round < 40; round++) {
      source.publish("c", 100, new Uint8Array(900));
      settle();
    }
    expect(live.delivered()).toBe(4_000);
    expect(service.slots.held).toBeLessThanOrEqual(SLOTS);
    const waiting = stalled.reduce((sum, carrier) => sum + (carrier.writes.at(-1)?.bytes.length ?? 0), 0);
    expect(waiting).toBeLessThanOrEqual(SLOTS * 1_179_648 + 100 * 65_536);
    // They come to life one after another: each gets all that its inbox kept.
    for (const carrier of stalled) {
      carrier.takes = true;
      carrier.connection.written();
    }
    settle();
    for (const carrier of stalled) expect(carrier.delivered()).toBe(4_000);
    expect(service.slots.held).toBe(0);
  });

  test("peers known to be slow leave slots to others, and their copies shrink as they grow in number", () => {
    const { service, settle } = createTestService();
    const count = 600;
    const stalled = Array.from({ length: count }, () => new TestCarrier(service));
    for (const carrier of stalled) carrier.join("c");
    settle();
    const source = new TestCarrier(service);
    for (const carrier of stalled) carrier.takes = false;
    source.publish("c", 1);
    settle();
    // Their first write stalled; now each has plenty to say and is known to be slow.
    for (let round = 0; round < 20; round++) source.publish("c", 100, new Uint8Array(1_000));
    for (const carrier of stalled) carrier.connection.written();
    settle();
    expect(service.slots.held).toBeLessThanOrEqual(4);
    const waiting = stalled.reduce((sum, carrier) => sum + (carrier.writes.at(-1)?.bytes.length ?? 0), 0);
    expect(waiting).toBeLessThan(4 * 1_179_648 + 16_777_216 + count * 4_096);
    expect(service.counters.writesCopied).toBeGreaterThan(500);
  });
});
