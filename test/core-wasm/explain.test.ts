/** The dry run: it says what publishing would do, and does nothing. */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as code from "../../core-wasm/expression/code.ts";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { TestConnection } from "./connection.ts";
import { assemble } from "./expression/assemble.ts";
import { type EventInit, typeList } from "./frames.ts";
import { Harness } from "./harness.ts";

/** Never true. */
const never = assemble({ constants: [false], code: [[code.OP_CONSTANT, 0n], [code.OP_END]] });

interface Record {
  readonly member: number;
  readonly verdict: number;
  readonly reason: number;
  readonly events: number;
}

function explain(harness: Harness, channel: number, event: EventInit, submitter?: TestConnection): readonly Record[] {
  const bytes = harness.stage(toBinary(EventSchema, create(EventSchema, event)));
  const status = harness.core.explain(channel, submitter?.id ?? 0, abi.STAGE_OFFSET, bytes, 0, harness.now);
  expect(status).toBe(abi.STATUS_OK);
  return Array.from({ length: harness.result(abi.RESULT_COUNT) }, (_, index) => {
    const word = (at: number) => harness.words.at(abi.RECEIPTS_OFFSET + index * abi.EXPLAIN_RECORD_BYTES, at);
    return {
      member: word(abi.EXPLAIN_MEMBER),
      verdict: word(abi.EXPLAIN_VERDICT),
      reason: word(abi.EXPLAIN_REASON),
      events: word(abi.EXPLAIN_EVENTS),
    };
  });
}

/** One sink, prepared; then what it is told of an event. */
function judge(
  prepare: (harness: Harness, channel: number, sink: TestConnection, source: TestConnection, member: number) => void,
  event: EventInit = { type: "t" },
  own = false,
): Record {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  const member = harness.sink(sink, channel);
  prepare(harness, channel, sink, source, member);
  const [record] = explain(harness, channel, event, own ? sink : source);
  if (record === undefined) throw new Error("no record");
  expect(record.member).toBe(member);
  return record;
}

