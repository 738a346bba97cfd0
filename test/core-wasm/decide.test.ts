/**
 * The seam for filter modules: events of a channel with a decider wait, a fake decider answers, and nothing is
 * reordered around them.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { encodeFrame } from "./frames.ts";
import { type Decider, Harness } from "./harness.ts";
import { join, sizeDelimited } from "./wire.ts";

const DECIDER = 42;

/** A decided channel, a plain one, a source of both, and three sinks. */
function decided(decider?: Decider) {
  const harness = Harness.create();
  if (decider !== undefined) harness.decider = decider;
  const channel = harness.channel("decided", { decider: DECIDER });
  const plain = harness.channel("plain");
  const source = harness.open();
  for (const on of [channel, plain]) harness.source(source, on);
  const sinks = [harness.open(), harness.open(), harness.open()];
  const members = sinks.map((sink) => harness.sink(sink, channel));
  const receive = () => sinks.map((sink) => sink.events().map(({ id }) => id));
  return { harness, channel, plain, source, sinks, members, receive };
}

const events = (...ids: string[]) => ids.map((id) => ({ id, type: "t" }));
/** A word of a kind that points into the variable area, which begins behind the decision words. */
const word = (kind: number, index: number): number => kind | (index << 2);

describe("what the decider sees", () => {
  test("the event, its channel, its connection, the candidates in join order and its own number", () => {
    const { harness, channel, source, members } = decided();
    source.publish(channel, [{ id: "1", type: "t", data: new Uint8Array([1, 2, 3]) }]);
    const [batch] = harness.batches;
    expect(batch).toHaveLength(1);
    expect(batch?.[0]).toMatchObject({ channel, connection: source.id, candidates: members, decider: DECIDER });
    const event = fromBinary(EventSchema, batch?.[0]?.event ?? new Uint8Array(0));
    expect(event).toMatchObject({ id: "1", type: "t", data: new Uint8Array([1, 2, 3]) });
  });

  test("only sinks that types and echo let through are candidates", () => {
    const { harness, source } = decided();
    const channel = harness.channel("quiet", { flags: 0, decider: 7 });
    harness.member(source, channel, abi.ROLE_SINK | abi.ROLE_SOURCE);
    harness.sink(harness.open(), channel, ["other"]);
    const wanted = harness.sink(harness.open(), channel, ["t"]);
    source.publish(channel, events("1"));
    expect(harness.batches[0]?.[0]).toMatchObject({ candidates: [wanted], decider: 7 });
  });

  test("refused events are not shown", () => {
    const { harness, channel, source } = decided();
    source.publish(channel, [{ id: "1", type: "" }, ...events("2")], 3);
    expect(harness.batches.map((batch) => batch.length)).toEqual([1]);
  });
});

