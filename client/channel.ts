/** One channel, as a client has it. */
import type {
  AnyChannel,
  AttributeChanges,
  Cancelled,
  CancelOptions,
  Receipt,
  ReceivedEvent,
} from "../host/interface.ts";
import type { SluiceError } from "./errors.ts";
import { createMonitor, type Monitor, type MonitorOptions } from "./monitor.ts";
import { defaultGathering, type Outgoing } from "./outgoing.ts";
import { type PublishOptions, publishOne, type TypedInput } from "./publishing.ts";
import type { StandardSchema } from "./schema.ts";
import type { Session, SessionSettings } from "./session.ts";
import { type Delivery, type EventStream, handle, type Subscription, streamOf } from "./stream.ts";
import { askCancel, Incoming, type SubscribeOptions } from "./subscription.ts";
import { abortable, onAbort } from "./wait.ts";

/** One channel of a host at the end of a socket. `Data`: what its events carry. */
export interface Channel<Data = unknown> extends AnyChannel {
  readonly name: string;
  /**
   * Publishes one event. What is published in one turn of the event loop leaves together, in order.
   *
   * @throws {SluiceError} where it is refused; `unanswered` where a break has left its end unknown.
   */
  publish(event: TypedInput<Data>, options?: PublishOptions): Promise<Receipt>;
  /** Publishes several; the receipts, or refusals, in their order. Nothing is thrown for a single one. */
  publish(events: readonly TypedInput<Data>[], options?: PublishOptions): Promise<(Receipt | SluiceError)[]>;
  subscribe(options?: StreamOptions): EventStream<Data>;
  /** Calls a function with each batch, one call at a time; what it returns is waited for. */
  handler(onDeliveries: (deliveries: readonly Delivery<Data>[]) => unknown, options?: SubscribeOptions): Subscription;
  monitor(options?: MonitorOptions): Monitor<Data>;
  cancel(key: string, options?: CancelOptions & { readonly signal?: AbortSignal }): Promise<Cancelled>;
  /** The same channel, whose data is checked as it goes out and comes in. */
  typed<Output>(schema: StandardSchema<unknown, Output>): Channel<Output>;
  update(attributes: AttributeChanges): Promise<void>;
  leave(): Promise<void>;
}

/** What a reader may ask for. */
export interface StreamOptions extends SubscribeOptions {
  /** Hears of events whose data the channel's schema rejects: they are passed over. */
  readonly onRejected?: (error: SluiceError, event: ReceivedEvent) => void;
}

/** What channels share with their client. */
export interface ChannelRoot {
  readonly settings: SessionSettings;
  readonly session: Session;
  readonly outgoing: Outgoing;
  readonly onError: (error: unknown) => void;
  /** @throws {SluiceError} where the client is over. */
  assertOpen(): void;
  /** Looks after a part until it is over: `end` ends it with the client. @returns Is called then. */
  keep(end: (reason: SluiceError) => void): () => void;
}

/** What was opened, and how it ends with the client. */
interface Opened {
  /** Aborted once it is over. */
  readonly over: AbortSignal;
  readonly end: (reason: SluiceError) => void;
}

interface Part {
  update(attributes: AttributeChanges): Promise<void>;
  leave(): Promise<void>;
}

/** Makes the channel's face. */
export function createChannel<Data>(root: ChannelRoot, name: string, schema?: StandardSchema): Channel<Data> {
  const parts = new Set<Part>();
  /** Looks after a part until it is over, by whatever way. */
  const keep = <Made extends Part>(made: Made, { over, end }: Opened, signal: AbortSignal | undefined): Made => {
    parts.add(made);
    const forget = root.keep(end);
    const undo = onAbort(signal, () => void made.leave());
    over.addEventListener("abort", () => {
      parts.delete(made);
      forget();
      undo();
    });
    return made;
  };
  const open = (options: SubscribeOptions): Opened & { readonly incoming: Incoming } => {
    options.signal?.throwIfAborted();
    root.assertOpen();
    const over = new AbortController();
    const incoming = new Incoming(root.settings, [name], options, () => over.abort());
    return { incoming, over: over.signal, end: (reason) => incoming.leave(reason) };
  };
  const publishing = { outgoing: root.outgoing, channel: name, gathering: defaultGathering, schema };
  function publish(event: TypedInput<Data>, options?: PublishOptions): Promise<Receipt>;
  function publish(events: readonly TypedInput<Data>[], options?: PublishOptions): Promise<(Receipt | SluiceError)[]>;
  async function publish(
    events: TypedInput<Data> | readonly TypedInput<Data>[],
    options: PublishOptions = {},
  ): Promise<Receipt | (Receipt | SluiceError)[]> {
    if (!isList(events)) return await publishOne(publishing, events, options);
    const settled = await Promise.allSettled(events.map((event) => publishOne(publishing, event, options)));
    // An aborted signal ends the waiting for all.
    options.signal?.throwIfAborted();
    return settled.map((one) => (one.status === "fulfilled" ? one.value : one.reason));
  }
  return {
    name,
    publish,
    subscribe(options = {}) {
      const opened = open(options);
      const { incoming } = opened;
      const settings = { channel: name, schema, onRejected: options.onRejected, signal: options.signal };
      return keep(streamOf<Data>(incoming, settings), opened, options.signal);
    },
    handler(onDeliveries, options = {}) {
      const opened = open(options);
      return keep(handle<Data>(opened.incoming, onDeliveries, root.onError), opened, options.signal);
    },
    monitor(options = {}) {
      root.assertOpen();
      const over = new AbortController();
      const monitor = createMonitor<Data>(root, name, options, schema, () => over.abort());
      return keep(monitor, { over: over.signal, end: () => void monitor.leave() }, options.signal);
    },
    async cancel(key, { at, signal } = {}) {
      signal?.throwIfAborted();
      return await abortable(askCancel(root.session, name, key, at), signal);
    },
    typed: (typed) => createChannel(root, name, typed),
    async update(attributes) {
      await Promise.all([...parts].map((part) => part.update(attributes)));
    },
    async leave() {
      await Promise.all([...parts].map((part) => part.leave()));
    },
  };
}

function isList<One>(events: One | readonly One[]): events is readonly One[] {
  return Array.isArray(events);
}
