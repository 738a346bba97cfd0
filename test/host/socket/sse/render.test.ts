/**
 * Goal: every client of server-sent events reads the same event that JSON sessions get, on one line, with its position.
 * Method: random and strangely encoded events pass both; the stream is parsed as WHATWG HTML says.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HostFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import { jsonFromHostFrame } from "../../../../host/socket/json/codec.ts";
import { positionFromId } from "../../../../host/socket/sse/position.ts";
import { type StreamNames, StreamRenderer } from "../../../../host/socket/sse/render.ts";
import { createStreamRenderers } from "../../../../host/socket/sse/renderers.ts";
import { encodeEvent } from "../../../core-wasm/frames.ts";
import { bytesField, join, varintField } from "../../../core-wasm/wire.ts";
import { eventArbitrary, strangeEventArbitrary } from "../../../property/event-arbitrary.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { EventStreamParser } from "../../support/event-stream.ts";
import { event, type HostInit } from "../json/arbitraries.ts";
import { drained, noSession, testNames } from "../json/names.ts";

const names: StreamNames = {
  ...testNames,
  hostId: "host",
  incarnation: (channelNumber) => ({ 5: 1, 6: 300 })[channelNumber],
};
const decoder = new TextDecoder("utf-8", { fatal: true });

function deliverFrame(channel: number, sequence: number, eventBytes: Uint8Array): Uint8Array {
  const parts = [varintField(1, channel), varintField(2, sequence), bytesField(3, eventBytes)];
  return bytesField(1, bytesField(1, join(...parts)));
}

function parsed(bytes: Uint8Array): EventStreamParser {
  const parser = new EventStreamParser();
  parser.push(decoder.decode(bytes));
  return parser;
}

/** The event of a frame as a JSON session gets it. */
function eventOf(frame: Uint8Array): unknown {
  const text = jsonFromHostFrame(fromBinary(HostFrameSchema, frame), testNames, { ...noSession, firstNumber: 1 });
  return JSON.parse(text).deliver.events[0].event;
}

const renderNative = () => createStreamRenderers(names).byKind.sse;
const plain = (sequence: number, type = "t") => deliverFrame(5, sequence, encodeEvent({ type }));

describe("StreamRenderer.render()", () => {
  test("tells any event as JSON sessions are told, first and again from the cache", () => {
    const renderer = renderNative();
    let sequence = 0;
    const bytes = fc.oneof(
      strangeEventArbitrary.map((strange) => strange.bytes),
      eventArbitrary.map(encodeEvent),
      event.map(encodeEvent),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(5, 6, 99), (encoded, channel) => {
        sequence += 1;
        const frame = deliverFrame(channel, sequence, encoded);
        for (let sink = 0; sink < 2; sink += 1) {
          const { events, comments } = parsed(renderer.render(drained(frame)));
          expect(events.map((one) => one.event)).toEqual(["message"]);
          expect(JSON.parse(events[0]?.data ?? "")).toEqual(eventOf(frame));
          expect(comments).toEqual([]);
          const incarnation = names.incarnation(channel);
          const position = { host: "host", epoch: 7, channel: incarnation, sequence };
          expect(positionFromId(events[0]?.id ?? "")).toEqual(incarnation === undefined ? undefined : position);
        }
      }),
      propertyParameters(1_000),
    );
  });

  test("puts on one line what was published on many, whatever ends its lines", () => {
    const data = '{\n"a":\r[1,\r\n\n2],"b":"\\n"}\n';
    const frame = deliverFrame(5, 1, encodeEvent({ type: "t", data: Buffer.from(data) }));
    const text = decoder.decode(renderNative().render(drained(frame)));
    expect(text).toMatch(/^id: [\w-]+\ndata: [^\n\r]+\n\n$/);
    expect(JSON.parse(parsed(Buffer.from(text)).events[0]?.data ?? "").data).toEqual({ a: [1, 2], b: "\n" });
  });

  test("writes an event once for all who get it", () => {
    let written = 0;
    const renderer = new StreamRenderer(names, {
      render(sink) {
        written += 1;
        sink.latin("{}");
      },
    });
    for (let sink = 0; sink < 8; sink += 1) renderer.render(drained(plain(1), plain(2)));
    expect(written).toBe(2);
    renderer.clear();
    renderer.render(drained(plain(1)));
    expect(written).toBe(3);
  });

  test("leaves a rendering alone that is kept", () => {
    const renderer = renderNative();
    const first = renderer.render(drained(plain(1, "first")));
    const before = decoder.decode(first);
    renderer.keep();
    renderer.render(drained(plain(2, "second")));
    expect(decoder.decode(first)).toBe(before);
  });

  test("gives no position to events of a channel that is gone", () => {
    const text = decoder.decode(renderNative().render(drained(deliverFrame(99, 1, encodeEvent({ type: "t" })))));
    expect(text).toMatch(/^data: /);
  });

  test("tells as CloudEvents what is told natively otherwise, by the same position", () => {
    const { byKind } = createStreamRenderers(names);
    const frame = deliverFrame(5, 3, encodeEvent({ type: "t", source: "/s", key: "k", data: Buffer.from("[1,\n2]") }));
    const [native] = parsed(byKind.sse.render(drained(frame))).events;
    const [cloud] = parsed(byKind["sse-cloudevents"].render(drained(frame))).events;
    expect(cloud?.id).toBe(native?.id);
    expect(JSON.parse(cloud?.data ?? "")).toEqual({
      specversion: "1.0",
      id: "host-7-5-3",
      source: "/s",
      type: "t",
      partitionkey: "k",
      datacontenttype: "application/json",
      data: [1, 2],
    });
  });

  test.each([
    {
      kind: { case: "dropped", value: { channelNumber: 5, count: 3n, reason: "overflow" } },
      want: { event: "dropped", data: { channel: "orders", count: 3, reason: "overflow" } },
    },
    {
      kind: { case: "left", value: { member: 2, reason: "channel_deleted" } },
      want: { event: "left", data: { member: "m2", reason: "channel_deleted" } },
    },
    {
      kind: { case: "drain", value: { retryMs: 250n } },
      want: { event: "drain", data: { retryMs: 250 }, retryMs: 250 },
    },
    {
      kind: { case: "problem", value: { code: "slow_consumer", title: "T", detail: "two\nlines" } },
      want: { event: "problem", data: { code: "slow_consumer", title: "T", detail: "two\nlines" } },
    },
  ] as const)("tells of $kind.case by its name", ({ kind, want }) => {
    const parser = parsed(renderNative().render(drained({ kind })));
    expect(parser.events).toMatchObject([{ event: want.event }]);
    expect(JSON.parse(parser.events[0]?.data ?? "")).toEqual(want.data);
    expect(parser.retryMs).toBe("retryMs" in want ? want.retryMs : undefined);
  });

  test.each<NonNullable<HostInit["kind"]>>([
    { case: "joined", value: { member: 1, channel: "orders" } },
    { case: "credit", value: { channelNumber: 5, events: 1n } },
    { case: "receipt", value: {} },
    { case: "pong", value: {} },
  ])("says nothing of $case", (kind) => {
    expect(renderNative().render(drained({ kind }))).toHaveLength(0);
  });

  test("refuses a delivery of a shape that the core does not write, instead of losing it", () => {
    const frame = create(HostFrameSchema, { kind: { case: "deliver", value: { events: [{}, {}] } } });
    expect(() => renderNative().render(drained({ kind: frame.kind }))).toThrow(/delivery/);
  });
});