describe("what the decider says", () => {
  test.each([
    { name: "drop", words: [abi.DECISION_DROP], want: [[], [], []], sinks: 0 },
    { name: "all", words: [abi.DECISION_ALL], want: [["1"], ["1"], ["1"]], sinks: 3 },
    { name: "a bitmap", words: [word(abi.DECISION_BITMAP, 0), 0b101], want: [["1"], [], ["1"]], sinks: 2 },
    { name: "an empty bitmap", words: [word(abi.DECISION_BITMAP, 0), 0], want: [[], [], []], sinks: 0 },
    { name: "a list", words: [word(abi.DECISION_LIST, 0), 2, 2, 0], want: [["1"], [], ["1"]], sinks: 2 },
    { name: "an empty list", words: [word(abi.DECISION_LIST, 0), 0], want: [[], [], []], sinks: 0 },
  ])("$name", ({ words, want, sinks }) => {
    const { harness, channel, source, receive } = decided(() => words);
    const [record] = source.receipt(channel, events("1"));
    expect(record).toMatchObject({ status: abi.STATUS_OK, sinks });
    expect(receive()).toEqual(want);
    expect(harness.decideStatus).toBe(abi.STATUS_OK);
    expect(harness.statistic(abi.STATISTIC_PARKED)).toBe(0);
  });

  test("words of several events share the variable area", () => {
    const words = [word(abi.DECISION_LIST, 0), abi.DECISION_DROP, word(abi.DECISION_BITMAP, 2), 1, 1, 0b110];
    const { channel, source, receive } = decided(() => words);
    source.publish(channel, events("1", "2", "3"));
    expect(receive()).toEqual([[], ["1", "3"], ["3"]]);
  });

  test("a list that names a sink twice delivers once", () => {
    const { channel, source, receive } = decided(() => [word(abi.DECISION_LIST, 0), 2, 1, 1]);
    source.publish(channel, events("1"));
    expect(receive()).toEqual([[], ["1"], []]);
  });

  test.each([
    { name: "a bitmap beyond the words", words: [word(abi.DECISION_BITMAP, 2 ** 29)] },
    { name: "a list beyond the words", words: [word(abi.DECISION_LIST, 2 ** 29)] },
    { name: "a list whose count runs beyond the words", words: [word(abi.DECISION_LIST, 0), 2 ** 31] },
    { name: "a list longer than the candidates", words: [word(abi.DECISION_LIST, 0), 4, 0, 1, 2, 0] },
    { name: "a list with an index that is no candidate", words: [word(abi.DECISION_LIST, 0), 1, 3] },
    { name: "a bitmap with a bit beyond the candidates", words: [word(abi.DECISION_BITMAP, 0), 0b1001] },
    { name: "a bitmap right behind the last word", words: [word(abi.DECISION_BITMAP, 0)] },
    { name: "no words at all", words: [] },
  ])("$name is STATUS_DECISION, and the event goes to all candidates", ({ words }) => {
    const { harness, channel, source, receive } = decided(() => words);
    source.publish(channel, events("1"));
    expect(harness.decideStatus).toBe(abi.STATUS_DECISION);
    expect(receive()).toEqual([["1"], ["1"], ["1"]]);
  });

  test("one wrong word leaves the others of its batch alone", () => {
    const { harness, channel, source, receive } = decided(() => [
      abi.DECISION_DROP,
      word(abi.DECISION_LIST, 2 ** 29),
      abi.DECISION_DROP,
    ]);
    source.publish(channel, events("1", "2", "3"));
    expect(receive()).toEqual([["2"], ["2"], ["2"]]);
    expect(harness.decideStatus).toBe(abi.STATUS_DECISION);
  });
});

