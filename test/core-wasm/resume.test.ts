import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { Harness } from "./harness.ts";

const kinds = [abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET_JSON];

/** A sink whose last deliveries are kept. */
function windowed(events = 100, bytes = 100_000) {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const source = harness.open();
  const sink = harness.open();
  harness.source(source, channel);
  harness.sink(sink, channel);
  expect(harness.core.inboxWindow(sink.id, events, bytes)).toBe(abi.STATUS_OK);
  return {
    harness,
    channel,
    source,
    sink,
    publish: (...types: string[]) =>
      void source.publish(
        channel,
        types.map((type) => ({ type })),
      ),
  };
}

const told = (connection: TestConnection): string[] =>
  connection.drain().deliveries.map(({ number, attempt, event }) => `${number}/${attempt} ${event.type}`);

/** Goes on with a session over another connection; the harness's face of it. */
function back(harness: Harness, sink: TestConnection, received: number, kind: number = abi.CONNECTION_STREAM) {
  const carrier = harness.open(kind);
  harness.core.connectionDetach(sink.id);
  const status = harness.core.connectionResume(sink.id, carrier.id, received, harness.now);
  harness.core.inboxHold(sink.id, 0);
  if (status === abi.STATUS_OK) harness.core.connectionClose(carrier.id);
  return { status, session: harness.adopt(sink.id, kind) };
}