describe("explain()", () => {
  const fill = (source: TestConnection, channel: number): void =>
    void source.publish(channel, [{ type: "t" }, { type: "t" }]);

  test.each<[string, Record["verdict"], Record["reason"], Parameters<typeof judge>]>([
    ["a sink that wants everything", abi.VERDICT_DELIVERED, abi.EXPLAINED_NONE, [() => {}]],
    [
      "another type",
      abi.VERDICT_REJECTED,
      abi.EXPLAINED_TYPE,
      [
        (harness, _channel, _sink, _source, member) =>
          harness.core.memberTypes(member, abi.STAGE_OFFSET, harness.stage(typeList(["other"])) && 1),
      ],
    ],
    [
      "an expression that does not hold",
      abi.VERDICT_REJECTED,
      abi.EXPLAINED_WHERE,
      [
        (harness, _channel, _sink, _source, member) =>
          harness.core.memberWhere(member, harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(never))),
      ],
    ],
    [
      "its own event without echo",
      abi.VERDICT_REJECTED,
      abi.EXPLAINED_ECHO,
      [(harness, channel) => harness.core.channelSet(channel, 0, 4, 0), { type: "t" }, true],
    ],
    [
      "a full inbox that rejects",
      abi.VERDICT_REJECTED,
      abi.EXPLAINED_CAPACITY,
      [
        (_harness, channel, sink, source) => {
          sink.inbox(2, 1 << 20, abi.OVERFLOW_REJECT);
          fill(source, channel);
        },
      ],
    ],
    [
      "a full inbox that drops the newest",
      abi.VERDICT_DROPPED,
      abi.EXPLAINED_CAPACITY,
      [
        (_harness, channel, sink, source) => {
          sink.inbox(2, 1 << 20, abi.OVERFLOW_DROP_NEWEST);
          fill(source, channel);
        },
      ],
    ],
    [
      "a full inbox whose oldest give way",
      abi.VERDICT_DELIVERED,
      abi.EXPLAINED_NONE,
      [
        (_harness, channel, sink, source) => {
          sink.inbox(2, 1 << 20, abi.OVERFLOW_DROP_OLDEST);
          fill(source, channel);
        },
      ],
    ],
    [
      "an event that is larger than the inbox",
      abi.VERDICT_DROPPED,
      abi.EXPLAINED_CAPACITY,
      [(_harness, _channel, sink) => void sink.inbox(2, 10, abi.OVERFLOW_DROP_OLDEST)],
    ],
    [
      "a moment that has passed",
      abi.VERDICT_DROPPED,
      abi.EXPLAINED_LATE,
      [
        (harness, channel) => harness.core.channelSet(channel, abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP, 4, 0),
        { type: "t", deliverByUs: 1n },
      ],
    ],
    [
      "a moment that has passed, where late events are delivered",
      abi.VERDICT_DELIVERED,
      abi.EXPLAINED_NONE,
      [() => {}, { type: "t", deliverByUs: 1n }],
    ],
    ["an inbox that is held", abi.VERDICT_HELD, abi.EXPLAINED_HELD, [(_harness, _channel, sink) => sink.hold(true)]],
    [
      "an inbox that blocks and is beyond its mark",
      abi.VERDICT_HELD,
      abi.EXPLAINED_BLOCKED,
      [
        (_harness, channel, sink, source) => {
          sink.inbox(2, 1 << 20, abi.OVERFLOW_BLOCK);
          fill(source, channel);
        },
      ],
    ],
  ])("%s", (_name, verdict, reason, args) => {
    expect(judge(...args)).toMatchObject({ verdict, reason });
  });

  test("counts what waits before it, in join order, in pages", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const source = harness.open();
    harness.source(source, channel);
    const sinks = Array.from({ length: 5 }, () => harness.open());
    const members = sinks.map((sink) => harness.sink(sink, channel));
    source.publish(channel, [{ type: "t" }, { type: "t" }, { type: "t" }]);
    sinks[2]?.events();
    expect(explain(harness, channel, { type: "t" }).map(({ member }) => member)).toEqual(members);
    expect(explain(harness, channel, { type: "t" }).map(({ events }) => events)).toEqual([3, 3, 0, 3, 3]);
    const bytes = harness.stage(toBinary(EventSchema, create(EventSchema, { type: "t" })));
    harness.core.explain(channel, 0, abi.STAGE_OFFSET, bytes, 3, harness.now);
    expect(harness.result(abi.RESULT_COUNT)).toBe(2);
  });

  test("says what publishing would say of the event itself", () => {
    const harness = Harness.create();
    const channel = harness.channel("c", { types: ["t"] });
    const ask = (event: EventInit, number = channel) =>
      harness.core.explain(
        number,
        0,
        abi.STAGE_OFFSET,
        harness.stage(toBinary(EventSchema, create(EventSchema, event))),
        0,
        harness.now,
      );
    expect(ask({ type: "other" })).toBe(abi.STATUS_TYPE_REFUSED);
    expect(ask({ type: "" })).toBe(abi.STATUS_TYPE_MISSING);
    expect(ask({ type: "t" }, 99)).toBe(abi.STATUS_CHANNEL_UNKNOWN);
  });

  test("changes nothing: whatever could be told apart is the same after it", () => {
    const harness = Harness.create();
    const channel = harness.channel("c", { flags: abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP });
    harness.core.channelStore(channel, 10, 1 << 20);
    const [source, one, other] = [harness.open(), harness.open(), harness.open()];
    harness.source(source, channel);
    harness.sink(one, channel);
    harness.sink(other, channel, ["x"]);
    one.inbox(2, 1 << 20, abi.OVERFLOW_REJECT);
    source.publish(channel, [{ type: "t" }]);
    harness.dirty();
    const state = () => [
      harness.core.channelSequence(channel),
      harness.core.channelStored(channel),
      harness.core.inboxEvents(one.id),
      harness.core.inboxEvents(other.id),
      ...Array.from({ length: abi.STATISTICS }, (_, index) => harness.statistic(index)),
    ];
    const before = state();
    for (const event of [{ type: "t" }, { type: "x", key: "k" }, { type: "t", deliverByUs: 1n }])
      explain(harness, channel, event);
    expect(state()).toEqual(before);
    expect(harness.dirty()).toEqual([]);
    const [receipt] = source.receipt(channel, [{ type: "t" }]);
    expect(receipt?.sequence).toBe(2n);
  });
});
