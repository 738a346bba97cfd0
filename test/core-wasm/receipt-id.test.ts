/** The ids in a receipt: what each publisher gave, read while the core goes from event to event. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { blocked } from "./blocked.ts";
import type { TestConnection } from "./connection.ts";
import { type EventInit, encodeEvent } from "./frames.ts";
import { Harness } from "./harness.ts";
import { bytesField, join, varintField } from "./wire.ts";

/** A source and a sink. */
function pair(options: Parameters<Harness["channel"]>[1] = {}) {
  const harness = Harness.create();
  const channel = harness.channel("c", options);
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  return { harness, channel, source, sink };
}

const ids = (source: TestConnection, channel: number, events: readonly EventInit[]) =>
  source.receipt(channel, events).map(({ id }) => id);

describe("a receipt tells the id", () => {
  test("that was given, of each event, and none where none was", () => {
    const { channel, source } = pair();
    const events = [{ id: "one", type: "t" }, { type: "t" }, { id: "grüße", type: "t" }, { id: "", type: "t" }];
    expect(ids(source, channel, events)).toEqual(["one", "", "grüße", ""]);
  });

  test("of events of one shape, again and again", () => {
    const { channel, source } = pair();
    for (let turn = 0; turn < 20; turn++) {
      const given = [`a${turn % 10}`, `b${turn % 10}`, `c${turn % 10}`];
      expect(
        ids(
          source,
          channel,
          given.map((id) => ({ id, type: "t" })),
        ),
      ).toEqual(given);
      const without = Array.from({ length: 3 }, () => ({ type: "t", subject: `s${turn % 10}` }));
      expect(ids(source, channel, without)).toEqual(["", "", ""]);
    }
  });

  test("that counts where it is repeated", () => {
    const { channel, source } = pair();
    const event = join(bytesField(1, "first"), encodeEvent({ type: "t" }), bytesField(1, "last"));
    const gone = join(bytesField(1, "first"), encodeEvent({ type: "t" }), bytesField(1, ""));
    const publish = join(varintField(2, channel), bytesField(3, event), bytesField(3, gone));
    const [outcome] = source.feed(source.wrap(join(varintField(1, 1), bytesField(2, publish))));
    expect(outcome).toMatchObject({ reason: "receipt", records: [{ id: "last" }, { id: "" }] });
  });

  test("not of what was refused", () => {
    const { channel, source } = pair();
    expect(
      ids(source, channel, [
        { id: "x", type: "" },
        { id: "y", type: "t" },
      ]),
    ).toEqual(["", "y"]);
  });

  test("of what waits in an outbox, and of what a decider decides in batches", () => {
    const waiting = blocked();
    const given = Array.from({ length: 150 }, (_, index) => `id-${index}`);
    const events = given.map((id) => ({ id, type: "t" }));
    expect(ids(waiting.source, waiting.channel, events)).toEqual(given);
    const { channel, source } = pair({ decided: true });
    expect(ids(source, channel, events)).toEqual(given);
  });

  test("of a frame that came in two parts, at every place", () => {
    const { channel, source } = pair();
    const publish = join(varintField(2, channel), bytesField(3, encodeEvent({ id: "split", type: "t" })));
    const frame = source.wrap(join(varintField(1, 1), bytesField(2, publish)));
    for (let split = 1; split < frame.length; split++) {
      const [outcome] = source.feed(frame, [split]);
      expect(outcome).toMatchObject({ reason: "receipt", records: [{ id: "split", status: abi.STATUS_OK }] });
    }
  });
});
