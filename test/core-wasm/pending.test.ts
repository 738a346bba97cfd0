import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { HostFrameSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import type { TestConnection } from "./connection.ts";
import { Harness, type HarnessOptions } from "./harness.ts";
import { splitSizeDelimited } from "./wire.ts";

const REDELIVER_MS = 1_000;
const ATTEMPTS = 3;

interface Acked {
  readonly harness: Harness;
  readonly channel: number;
  readonly source: TestConnection;
  readonly sink: TestConnection;
  /** Publishes events of these types. */
  publish(...types: string[]): void;
  /** Drains: `number/attempt type`. */
  drain(): string[];
  ack(value: { through?: bigint; numbers?: bigint[] }): string[];
  tick(advanceMs: number): number;
  /** What was given up: `number/attempt type`. */
  dead(): string[];
  kept(): number;
}

/** A sink whose deliveries wait for acknowledgements. */
function acked(options: HarnessOptions = {}, kind: number = abi.CONNECTION_STREAM): Acked {
  const harness = Harness.create(options);
  const channel = harness.channel("c");
  const source = harness.open();
  const sink = harness.open(kind);
  harness.source(source, channel);
  harness.sink(sink, channel);
  expect(harness.core.inboxAcks(sink.id, 1, REDELIVER_MS, ATTEMPTS)).toBe(abi.STATUS_OK);
  return {
    harness,
    channel,
    source,
    sink,
    publish: (...types) =>
      void source.publish(
        channel,
        types.map((type) => ({ type })),
      ),
    drain: () => sink.drain().deliveries.map(({ number, attempt, event }) => `${number}/${attempt} ${event.type}`),
    ack: (value) => sink.send({ ref: 1, kind: { case: "ack", value } }).map(({ reason }) => reason),
    tick(advanceMs) {
      harness.now += advanceMs;
      return harness.core.inboxTick(sink.id, harness.now);
    },
    dead() {
      const found: string[] = [];
      for (;;) {
        const bytes = harness.core.inboxDead(sink.id, abi.STAGE_OFFSET);
        if (bytes === 0) return found;
        const [frame] = splitSizeDelimited(harness.memory.slice(abi.STAGE_OFFSET, abi.STAGE_OFFSET + bytes));
        const { kind: told } = fromBinary(HostFrameSchema, frame as Uint8Array);
        if (told.case !== "deliver") throw new Error(`A ${told.case}`);
        for (const { number, attempt, event } of told.value.events) found.push(`${number}/${attempt} ${event?.type}`);
      }
    },
    kept: () => harness.core.inboxKept(sink.id),
  };
}

describe("inboxAcks()", () => {
  test.each([abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET_JSON, abi.CONNECTION_LOCAL])(
    "keeps what was delivered until it is acknowledged, on connections of kind %i",
    (kind) => {
      const { publish, drain, ack, tick, kept } = acked({}, kind);
      publish("a", "b", "c");
      expect(drain()).toEqual(["1/1 a", "2/1 b", "3/1 c"]);
      expect(kept()).toBe(3);
      expect(ack({ numbers: [2n] })).toEqual(["answer"]);
      expect(kept()).toBe(2);
      expect(tick(REDELIVER_MS - 1)).toBe(1);
      expect(drain()).toEqual([]);
      tick(1);
      publish("d");
      expect(drain()).toEqual(["1/2 a", "3/2 c", "4/1 d"]);
      expect(ack({ through: 4n })).toEqual(["answer"]);
      expect(kept()).toBe(0);
      expect(tick(1e9)).toBe(-1);
      expect(drain()).toEqual([]);
    },
  );

  test("doubles the time after each delivery, and gives up after the last", () => {
    const { publish, drain, tick, dead, kept } = acked();
    publish("a");
    expect(drain()).toEqual(["1/1 a"]);
    tick(REDELIVER_MS);
    expect(drain()).toEqual(["1/2 a"]);
    expect(tick(0)).toBe(2 * REDELIVER_MS);
    expect(tick(2 * REDELIVER_MS - 1)).toBe(1);
    expect(drain()).toEqual([]);
    tick(1);
    expect(drain()).toEqual(["1/3 a"]);
    tick(4 * REDELIVER_MS);
    expect(drain()).toEqual([]);
    expect(kept()).toBe(1);
    expect(dead()).toEqual(["1/3 a"]);
    expect(kept()).toBe(0);
    expect(dead()).toEqual([]);
  });

  test("an acknowledgement of what waits to be sent again keeps it from being sent", () => {
    const { publish, drain, tick, ack, kept } = acked();
    publish("a", "b");
    drain();
    tick(REDELIVER_MS);
    ack({ numbers: [1n] });
    expect(drain()).toEqual(["2/2 b"]);
    expect(ack({ numbers: [1n, 2n] })).toEqual(["answer"]);
    expect(ack({ through: 2n })).toEqual(["answer"]);
    expect(kept()).toBe(0);
  });

  test("a frame that names a number never delivered acknowledges nothing", () => {
    const { publish, drain, ack, kept } = acked();
    publish("a", "b");
    drain();
    expect(ack({ numbers: [1n, 3n] })).toEqual(["problem"]);
    expect(ack({ numbers: [1n, 0n] })).toEqual(["problem"]);
    expect(ack({ through: 3n })).toEqual(["problem"]);
    expect(kept()).toBe(2);
  });

  test("what is kept counts against the capacity, and what overflows is told", () => {
    const { harness, sink, publish, drain, ack } = acked();
    sink.inbox(3, 1 << 20, abi.OVERFLOW_DROP_OLDEST);
    publish("a", "b");
    expect(drain()).toEqual(["1/1 a", "2/1 b"]);
    publish("c", "d");
    expect(harness.core.inboxEvents(sink.id)).toBe(1);
    expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(1);
    ack({ through: 1n });
    publish("e");
    expect(drain()).toEqual(["3/1 d", "4/1 e"]);
    publish("f");
    expect(drain()).toEqual([]);
    ack({ through: 4n });
    publish("g", "h", "i");
    expect(drain()).toEqual(["5/1 g", "6/1 h", "7/1 i"]);
  });

  test("capacity that is changed meanwhile counts from then, less than what is kept included", () => {
    const { harness, sink, publish, drain, ack } = acked();
    publish("a", "b", "c");
    drain();
    sink.inbox(2, 1 << 20, abi.OVERFLOW_DROP_OLDEST);
    publish("d");
    expect(drain()).toEqual([]);
    ack({ numbers: [1n, 2n] });
    publish("e", "f");
    expect(drain()).toEqual(["4/1 f"]);
    harness.core.inboxAcks(sink.id, 0, 0, 0);
    publish("g", "h");
    expect(drain()).toEqual(["5/1 g", "6/1 h"]);
  });

  test("block holds publishers back while too much waits for acknowledgements, and lets them go after", () => {
    const { channel, source, sink, publish, drain, ack } = acked();
    sink.inbox(8, 1 << 20, abi.OVERFLOW_BLOCK);
    publish("1", "2", "3", "4");
    expect(drain()).toHaveLength(4);
    // At the mark: what comes now waits in the outbox of its source, however little waits in the inbox.
    expect(source.receipt(channel, [{ type: "5" }])).toMatchObject([{ sequence: 0n }]);
    expect(drain()).toEqual([]);
    ack({ through: 3n });
    expect(drain()).toEqual(["5/1 5"]);
  });

  test("reject refuses while what waits for acknowledgements fills the inbox", () => {
    const { channel, source, sink, publish, drain, ack } = acked();
    sink.inbox(1, 1 << 20, abi.OVERFLOW_REJECT);
    publish("a");
    expect(drain()).toEqual(["1/1 a"]);
    expect(source.receipt(channel, [{ type: "b" }])).toMatchObject([{ status: abi.STATUS_MAILBOX_FULL }]);
    ack({ numbers: [1n] });
    expect(source.receipt(channel, [{ type: "c" }])).toMatchObject([{ status: abi.STATUS_OK }]);
    expect(drain()).toEqual(["2/1 c"]);
  });

  test("what is sent again needs credit like anything else", () => {
    const { sink, publish, drain, tick } = acked();
    sink.credit(2, 1 << 20);
    publish("a", "b", "c");
    expect(drain()).toEqual(["1/1 a", "2/1 b"]);
    tick(REDELIVER_MS);
    expect(drain()).toEqual([]);
    sink.credit(3, 0);
    expect(drain()).toEqual(["1/2 a", "2/2 b", "3/1 c"]);
  });

  test("whole frames leave however little room there is", () => {
    const { sink, publish, drain, tick } = acked();
    publish("a", "b");
    drain();
    tick(REDELIVER_MS);
    expect(sink.drainOnce(1).deliveries).toMatchObject([{ number: 1n, attempt: 2 }]);
    expect(sink.drainOnce(1).deliveries).toMatchObject([{ number: 2n, attempt: 2 }]);
    expect(sink.drainOnce(1).deliveries).toEqual([]);
  });

  test("leaving forgets what was delivered of that channel, and counts it", () => {
    const { harness, channel, sink, publish, drain, tick, kept } = acked();
    const other = harness.channel("other");
    const member = harness.sink(sink, other);
    publish("a");
    sink.publish(other, [{ type: "b" }]);
    expect(drain()).toEqual(["1/1 a", "2/1 b"]);
    harness.core.memberRemove(sink.id, member);
    expect(kept()).toBe(1);
    expect(harness.core.channelLost(other, abi.DROPPED_LEFT)).toBe(1);
    tick(REDELIVER_MS);
    expect(drain()).toEqual(["1/2 a"]);
    harness.core.channelRemove(channel);
    expect(kept()).toBe(0);
  });

  test("closing gives all memory back", () => {
    const { harness, sink, publish, drain } = acked();
    publish("a", "b");
    drain();
    expect(harness.statistic(abi.STATISTIC_KEPT)).toBe(2);
    expect(harness.statistic(abi.STATISTIC_KEPT_BYTES)).toBeGreaterThan(0);
    harness.core.connectionClose(sink.id);
    expect(harness.statistic(abi.STATISTIC_KEPT)).toBe(0);
    expect(harness.statistic(abi.STATISTIC_KEPT_BYTES)).toBe(0);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(2);
  });

  test("switching it off counts all as acknowledged; switching it on does not look back", () => {
    const { harness, sink, publish, drain, tick, kept } = acked();
    publish("a");
    drain();
    harness.core.inboxAcks(sink.id, 0, 0, 0);
    expect(kept()).toBe(0);
    publish("b");
    expect(drain()).toEqual(["2/1 b"]);
    harness.core.inboxAcks(sink.id, 1, REDELIVER_MS, 2);
    publish("c");
    expect(drain()).toEqual(["3/1 c"]);
    tick(REDELIVER_MS);
    expect(drain()).toEqual(["3/2 c"]);
  });

  test("what cannot be kept for want of memory stays in the inbox until there is some", () => {
    const { harness, source, channel, sink, drain, ack, tick, kept } = acked({ poolBytes: 8 << 20 });
    sink.inbox(100_000, 1 << 30, abi.OVERFLOW_DROP_OLDEST);
    const data = new Uint8Array(30_000);
    let delivered = 0;
    for (let round = 0; round < 300; round++) {
      source.publish(channel, [{ type: "t", data }]);
      delivered += drain().length;
    }
    expect(delivered).toBeGreaterThan(10);
    expect(delivered).toBe(kept());
    const waiting = harness.core.inboxEvents(sink.id);
    expect(waiting).toBeGreaterThan(0);
    expect(drain()).toEqual([]);
    ack({ through: BigInt(delivered) });
    expect(harness.dirty()).toContain(sink.id);
    expect(drain().length).toBeGreaterThan(0);
    expect(tick(0)).toBe(REDELIVER_MS);
  });

  test("what is late by now is not sent again where the channel drops late events", () => {
    const { harness, source, sink, drain, tick, kept } = acked();
    const channel = harness.channel("d", { flags: abi.CHANNEL_LATE_DROP });
    harness.sink(sink, channel);
    source.publish(channel, [{ type: "a", ttlMs: 500n }, { type: "b" }]);
    expect(drain()).toEqual(["1/1 a", "2/1 b"]);
    tick(REDELIVER_MS);
    const drained = sink.drain();
    expect(drained.deliveries.map(({ number }) => number)).toEqual([2n]);
    expect(kept()).toBe(1);
    expect(harness.core.channelLost(channel, abi.DROPPED_LATE)).toBe(1);
  });

  test("numbers of connections that are gone do nothing", () => {
    const { harness } = acked();
    expect(harness.core.inboxAcks(99, 1, 1, 1)).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.inboxTick(99, 0)).toBe(-1);
    expect(harness.core.inboxDead(99, abi.STAGE_OFFSET)).toBe(0);
    expect(harness.core.inboxKept(99)).toBe(0);
    harness.core.channelLose(99, abi.DROPPED_ATTEMPTS, 1);
    harness.core.channelLose(1, 99, 1);
  });
});
