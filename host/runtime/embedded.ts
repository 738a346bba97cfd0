/**
 * A host inside of an application: events pass the same core and the same rules, without a socket on the path.
 */
import { SluiceError } from "../errors.ts";
import type { Event } from "../gen/sluice/v1/event_pb.ts";
import type { Service } from "../service.ts";
import type { Cancelled } from "../session/cancel.ts";
import type { PublishResult } from "../session/local.ts";
import type { LocalDelivery } from "../session/local-frames.ts";
import { derivedId } from "../session/receipt.ts";
import type { AttributeValue, Subscription, SubscriptionOptions } from "../session/subscription.ts";
import { eventFromJson, jsonFromEvent } from "../socket/json/codec.ts";
import { microsFromMoment } from "../socket/json/moment.ts";

/** An event as JSON frames have it: `type` must be there, the rest may be absent. */
export interface EventInput {
  readonly type: string;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  /** 0 to 9, higher is more urgent. */
  readonly priority?: number;
  readonly deliverBy?: string;
  /** Milliseconds from acceptance; the advised form. */
  readonly ttlMs?: number;
  readonly key?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly dataContentType?: string;
  /** Anything that JSON can hold; text for text types. */
  readonly data?: unknown;
  readonly dataBase64?: string;
}

/** What was accepted. */
export type Receipt = Exclude<PublishResult, { problem: SluiceError }>;

/** A delivered event, in the shape in which it was published. */
export interface ReceivedEvent extends EventInput {
  readonly id: string;
  readonly source: string;
  readonly time: string;
}

/** What a subscriber may ask for. */
export type SubscribeOptions = Omit<SubscriptionOptions, "onEvents">;

/** A subscription to be read by `for await`. */
export interface EventStream extends AsyncIterable<ReceivedEvent> {
  readonly member: number;
  /** Changes live attributes; null takes one away. */
  update(attributes: Readonly<Record<string, AttributeValue | null>>): void;
  /**
   * Says that this subscriber takes up what has that key: others who wait for it do not get it, others who got it are told
   * by an event of type `cancel`.
   *
   * @throws {SluiceError} `cancelled` where another one was first: leave it.
   */
  cancel(key: string, options?: CancelOptions): Cancelled;
  /** Ends it, and the loop that reads it. */
  leave(): void;
}

/** One channel of an embedded host. */
export interface Channel {
  readonly name: string;
  /**
   * Publishes one event; when this returns it is in the inbox of every sink of this host.
   *
   * @throws {SluiceError} where it is refused: see the table of codes.
   */
  publish(event: EventInput): Receipt;
  /** Publishes many with a constant number of calls into the core. One result per event; nothing is thrown for a single one. */
  publishAll(events: readonly EventInput[]): PublishResult[];
  /**
   * Withdraws the undelivered events of a key for all sinks; those who got it are told by an event of type `cancel`.
   *
   * @throws {SluiceError} `channel_unknown`, `invalid_value`, `key_too_long`.
   */
  cancel(key: string, options?: CancelOptions): Cancelled;
  /** Subscribes; events wait in a bounded inbox while the reader is busy. */
  subscribe(options?: SubscribeOptions): EventStream;
  /** Subscribes with a function that gets each batch, at most once per turn of the event loop; events are decoded when looked at. */
  handler(onEvents: (deliveries: readonly LocalDelivery[]) => void, options?: SubscribeOptions): Subscription;
}

/** What a cancel may say besides its key. */
export interface CancelOptions {
  /** RFC 3339: only what happened up to this moment; absent: now. */
  readonly at?: string;
}

/** What a stream keeps in JavaScript before it holds its inbox, in events. */
const STREAM_EVENTS_MAX = 1_024;

/** Makes the channel's face. The channel itself comes into being with its first use, where that is allowed. */
export function embeddedChannel(service: Service, name: string): Channel {
  return {
    name,
    publish(event) {
      const [result] = service.publish(name, [eventFrom(event)]);
      if (result === undefined) throw new SluiceError("internal", "Publishing one event gave no result");
      if ("problem" in result) throw result.problem;
      return result;
    },
    cancel: (key, options = {}) => service.cancel(name, key, momentFrom(options)),
    publishAll: (events) => service.publish(name, events.map(eventFrom)),
    subscribe: (options = {}) => createStream(service, name, options),
    handler: (onEvents, options = {}) => service.subscribe(name, { ...options, onEvents }),
  };
}

function momentFrom({ at }: CancelOptions): { atUs?: bigint } {
  if (at === undefined) return {};
  const atUs = microsFromMoment(at);
  if (atUs === undefined)
    throw new SluiceError("invalid_value", `Cannot read the moment ${JSON.stringify(at.slice(0, 64))}`, {
      value: "at",
    });
  return { atUs };
}

function eventFrom(input: EventInput): Event {
  const read = eventFromJson(input);
  if (!read.ok) throw read.error;
  return read.value;
}

/** The event of a delivery in the shape in which it was published; what the source left out is filled in. */
export function receivedEvent(service: Pick<Service, "hostId" | "channels">, delivery: LocalDelivery): ReceivedEvent {
  const json = jsonFromEvent(delivery.event) as ReceivedEvent;
  if (json.id !== undefined) return json;
  const number = service.channels.get(delivery.channel)?.number ?? 0;
  return { ...json, id: derivedId(service.hostId, delivery.epoch, number, delivery.sequence) };
}

function createStream(service: Service, name: string, options: SubscribeOptions): EventStream {
  let waiting: LocalDelivery[] = [];
  let held = false;
  let over = false;
  let wake: (() => void) | undefined;
  /** While the reader is behind, events wait in the inbox, which is bounded, and not here. */
  const hold = (next: boolean): void => {
    if (held === next) return;
    held = next;
    subscription.hold(next);
  };
  const finish = (): void => {
    over = true;
    wake?.();
  };
  const subscription = service.subscribe(name, {
    ...options,
    onEvents(deliveries) {
      waiting.push(...deliveries);
      if (waiting.length >= STREAM_EVENTS_MAX) hold(true);
      wake?.();
    },
    onEnd(reason) {
      options.onEnd?.(reason);
      finish();
    },
  });
  const leave = (): void => {
    subscription.close();
    waiting = [];
    finish();
  };
  async function* read(): AsyncGenerator<ReceivedEvent, void> {
    try {
      for (;;) {
        const batch = waiting;
        waiting = [];
        for (const delivery of batch) yield receivedEvent(service, delivery);
        if (waiting.length > 0) continue;
        if (over) return;
        hold(false);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      leave();
    }
  }
  return {
    get member() {
      return subscription.member;
    },
    update: (attributes) => subscription.update(attributes),
    cancel: (key, options = {}) => service.cancel(name, key, { ...momentFrom(options), as: subscription.member }),
    leave,
    [Symbol.asyncIterator]: read,
  };
}
