/**
 * The seam for filter modules: events of a channel with a decider wait, a fake decider answers, and nothing is
 * reordered around them.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import { encodeFrame } from "./frames.ts";
import { type Decider, Harness } from "./harness.ts";
import { join, sizeDelimited } from "./wire.ts";

/** A decided channel, a plain one, a source of both, and three sinks. */
function decided(decider?: Decider) {
  const harness = Harness.create();
  if (decider !== undefined) harness.decider = decider;
  const channel = harness.channel("decided", { decided: true });
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
  test("the event, its channel, the stage, the sinks that may get it and its own handle", () => {
    const { harness, channel, source, members } = decided();
    source.publish(channel, [{ id: "1", type: "t", data: new Uint8Array([1, 2, 3]) }]);
    const [batch] = harness.batches;
    expect(batch).toMatchObject({ channel, stage: abi.STAGE_OUT, own: false });
    expect(batch?.decider).not.toBe(0);
    expect(batch?.records).toHaveLength(1);
    const record = batch?.records[0];
    expect(record).toMatchObject({ id: "1", type: "t", source: "/test", payload: new Uint8Array([1, 2, 3]) });
    expect(record?.sinks).toEqual(members.map((member, slot) => ({ member, slot })));
    expect(record?.slots).toBeUndefined();
  });

  test("only sinks that types and echo let through are candidates", () => {
    const { harness, source } = decided();
    const channel = harness.channel("quiet", { flags: 0, decided: true });
    harness.member(source, channel, abi.ROLE_SINK | abi.ROLE_SOURCE);
    harness.sink(harness.open(), channel, ["other"]);
    const wanted = harness.sink(harness.open(), channel, ["t"]);
    source.publish(channel, events("1"));
    expect(harness.batches[0]?.records[0]).toMatchObject({ sinks: [{ member: wanted, slot: 2 }], slots: [2] });
  });

  test("refused events are not shown", () => {
    const { harness, channel, source } = decided();
    source.publish(channel, [{ id: "1", type: "" }, ...events("2")], 3);
    expect(harness.batches.map(({ records }) => records.length)).toEqual([1]);
  });
});

