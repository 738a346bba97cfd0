/**
 * Goal: the wire format never changes by accident. Method: bytes in and bytes out, kept in test/fixtures as hex; each is
 * read by protobuf-es as well, so that the fixtures cannot drift from the schema.
 */
import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { HostFrameSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import { Harness } from "./harness.ts";
import { splitSizeDelimited } from "./wire.ts";

/** One conversation: what the source's peer writes, and what every sink is sent. */
interface Golden {
  readonly name: string;
  /** The service clock, ms. */
  readonly now: number;
  readonly source: string;
  /** Settings of the channel, whose number is 1. */
  readonly channel: { readonly priority?: number; readonly ttlMs?: number };
  /** Spaces between fields are for the reader. */
  readonly in: readonly string[];
  readonly out: readonly string[];
  /** What `out` says, by protobuf-es. */
  readonly says: readonly Record<string, unknown>[];
}

const fixtures: readonly Golden[] = JSON.parse(
  readFileSync(new URL("../fixtures/publish-deliver.json", import.meta.url), "utf8"),
);

const bytesOf = (lines: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(lines.join("").replaceAll(" ", ""), "hex"));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** 64-bit numbers as text, names of message types left out. */
function plainly(name: string, value: unknown): unknown {
  if (name === "$typeName") return undefined;
  return typeof value === "bigint" ? `${value}` : value;
}

/** What a delivery says, as plain JSON. */
function said(bytes: Uint8Array): Record<string, unknown>[] {
  return splitSizeDelimited(bytes).map((frame) => {
    const { kind } = fromBinary(HostFrameSchema, frame);
    if (kind.case !== "deliver") throw new Error(`Expected a delivery, got ${kind.case}`);
    const [delivery] = kind.value.events;
    const {
      $typeName: _name,
      $unknown: _unknown,
      data,
      ...event
    } = delivery?.event ?? { $typeName: "", $unknown: [], data: undefined };
    const plain = {
      channel: delivery?.channelNumber,
      sequence: delivery?.sequence,
      ...event,
      ...(data ? { data: hex(data) } : {}),
    };
    return JSON.parse(JSON.stringify(plain, plainly)) as Record<string, unknown>;
  });
}

describe("publish → deliver", () => {
  test.each(fixtures.map((golden) => ({ ...golden })))("$name", ({ now, source, channel, in: input, out, says }) => {
    const harness = Harness.create({ now });
    const number = harness.channel("golden", channel);
    expect(number).toBe(1);
    const [peer, sink] = [harness.open(abi.CONNECTION_STREAM, source), harness.open()];
    harness.source(peer, number);
    harness.sink(sink, number);
    expect(peer.feed(bytesOf(input))).toEqual([]);
    const { bytes } = sink.drain();
    expect(hex(bytes)).toBe(hex(bytesOf(out)));
    expect(said(bytes)).toEqual(says);
  });
});

test("a notice of drops and a ping, byte for byte", () => {
  const harness = Harness.create();
  const channel = harness.channel("golden");
  const [peer, sink] = [harness.open(), harness.open(abi.CONNECTION_WEBSOCKET)];
  harness.source(peer, channel);
  harness.sink(sink, channel);
  sink.inbox(1, 1_000_000, abi.OVERFLOW_DROP_NEWEST);
  const source = { source: "/", timeUs: 1n };
  peer.publish(channel, [
    { type: "a", ...source },
    { type: "b", ...source },
    { type: "c", ...source },
  ]);
  harness.core.pingPush(sink.id);
  const { bytes } = sink.drain();
  // Ping; then binary messages: Dropped { channel_number 1, count 2, reason "overflow" }; Deliver of event "a".
  expect(hex(bytes)).toBe(
    [
      "8900",
      "8211",
      "10",
      "220e",
      "1001",
      "1802",
      "22086f766572666c6f77",
      "821a",
      "19",
      "0a17",
      "0a15",
      "0801",
      "1001",
      "1a0f",
    ].join("") + ["12012f", "1a0161", "290100000000000000"].join(""),
  );
});
