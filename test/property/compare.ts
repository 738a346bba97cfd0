/** What a peer can see, compared. */
import { create, toBinary } from "@bufbuild/protobuf";
import { expect } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { type Event, EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { DeliverySchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import type { Outcome } from "../core-wasm/outcome.ts";
import { varint } from "../core-wasm/wire.ts";
import type { ModelReceipt } from "./reference/engine.ts";

/** Sizes of events are asked for again and again, and some events are large. */
const eventBytes = new WeakMap<Event, number>();

/** Bytes of an entry: it is stored as the size-delimited frame in which it will be delivered (docs/adr/0002). */
export function entryBytes(channelNumber: number, sequence: bigint, event: Event, member: number): number {
  let bytes = eventBytes.get(event);
  if (bytes === undefined) {
    bytes = toBinary(EventSchema, event).length;
    eventBytes.set(event, bytes);
  }
  // An empty event takes no bytes itself; then only what depends on its size is missing.
  const head = create(DeliverySchema, { channelNumber, sequence, member, event: create(EventSchema) });
  const delivery = toBinary(DeliverySchema, head).length - 1 + varint(bytes).length + bytes;
  const deliver = 1 + varint(delivery).length + delivery;
  const frame = 1 + varint(deliver).length + deliver;
  return varint(frame).length + frame;
}

/** Compares records, or problems where no receipt was asked for. */
export function compareReceipts(outcomes: readonly Outcome[], want: readonly ModelReceipt[], receipt: boolean): void {
  if (!receipt) {
    const problems = outcomes.map((outcome) =>
      outcome.reason === "problem" ? [outcome.index, outcome.status] : outcome,
    );
    expect(problems).toEqual(
      want.flatMap(({ status, late }, index) => (status === abi.STATUS_OK || late ? [] : [[index, status]])),
    );
    return;
  }
  const [outcome] = outcomes;
  if (outcome?.reason !== "receipt" || outcomes.length !== 1)
    throw new Error(`Expected a receipt, got ${outcome?.reason}`);
  const got = outcome.records.map(({ status, sequence, sinks, refused }) => ({ status, sequence, sinks, refused }));
  expect(got).toEqual(want.map(({ status, sequence, sinks, refused }) => ({ status, sequence, sinks, refused })));
}
