import { create, equals, fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../../host/errors.ts";
import { type Event, EventSchema } from "../../../../host/gen/sluice/v1/event_pb.ts";
import { ClientFrameSchema, PublishSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import { limits } from "../../../../host/limits.ts";
import { createBodyReader } from "../../../../host/socket/json/body.ts";
import { clientFrameFromJson, jsonFromClientFrame } from "../../../../host/socket/json/codec.ts";
import { bytesOf } from "../../../../host/socket/json/scan.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { clientFrame } from "./arbitraries.ts";

describe("createBodyReader()", () => {
  const reader = createBodyReader();
  /** Events by their types, refusals by their codes and values. */
  const read = (body: string) => {
    const outcome = reader(bytesOf(body));
    if (!outcome.ok) return { refused: outcome.error.code, value: outcome.error.value };
    const entries = outcome.value.entries.map((entry) =>
      entry instanceof SluiceError ? [entry.code, entry.value] : fromBinary(EventSchema, entry).type,
    );
    return { many: outcome.value.many, entries };
  };
  const events = (body: string): Event[] => {
    const outcome = reader(bytesOf(body));
    if (!outcome.ok) throw outcome.error;
    return outcome.value.entries.map((entry) => {
      if (entry instanceof SluiceError) throw entry;
      return fromBinary(EventSchema, entry);
    });
  };

  test("takes one event or an array of them", () => {
    expect(read(' {"type":"a"} ')).toEqual({ many: false, entries: ["a"] });
    expect(read(' [{"type":"a"},{"type":"b"}]')).toEqual({ many: true, entries: ["a", "b"] });
    expect(read("[]")).toEqual({ many: true, entries: [] });
  });

  test("refuses an event beside others by its place and field, and gives the others", () => {
    expect(read('{"type":"a","colour":1}')).toEqual({ many: false, entries: [["unknown_field", "colour"]] });
    expect(read('[{"type":"a"},{"type":"b","colour":1},{"type":"c","priority":10},7,{"type":"d"}]')).toEqual({
      many: true,
      entries: ["a", ["unknown_field", "[1].colour"], ["priority_out_of_range", 10], ["invalid_value", 7], "d"],
    });
  });

  test("refuses a body as a whole that is no JSON, or has too many events", () => {
    expect(read('[{"type":"a"},{"type":')).toEqual({ refused: "malformed", value: 22 });
    const many = `[${'{"type":"a"},'.repeat(limits.publishEvents)}{"type":"a"}]`;
    expect(read(many)).toEqual({ refused: "invalid_value", value: limits.publishEvents + 1 });
  });

  test("keeps payloads byte by byte, also in bodies larger than a frame", () => {
    const payload = `{"n": 12345678901234567890, "x": "${"x".repeat(700_000)}" }`;
    const body = `[{"type":"a","data":${payload}},{"type":"b","data":${payload}}]`;
    expect(events(body).map(({ data }) => new TextDecoder().decode(data))).toEqual([payload, payload]);
  });

  test("gives the events of the slow way", () => {
    fc.assert(
      fc.property(clientFrame("publish"), (init) => {
        const { kind } = create(ClientFrameSchema, init);
        if (kind.case !== "publish") throw new Error("The arbitrary makes publishes");
        const body = JSON.stringify(JSON.parse(jsonFromClientFrame(create(ClientFrameSchema, init))).publish.events);
        const given = clientFrameFromJson(`{"publish":{"channel":"c","events":${body}}}`);
        if (!given.ok || given.frame.kind.case !== "publish") throw new Error("The slow way refuses");
        const want = create(PublishSchema, { events: given.frame.kind.value.events });
        expect(equals(PublishSchema, create(PublishSchema, { events: events(body) }), want)).toBe(true);
      }),
      propertyParameters(200),
    );
  });
});
