/**
 * A host inside of an application: events pass the same core and the same rules, without a socket on the path.
 */
import { checkWith } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { bindingFromJson } from "../filter/route.ts";
import { type FilterInput, type Stage, stageSchema } from "../filter/schema.ts";
import type { AnyChannel, AnyEventStream, CancelOptions } from "../interface.ts";
import type { Service } from "../service.ts";
import type { Cancelled } from "../session/cancel.ts";
import type { PublishResult } from "../session/local.ts";
import type { LocalDelivery } from "../session/local-frames.ts";
import type { AttributeValue, Subscription, SubscriptionOptions } from "../session/subscription.ts";
import type { Trace } from "../session/tracing.ts";
import { microsFromMoment } from "../socket/json/moment.ts";
import {
  type EventInput,
  eventFrom,
  type Receipt,
  type ReceivedEvent,
  receiptFrom,
  receivedEvent,
} from "./embedded/event.ts";
import { createMonitor, type Monitor, type MonitorOptions } from "./embedded/monitor.ts";

/** What a subscriber may ask for. */
export type SubscribeOptions = Omit<SubscriptionOptions, "onEvents" | "onOver">;

/** A subscription to be read by `for await`. */
export interface EventStream extends AnyEventStream {
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
export interface Channel extends AnyChannel {
  readonly name: string;
  /**
   * Publishes one event; when this returns it is in the inbox of every sink of this host.
   *
   * @throws {SluiceError} where it is refused: see the table of codes.
   */
  publish(event: EventInput): Receipt;
  /**
   * Publishes one event and tells when it passed which stage, once all selected sinks have it or `waitMs` are over.
   *
   * @throws {SluiceError} as publish().
   */
  trace(event: EventInput, options?: { readonly waitMs?: number }): Promise<Trace>;
  /** Publishes many with a constant number of calls into the core. One result per event; nothing is thrown for a single one. */
  publishAll(events: readonly EventInput[]): PublishResult[];
  /**
   * Withdraws the undelivered events of a key for all sinks; those who got it are told by an event of type `cancel`.
   *
   * @throws {SluiceError} `channel_unknown`, `invalid_value`, `key_too_long`.
   */
  cancel(key: string, options?: CancelOptions): Cancelled;
  /**
   * Binds a filter to a stage, or takes it away, from the next event on.
   *
   * @param stage `out`: once per event, over all candidates; `in`: before the inboxes.
   * @param binding Routes, or a filter module, as `PUT /v1/channels/{channel}/filters/{stage}` takes them; null: none.
   * @throws {SluiceError} `filter_unknown`, `invalid_value` for a hook that the module lacks or a configuration that it does
   *   not start with, and what else a binding can be refused for; what was bound stays then.
   */
  filter(stage: Stage, binding: FilterInput | null): void;
  /** Subscribes; events wait in a bounded inbox while the reader is busy. */
  subscribe(options?: SubscribeOptions): EventStream;
  /** Subscribes with a function that gets each batch, at most once per turn of the event loop; events are decoded when looked at. */
  handler(onEvents: (deliveries: readonly LocalDelivery[]) => void, options?: SubscribeOptions): Subscription;
  /**
   * Makes a source with an outbox of its own.
   *
   * @throws {SluiceError} `source_taken` on a channel with a single source, and as a join is refused.
   */
  monitor(options?: MonitorOptions): Monitor;
  /** Changes live attributes of all streams, handlers and monitors that were made through this object; null takes one away. */
  update(attributes: Readonly<Record<string, AttributeValue | null>>): void;
  /** Ends all streams, handlers and monitors that were made through this object. */
  leave(): void;
}

/** What a channel's face looks after. */
interface Part {
  update(attributes: Readonly<Record<string, AttributeValue | null>>): void;
  leave(): void;
}

/** What a stream keeps in JavaScript before it holds its inbox, in events. */
const STREAM_EVENTS_MAX = 1_024;

/** Makes the channel's face. The channel itself comes into being with its first use, where that is allowed. */
export function embeddedChannel(service: Service, name: string): Channel {
  const parts = new Set<Part>();
  /** Makes a part that is looked after until it is over, by whatever way. */
  const keep = <Made>(make: (over: () => void) => Made, partOf: (made: Made) => Part): Made => {
    let part: Part | undefined;
    let isOver = false;
    const made = make(() => {
      isOver = true;
      if (part !== undefined) parts.delete(part);
    });
    part = partOf(made);
    if (!isOver) parts.add(part);
    return made;
  };
  return {
    name,
    publish: (event) => receiptFrom(service.publish(name, [eventFrom(event)])[0]),
    cancel: (key, options = {}) => service.cancel(name, key, momentFrom(options)),
    trace: async (event, options = {}) => service.tracing.trace(name, eventFrom(event), options),
    publishAll: (events) => service.publish(name, events.map(eventFrom)),
    filter(stage, binding) {
      const known = checkWith(stageSchema, stage, ["stage"]);
      service.channels.resolve(name);
      service.channels.setFilter(name, known, binding === null ? null : bindingFromJson(binding));
    },
    subscribe: (options = {}) =>
      keep(
        (over) => createStream(service, name, options, over),
        (stream) => stream,
      ),
    handler: (onEvents, options = {}) =>
      keep(
        (over) => service.subscribe(name, { ...options, onEvents, onOver: over }),
        (subscription) => ({ update: subscription.update, leave: subscription.close }),
      ),
    monitor: (options = {}) =>
      keep(
        (over) => createMonitor(service, name, withEnd(options, over)),
        (monitor) => monitor,
      ),
    update(attributes) {
      for (const part of parts) part.update(attributes);
    },
    leave() {
      for (const part of [...parts]) part.leave();
    },
  };
}

function withEnd(options: MonitorOptions, over: () => void): MonitorOptions {
  return {
    ...options,
    onLeave() {
      over();
      options.onLeave?.();
    },
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

function createStream(service: Service, name: string, options: SubscribeOptions, onOver: () => void): EventStream {
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
    onOver,
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
        for (const delivery of batch) yield receivedEvent(service, delivery, delivery.event);
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
