/**
 * Events as applications have them: plain objects, as JSON frames have them, going in and coming out.
 */
import { SluiceError } from "../../errors.ts";
import type { Event } from "../../gen/sluice/v1/event_pb.ts";
import type { EventInput, ReceivedEvent } from "../../interface.ts";
import type { Service } from "../../service.ts";
import type { PublishResult } from "../../session/local.ts";
import { derivedId } from "../../session/receipt.ts";
import { eventFromJson, jsonFromEvent } from "../../socket/json/codec.ts";
import { cascaded } from "./cascade.ts";

export type { EventInput, ReceivedEvent } from "../../interface.ts";

/** What was accepted. */
export type Receipt = Exclude<PublishResult, { problem: SluiceError }>;

/**
 * What goes in, checked and with what caused it.
 *
 * @throws {SluiceError} as publishing refuses; `limit_reached` where a cascade of handlers is too long.
 */
export function eventFrom(input: EventInput): Event {
  const read = eventFromJson(cascaded(input));
  if (!read.ok) throw read.error;
  return read.value;
}

/** The receipt of what was accepted. @throws {SluiceError} where it was refused. */
export function receiptFrom(result: PublishResult | undefined): Receipt {
  if (result === undefined) throw new SluiceError("internal", "Publishing one event gave no result");
  if ("problem" in result) throw result.problem;
  return result;
}

/** Where an event was delivered from, as far as its id depends on it. */
export interface Place {
  readonly channel: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** The event of a delivery in the shape in which it was published; what the source left out is filled in. */
export function receivedEvent(
  service: Pick<Service, "hostId" | "channels">,
  { channel, epoch, sequence }: Place,
  event: Event,
): ReceivedEvent {
  const json = jsonFromEvent(event) as ReceivedEvent;
  if (json.id !== undefined) return json;
  const number = service.channels.get(channel)?.number ?? 0;
  return { ...json, id: derivedId(service.hostId, epoch, number, sequence) };
}