describe("what the decider says", () => {
  test.each([
    { name: "drop", words: [filterAbi.DECISION_DROP], want: [[], [], []], sinks: 0 },
    { name: "all", words: [filterAbi.DECISION_ALL], want: [["1"], ["1"], ["1"]], sinks: 3 },
    { name: "a bitmap", words: [word(filterAbi.DECISION_BITMAP, 0), 0b101], want: [["1"], [], ["1"]], sinks: 2 },
    { name: "an empty bitmap", words: [word(filterAbi.DECISION_BITMAP, 0), 0], want: [[], [], []], sinks: 0 },
    { name: "a list", words: [word(filterAbi.DECISION_LIST, 0), 2, 2, 0], want: [["1"], [], ["1"]], sinks: 2 },
    { name: "an empty list", words: [word(filterAbi.DECISION_LIST, 0), 0], want: [[], [], []], sinks: 0 },
  ])("$name", ({ words, want, sinks }) => {
    const { harness, channel, source, receive } = decided(() => words);
    const [record] = source.receipt(channel, events("1"));
    expect(record).toMatchObject({ status: abi.STATUS_OK, sinks });
    expect(receive()).toEqual(want);
    expect(harness.decideStatus).toBe(abi.STATUS_OK);
    expect(harness.statistic(abi.STATISTIC_PARKED)).toBe(0);
  });

  test("words of several events share the variable area", () => {
    const words = [
      word(filterAbi.DECISION_LIST, 0),
      filterAbi.DECISION_DROP,
      word(filterAbi.DECISION_BITMAP, 2),
      1,
      1,
      0b110,
    ];
    const { channel, source, receive } = decided(() => words);
    source.publish(channel, events("1", "2", "3"));
    expect(receive()).toEqual([[], ["1", "3"], ["3"]]);
  });

  test("a list that names a sink twice delivers once", () => {
    const { channel, source, receive } = decided(() => [word(filterAbi.DECISION_LIST, 0), 2, 1, 1]);
    source.publish(channel, events("1"));
    expect(receive()).toEqual([[], ["1"], []]);
  });

  test.each([
    { name: "a bitmap beyond the words", words: [word(filterAbi.DECISION_BITMAP, 2 ** 29)] },
    { name: "a list beyond the words", words: [word(filterAbi.DECISION_LIST, 2 ** 29)] },
    { name: "a list whose count runs beyond the words", words: [word(filterAbi.DECISION_LIST, 0), 2 ** 31] },
    { name: "a list longer than the candidates", words: [word(filterAbi.DECISION_LIST, 0), 4, 0, 1, 2, 0] },
    { name: "a list with an index that is no candidate", words: [word(filterAbi.DECISION_LIST, 0), 1, 3] },
    { name: "a bitmap with a bit beyond the candidates", words: [word(filterAbi.DECISION_BITMAP, 0), 0b1001] },
    { name: "a bitmap right behind the last word", words: [word(filterAbi.DECISION_BITMAP, 0)] },
    { name: "no words at all", words: [] as number[] },
  ])("$name is STATUS_DECISION, and the event waits", ({ words }) => {
    const { harness, channel, source, receive } = decided(() => words);
    source.publish(channel, events("1"));
    expect(harness.decideStatus).toBe(abi.STATUS_DECISION);
    expect(harness.faults).toEqual([{ index: 0, word: (words[0] ?? filterAbi.DECISION_NONE) >>> 0 }]);
    // The harness lets it pass.
    expect(receive()).toEqual([["1"], ["1"], ["1"]]);
  });

  test("one wrong word leaves the others of its batch alone", () => {
    const { harness, channel, source, receive } = decided(() => [
      filterAbi.DECISION_DROP,
      word(filterAbi.DECISION_LIST, 2 ** 29),
      filterAbi.DECISION_DROP,
    ]);
    source.publish(channel, events("1", "2", "3"));
    expect(receive()).toEqual([["2"], ["2"], ["2"]]);
    expect(harness.faults).toEqual([{ index: 1, word: word(filterAbi.DECISION_LIST, 2 ** 29) >>> 0 }]);
    expect(harness.batches.map(({ records }) => records.map(({ id }) => id))).toEqual([["1", "2", "3"], ["3"]]);
  });
});

describe("order and batches", () => {
  test("600 events make batches of at most DECIDE_EVENTS_MAX, all in order", () => {
    const { harness, channel, source, receive } = decided();
    const ids = Array.from({ length: 600 }, (_, index) => `${index}`);
    source.publish(channel, events(...ids));
    expect(harness.batches.map(({ records }) => records.length)).toEqual([256, 256, 88]);
    expect(harness.batches.flatMap(({ records }) => records).map(({ id }) => id)).toEqual(ids);
    expect(receive()).toEqual([ids, ids, ids]);
    expect(harness.core.channelSequence(channel)).toBe(600);
  });

  test("batches grow over the frames of one read", () => {
    const { harness, channel, source } = decided();
    const frame = source.wrap(
      encodeFrame({ kind: { case: "publish", value: { channelNumber: channel, events: events("1") } } }),
    );
    source.feed(join(...Array.from({ length: 64 }, () => frame)));
    expect(harness.batches.length).toBeLessThan(64);
    expect(harness.batches.flatMap(({ records }) => records)).toHaveLength(64);
  });

  test("a control frame behind parked events comes up after their decision", () => {
    const { harness, channel, source } = decided();
    const seen: string[] = [];
    harness.decider = (records) => {
      seen.push(`decide ${records.length}`);
      return records.map(() => filterAbi.DECISION_ALL);
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
    harness.decider = (records) =>
      records.map(() => (turn++ % 2 === 0 ? filterAbi.DECISION_ALL : filterAbi.DECISION_DROP));
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
    const { harness, channel, source, receive } = decided(() => [filterAbi.DECISION_DROP]);
    source.publish(channel, events("1"));
    harness.undecide(channel);
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
        expect(record.payload).toHaveLength(12_000);
        expect(record.payload.every((byte) => byte === Number(record.id))).toBe(true);
      }
      return records.map(() => filterAbi.DECISION_ALL);
    };
    source.publish(channel, big);
    source.publish(channel, big);
    const ids = [...big, ...big].map(({ id }) => id);
    expect(receive()).toEqual([ids, ids, ids]);
  });
});
