/**
 * What the engine adds to an event, in plain TypeScript.
 *
 * Source: the comments of schemas/sluice/v1/event.proto.
 */
import { clone, create } from "@bufbuild/protobuf";
import { type Event, EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import type { EventInit } from "../../core-wasm/frames.ts";

/** Microseconds since 1970 of a moment of the service clock. */
export function microseconds(nowMs: number): bigint {
  return BigInt(Math.floor(nowMs * 1000));
}

/**
 * The event as every sink receives it.
 *
 * Where a source gives both `deliverByUs` and `ttlMs`, the earlier of the two moments counts; no moment lies beyond the
 * year 9999, which RFC 3339 could not write.
 *
 * @param init What the source said.
 * @param source The session's implicit source, used where the event has none.
 * @param ttlMs The channel's default, used where the event has neither `deliverByUs` nor `ttlMs`; 0: none.
 * @param nowMs The moment of acceptance.
 * @param priority The channel's default, appended where it is not 4, which is what absence means.
 */
export function completeEvent(init: EventInit, source: string, ttlMs: number, nowMs: number, priority = 4): Event {
  const event = clone(EventSchema, create(EventSchema, init));
  if (event.source === "") event.source = source;
  event.timeUs ??= microseconds(nowMs);
  if (event.priority === undefined && priority !== 4) event.priority = priority;
  const ttl = event.ttlMs ?? (event.deliverByUs === undefined && ttlMs > 0 ? BigInt(ttlMs) : undefined);
  if (ttl !== undefined) {
    const moment = earlier(microseconds(nowMs) + ttl * 1000n, TIME_US_MAX);
    event.deliverByUs = event.deliverByUs === undefined ? moment : earlier(event.deliverByUs, moment);
  }
  return event;
}

/** The last microsecond of the year 9999. */
export const TIME_US_MAX = 253_402_300_799_999_999n;

function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