describe("order and batches", () => {
  test("200 events make batches of at most DECIDE_EVENTS_MAX, all in order", () => {
    const { harness, channel, source, receive } = decided();
    const ids = Array.from({ length: 200 }, (_, index) => `${index}`);
    source.publish(channel, events(...ids));
    expect(harness.batches.every((batch) => batch.length <= abi.DECIDE_EVENTS_MAX)).toBe(true);
    expect(harness.batches.flat().map((record) => fromBinary(EventSchema, record.event).id)).toEqual(ids);
    expect(receive()).toEqual([ids, ids, ids]);
    expect(harness.core.channelSequence(channel)).toBe(200);
  });

  test("batches grow over the frames of one read", () => {
    const { harness, channel, source } = decided();
    const frame = source.wrap(
      encodeFrame({ kind: { case: "publish", value: { channelNumber: channel, events: events("1") } } }),
    );
    source.feed(join(...Array.from({ length: 64 }, () => frame)));
    expect(harness.batches.length).toBeLessThan(64);
    expect(harness.batches.flat()).toHaveLength(64);
  });

  test("a control frame behind parked events comes up after their decision", () => {
    const { harness, channel, source } = decided();
    const seen: string[] = [];
    harness.decider = (records) => {
      seen.push(`decide ${records.length}`);
      return records.map(() => abi.DECISION_ALL);
    };
    const publish = encodeFrame({
      kind: { case: "publish", value: { channelNumber: channel, events: events("1", "2") } },
    });
    const ping = encodeFrame({ kind: { case: "ping", value: {} } });
    const outcomes = source.feed(join(...[publish, ping, publish].map((frame) => sizeDelimited(frame))));
    expect(outcomes.map(({ reason }) => reason)).toEqual(["decide", "control", "decide"]);
    expect(seen).toEqual(["decide 2", "decide 2"]);
  });

  test("receipts come after the decision, with what it selected", () => {
    const { harness, channel, source } = decided();
    let turn = 0;
    harness.decider = (records) => records.map(() => (turn++ % 2 === 0 ? abi.DECISION_ALL : abi.DECISION_DROP));
    const outcomes = source.publish(channel, events("1", "2", "3"), 9);
    expect(outcomes.map(({ reason }) => reason)).toEqual(["decide", "receipt"]);
    const receipt = outcomes[1];
    if (receipt?.reason !== "receipt") throw new Error("no receipt");
    expect(receipt.records.map(({ sinks }) => sinks)).toEqual([3, 0, 3]);
  });

  test("a receipt of more events than a batch waits for all of them", () => {
    const { channel, source } = decided();
    const outcomes = source.publish(channel, events(...Array.from({ length: 150 }, (_, index) => `${index}`)), 1);
    expect(outcomes.at(-1)).toMatchObject({ reason: "receipt", ref: 1 });
    const receipt = outcomes.at(-1);
    if (receipt?.reason !== "receipt") throw new Error("no receipt");
    expect(receipt.records).toHaveLength(150);
    expect(receipt.records.every(({ sinks, status }) => sinks === 3 && status === abi.STATUS_OK)).toBe(true);
    expect(new Set(receipt.records.map(({ sequence }) => sequence)).size).toBe(150);
  });

  test("order per source and channel holds beside a plain channel", () => {
    const { harness, channel, plain, source, sinks } = decided();
    const [sink] = sinks;
    if (sink === undefined) throw new Error("no sink");
    harness.sink(sink, plain);
    const frames = Array.from({ length: 20 }, (_, index) =>
      sizeDelimited(
        encodeFrame({
          kind: {
            case: "publish",
            value: { channelNumber: index % 2 === 0 ? channel : plain, events: events(`${index}`) },
          },
        }),
      ),
    );
    source.feed(join(...frames));
    const deliveries = sink.drain().deliveries;
    for (const on of [channel, plain]) {
      const ids = deliveries.filter((delivery) => delivery.channel === on).map(({ event }) => Number(event.id));
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
      expect(ids).toHaveLength(10);
    }
  });

  test("the decider of a channel can be set and taken away", () => {
    const { harness, channel, source, receive } = decided(() => [abi.DECISION_DROP]);
    source.publish(channel, events("1"));
    harness.core.channelSet(channel, abi.CHANNEL_ECHO, 4, 0, 0);
    source.publish(channel, events("2"));
    expect(harness.batches).toHaveLength(1);
    expect(receive()).toEqual([["2"], ["2"], ["2"]]);
  });

  test("parked events survive the store turning over under the decider", () => {
    const { harness, channel, source, receive } = decided();
    const big = Array.from({ length: 63 }, (_, index) => ({
      id: `${index}`,
      type: "t",
      data: new Uint8Array(12_000).fill(index),
    }));
    harness.decider = (records) => {
      for (const record of records) {
        const event = fromBinary(EventSchema, record.event);
        expect(event.data?.every((byte) => byte === Number(event.id))).toBe(true);
      }
      return records.map(() => abi.DECISION_ALL);
    };
    source.publish(channel, big);
    source.publish(channel, big);
    const ids = [...big, ...big].map(({ id }) => id);
    expect(receive()).toEqual([ids, ids, ids]);
  });
});
