/**
 * What becomes of an event that was delivered as often as it may be and never acknowledged: it is published on the inbox's
 * dead-letter channel, or dropped and told.
 *
 * There it is an ordinary event: key, attributes, source, time and payload are those it had; attributes that begin with
 * `dead_` say why it is there and where it comes from. Its deadline is gone with its purpose.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../errors.ts";
import { type Event, EventSchema, type Value, ValueSchema } from "../gen/sluice/v1/event_pb.ts";
import { limits } from "../limits.ts";
import type { Engine } from "./engine.ts";
import type { RawDelivery } from "./local-frames.ts";
import { derivedId } from "./receipt.ts";

/** An event that has this was a dead letter before: it does not go round in circles. */
const MARK = "dead_reason";

/** A delivery that is given up. */
export interface DeadDelivery extends RawDelivery {
  /** The name of its channel, "" where that is gone. */
  readonly channel: string;
}

/**
 * Publishes a dead letter.
 *
 * @param name Of the dead-letter channel.
 * @returns Why it could not be published; undefined where it was.
 */
export function publishDead(engine: Engine, name: string, delivery: DeadDelivery): SluiceError | undefined {
  const event = fromBinary(EventSchema, delivery.event);
  if (MARK in event.attributes)
    return new SluiceError("invalid_value", `The event was a dead letter on "${delivery.channel}" already`);
  try {
    const [result] = engine.publishEncoded(name, [toBinary(EventSchema, deadLetter(engine, event, delivery))]);
    return result !== undefined && "problem" in result ? result.problem : undefined;
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
}

/** The event as it goes to the dead-letter channel. */
function deadLetter(engine: Engine, event: Event, delivery: DeadDelivery): Event {
  const { channel, channelNumber, sequence, attempt } = delivery;
  const { epoch } = engine.core;
  const { deliverByUs: _deliverBy, ttlMs: _ttl, ...rest } = event;
  const told: [string, Value][] = [
    [MARK, text("attempts")],
    ["dead_channel", text(channel)],
    ["dead_attempts", whole(attempt)],
    ["dead_sequence", whole(sequence)],
    ["dead_epoch", whole(epoch)],
  ];
  // The event's own come first: where it has as many as may be, it says less about its end.
  const room = Math.max(0, limits.attributes - Object.keys(event.attributes).length);
  return create(EventSchema, {
    ...rest,
    id: event.id || derivedId(engine.options.hostId, epoch, channelNumber, sequence),
    attributes: { ...event.attributes, ...Object.fromEntries(told.slice(0, room)) },
  });
}

function text(value: string): Value {
  return create(ValueSchema, { kind: { case: "text", value } });
}

function whole(value: number): Value {
  return create(ValueSchema, { kind: { case: "integer", value: BigInt(value) } });
}
