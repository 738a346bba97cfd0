/** Sinks with an expression: they get what it holds of, on every way that an event can take. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as code from "../../core-wasm/expression/code.ts";
import type { TestConnection } from "./connection.ts";
import { assemble } from "./expression/assemble.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

/** `level > <least>` */
const above = (least: bigint): Uint8Array =>
  assemble({
    names: ["level"],
    constants: [least],
    code: [[code.OP_NAME, 0n], [code.OP_CONSTANT, 0n], [code.OP_GREATER], [code.OP_END]],
  });
/** `sink.zone = zone` */
const sameZone = assemble({
  names: ["sink.zone", "zone"],
  code: [[code.OP_NAME, 0n], [code.OP_NAME, 1n], [code.OP_EQUAL], [code.OP_END]],
});

const leveled = (level: number, more: EventInit = {}): EventInit => ({
  type: "t",
  id: String(level),
  attributes: { level: { kind: { case: "integer", value: BigInt(level) } } },
  ...more,
});

/** A channel with one source, and a way to add sinks that want something. */
function world(flags: number = abi.CHANNEL_ECHO) {
  const harness = Harness.create();
  const channel = harness.channel("c", { flags });
  const source = harness.open();
  harness.source(source, channel);
  const sink = (program?: Uint8Array, types?: readonly string[], connection = harness.open()) => {
    const member = harness.sink(connection, channel, types);
    if (program !== undefined) {
      const expression = harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(program));
      expect(harness.core.memberWhere(member, expression)).toBe(abi.STATUS_OK);
    }
    return { connection, member };
  };
  return { harness, channel, source, sink };
}

const ids = (connection: TestConnection): string[] => connection.events().map(({ id }) => id);

describe("memberWhere()", () => {
  test.each<[string, EventInit, (harness: Harness, channel: number) => void]>([
    ["bare events", { source: "/s", timeUs: 1n }, () => {}],
    ["events that get their source and time", {}, () => {}],
    ["events with a key", { key: "k" }, () => {}],
    ["events with a deadline", { ttlMs: 1000n }, () => {}],
    ["a channel that takes types", {}, (harness, channel) => harness.core.channelTypes(channel, abi.STAGE_OFFSET, 0)],
    ["a channel with a decider", {}, (harness, channel) => harness.decide(channel)],
    ["a channel that stores", {}, (harness, channel) => harness.core.channelStore(channel, 100, 1 << 20)],
  ])("%s", (_name, more, prepare) => {
    const { harness, channel, source, sink } = world();
    prepare(harness, channel);
    const [all, some, none] = [sink(), sink(above(2n)), sink(above(9n))];
    const records = source.receipt(
      channel,
      [1, 2, 3, 4].map((level) => leveled(level, more)),
    );
    harness.dirty();
    expect(ids(all.connection)).toEqual(["1", "2", "3", "4"]);
    expect(ids(some.connection)).toEqual(["3", "4"]);
    expect(ids(none.connection)).toEqual([]);
    if (harness.batches.length === 0) expect(records.map(({ sinks }) => sinks)).toEqual([1, 1, 2, 2]);
  });

  test("an inbox that rejects is asked only where the expression holds", () => {
    const { channel, source, sink } = world();
    const { connection } = sink(above(2n));
    connection.inbox(1, 1 << 20, abi.OVERFLOW_REJECT);
    const records = source.receipt(
      channel,
      [1, 2, 3, 4].map((level) => leveled(level)),
    );
    expect(records.map(({ status }) => status)).toEqual([0, 0, 0, abi.STATUS_MAILBOX_FULL]);
    expect(ids(connection)).toEqual(["3"]);
  });

  test("types and where must both hold", () => {
    const { channel, source, sink } = world();
    const { connection } = sink(above(2n), ["a"]);
    source.publish(channel, [leveled(1, { type: "a" }), leveled(3, { type: "a" }), leveled(4, { type: "b" })]);
    expect(ids(connection)).toEqual(["3"]);
  });

  test("two memberships of a session: one entry per event, that of the first that takes it", () => {
    const { channel, source, sink } = world();
    const first = sink(above(2n));
    sink(above(3n), undefined, first.connection);
    source.publish(
      channel,
      [1, 2, 3, 4].map((level) => leveled(level)),
    );
    expect(ids(first.connection)).toEqual(["3", "4"]);
  });

  test("sink.NAME is that sink's own, as it is when the event comes", () => {
    const { harness, channel, source, sink } = world();
    const [eu, us] = [sink(sameZone), sink(sameZone)];
    const zone = (value: string) => ({ zone: { kind: { case: "text" as const, value } } });
    const update = (one: typeof eu, value: string) =>
      one.connection.send({ kind: { case: "update", value: { member: one.member, attributes: zone(value) } } });
    update(eu, "eu");
    update(us, "us");
    source.publish(channel, [{ type: "t", id: "1", attributes: zone("eu") }]);
    update(us, "eu");
    source.publish(channel, [{ type: "t", id: "2", attributes: zone("eu") }]);
    harness.dirty();
    expect(ids(eu.connection)).toEqual(["1", "2"]);
    expect(ids(us.connection)).toEqual(["2"]);
  });

  test("what a source is filled in with is seen", () => {
    const { channel, source, sink } = world();
    const program = assemble({
      names: [["source", code.FIELD_SOURCE]],
      constants: ["/test"],
      code: [[code.OP_NAME, 0n], [code.OP_CONSTANT, 0n], [code.OP_EQUAL], [code.OP_END]],
    });
    const { connection } = sink(program);
    source.publish(channel, [
      { type: "t", id: "own" },
      { type: "t", id: "other", source: "/else" },
    ]);
    expect(ids(connection)).toEqual(["own"]);
  });

  test("a replay goes through it", () => {
    const { harness, channel, source, sink } = world();
    harness.core.channelStore(channel, 100, 1 << 20);
    source.publish(
      channel,
      [1, 2, 3, 4].map((level) => leveled(level)),
    );
    const late = sink(above(2n));
    expect(harness.core.memberReplay(late.member, 0, harness.now)).toBe(1);
    expect(ids(late.connection)).toEqual(["3", "4"]);
  });

  test("it may be replaced and taken away", () => {
    const { harness, channel, source, sink } = world();
    const { connection, member } = sink(above(2n));
    source.publish(channel, [leveled(2)]);
    const expression = harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(above(1n)));
    harness.core.memberWhere(member, expression);
    source.publish(channel, [leveled(2)]);
    harness.core.memberWhere(member, 0);
    source.publish(channel, [leveled(1)]);
    expect(ids(connection)).toEqual(["2", "1"]);
    expect(harness.core.memberWhere(999, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
  });

  test("members that leave give their programs back", () => {
    const { harness, sink } = world();
    const round = (from: number): number => {
      const sinks = Array.from({ length: 500 }, (_, at) => sink(above(BigInt(from + at))));
      for (const { connection } of sinks) connection.close();
      return harness.statistic(abi.STATISTIC_PAGES_USED);
    };
    round(0);
    const pages = round(1_000);
    expect([round(2_000), round(3_000)]).toEqual([pages, pages]);
  });
});