describe("connectionResume()", () => {
  test.each(kinds)("delivers again what was not received, and goes on, on a carrier of kind %i", (kind) => {
    const { harness, sink, publish } = windowed();
    publish("a", "b", "c");
    expect(told(sink)).toEqual(["1/1 a", "2/1 b", "3/1 c"]);
    harness.core.connectionDetach(sink.id);
    publish("d");
    const { status, session } = back(harness, sink, 1, kind);
    expect(status).toBe(abi.STATUS_OK);
    expect(told(session)).toEqual(["2/2 b", "3/2 c", "4/1 d"]);
    publish("e");
    expect(told(session)).toEqual(["5/1 e"]);
  });

  test("takes what came split before the change with what comes after it", () => {
    const { harness, sink, channel } = windowed();
    const carrier = harness.open();
    const frame = carrier.wrap(Uint8Array.of(0x12, 0x02, 0x10, channel));
    carrier.feed(frame.subarray(0, 2));
    harness.core.connectionDetach(sink.id);
    harness.core.connectionResume(sink.id, carrier.id, 0, harness.now);
    expect(harness.core.connectionPartial(sink.id)).toBe(2);
    expect(harness.core.connectionPartial(carrier.id)).toBe(0);
    harness.core.connectionClose(carrier.id);
    harness.adopt(sink.id, abi.CONNECTION_STREAM).feed(frame.subarray(2));
    expect(harness.core.connectionPartial(sink.id)).toBe(0);
  });

  test("STATUS_ACK_UNKNOWN beyond what was delivered, STATUS_RESUME_GAP for what is not kept; nothing changes", () => {
    const { harness, sink, publish } = windowed(2);
    publish("a", "b", "c");
    told(sink);
    expect(back(harness, sink, 4).status).toBe(abi.STATUS_ACK_UNKNOWN);
    expect(back(harness, sink, 0).status).toBe(abi.STATUS_RESUME_GAP);
    expect(harness.result(abi.RESULT_LIMIT)).toBe(1);
    const { status, session } = back(harness, sink, 1);
    expect(status).toBe(abi.STATUS_OK);
    expect(told(session)).toEqual(["2/2 b", "3/2 c"]);
  });

  test("a window holds no more bytes than it may, and nothing that is larger", () => {
    const { harness, sink, channel, source } = windowed(100, 3_000);
    source.publish(channel, [
      { type: "a", data: new Uint8Array(1_000) },
      { type: "b", data: new Uint8Array(1_000) },
    ]);
    told(sink);
    expect(harness.core.connectionResumable(sink.id, 0)).toBe(abi.STATUS_OK);
    source.publish(channel, [{ type: "c", data: new Uint8Array(1_000) }]);
    told(sink);
    expect(harness.core.connectionResumable(sink.id, 0)).toBe(abi.STATUS_RESUME_GAP);
    expect(harness.core.connectionResumable(sink.id, 1)).toBe(abi.STATUS_OK);
    source.publish(channel, [{ type: "d", data: new Uint8Array(4_000) }]);
    told(sink);
    expect(harness.core.connectionResumable(sink.id, 3)).toBe(abi.STATUS_RESUME_GAP);
    expect(harness.core.connectionResumable(sink.id, 4)).toBe(abi.STATUS_OK);
  });

  test("acknowledgements empty a window, and it does not count against the capacity", () => {
    const { harness, sink, publish } = windowed();
    sink.inbox(2, 1 << 20, abi.OVERFLOW_DROP_OLDEST);
    publish("a", "b");
    told(sink);
    publish("c", "d");
    expect(harness.core.inboxEvents(sink.id)).toBe(2);
    expect(harness.core.inboxKept(sink.id)).toBe(0);
    expect(harness.statistic(abi.STATISTIC_KEPT)).toBe(2);
    sink.send({ kind: { case: "ack", value: { through: 2n } } });
    expect(harness.statistic(abi.STATISTIC_KEPT)).toBe(0);
    harness.core.inboxWindow(sink.id, 0, 0);
    told(sink);
    expect(harness.statistic(abi.STATISTIC_KEPT)).toBe(0);
  });

  test("gives back the credit of what is delivered again", () => {
    const { harness, sink, publish } = windowed();
    sink.credit(3, 1 << 20);
    publish("a", "b", "c", "d");
    expect(told(sink)).toEqual(["1/1 a", "2/1 b", "3/1 c"]);
    expect(told(back(harness, sink, 1).session)).toEqual(["2/2 b", "3/2 c"]);
  });

  test("what waits for an acknowledgement has its whole time again", () => {
    const { harness, sink, publish } = windowed();
    harness.core.inboxAcks(sink.id, 1, 1_000, 5);
    publish("a", "b");
    told(sink);
    harness.now += 900;
    const { session } = back(harness, sink, 1);
    expect(told(session)).toEqual(["2/2 b"]);
    harness.now += 900;
    expect(harness.core.inboxTick(sink.id, harness.now)).toBe(100);
    harness.now += 100;
    harness.core.inboxTick(sink.id, harness.now);
    expect(told(session)).toEqual(["1/2 a"]);
  });

  test("numbers of connections that are gone do nothing", () => {
    const { harness, sink } = windowed();
    expect(harness.core.connectionResumable(99, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.connectionResume(99, sink.id, 0, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.connectionResume(sink.id, 99, 0, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.connectionResume(sink.id, sink.id, 0, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.inboxWindow(99, 1, 1)).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.connectionPublished(99)).toBe(0);
    harness.core.connectionDetach(99);
  });
});

describe("publish.number", () => {
  const numbered = (channel: number, number: bigint, types: string[], ref?: number) => ({
    ...(ref === undefined ? {} : { ref }),
    kind: {
      case: "publish" as const,
      value: { channelNumber: channel, number, events: types.map((type) => ({ type })) },
    },
  });

  test("events that were taken before are left out, and their receipts say STATUS_PUBLISHED", () => {
    const { harness, channel, source, sink } = windowed();
    source.send(numbered(channel, 1n, ["a", "b"]));
    expect(harness.core.connectionPublished(source.id)).toBe(2);
    const [receipt] = source.send(numbered(channel, 2n, ["b", "c"], 7));
    if (receipt?.reason !== "receipt") throw new Error("no receipt");
    expect(receipt.records).toMatchObject([{ status: abi.STATUS_PUBLISHED }, { status: abi.STATUS_OK, sequence: 3n }]);
    source.send(numbered(channel, 1n, ["a", "b", "c"]));
    expect(told(sink)).toEqual(["1/1 a", "2/1 b", "3/1 c"]);
    expect(harness.core.connectionPublished(source.id)).toBe(3);
  });

  test("a gap is STATUS_PUBLISH_NUMBER, and nothing of that frame is taken", () => {
    const { harness, channel, source, sink } = windowed();
    expect(source.send(numbered(channel, 2n, ["b"], 1))).toMatchObject([
      { reason: "problem", ref: 1, status: abi.STATUS_PUBLISH_NUMBER, value: 2, limit: 1 },
    ]);
    expect(harness.core.connectionPublished(source.id)).toBe(0);
    expect(source.send(numbered(channel, 2n ** 64n - 1n, ["b"], 1))).toMatchObject([{ reason: "problem" }]);
    expect(told(sink)).toEqual([]);
  });

  test("an event that is refused has its number all the same", () => {
    const { channel, source, sink } = windowed();
    const outcomes = source.send(numbered(channel, 1n, ["a", "", "c"]));
    expect(outcomes).toMatchObject([{ reason: "problem", status: abi.STATUS_TYPE_MISSING }]);
    source.send(numbered(channel, 3n, ["c", "d"]));
    expect(told(sink)).toEqual(["1/1 a", "2/1 c", "3/1 d"]);
  });

  test("without events, or with number 0, nothing is counted", () => {
    const { harness, channel, source } = windowed();
    source.send(numbered(channel, 1n, []));
    source.send(numbered(channel, 0n, ["a"]));
    expect(harness.core.connectionPublished(source.id)).toBe(0);
  });
});
