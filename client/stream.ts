/** A subscription as programs read it: by `for await`, or by a function for each batch. */
import type { AnyEventStream, AttributeChanges, Cancelled, CancelOptions, ReceivedEvent } from "../host/interface.ts";
import { isSluiceError, SluiceError } from "./errors.ts";
import type { StandardSchema } from "./schema.ts";
import { check } from "./schema.ts";
import type { Incoming } from "./subscription.ts";
import { type Deferred, deferred } from "./wait.ts";
import type { Delivery as WireDelivery } from "./wire/deliveries.ts";

/** One delivery, with what is known of it beside the event. */
export interface Delivery<Data = unknown> {
  readonly event: TypedEvent<Data>;
  readonly channel: string;
  /** Dense count of the inbox's deliveries, from 1. */
  readonly number: number;
  /** 1, or how often it was delivered, this time included. */
  readonly attempt: number;
  /** Counts per (channel, epoch). */
  readonly sequence: number;
  readonly epoch: number;
  /** Acknowledges it, where the subscription says `ack: "explicit"`. */
  ack(): void;
}

/** A received event whose data has a type. */
export interface TypedEvent<Data> extends ReceivedEvent {
  readonly data?: Data;
}

/** A subscription to be read by `for await`. */
export interface EventStream<Data = unknown> extends AnyEventStream, AsyncIterable<TypedEvent<Data>> {
  /** Resolved once the host has joined it: what is published from then on comes. Rejected where it is refused. */
  readonly ready: Promise<void>;
  /** Its member on the host; 0 before it is ready, and another one after a break that the session did not survive. */
  readonly member: number;
  [Symbol.asyncIterator](): AsyncIterator<TypedEvent<Data>, void>;
  /** The same events with what is known of them; `ack()` of each acknowledges it. Read it in the place of the stream. */
  deliveries(): AsyncIterableIterator<Delivery<Data>, void>;
  update(attributes: AttributeChanges): Promise<void>;
  cancel(key: string, options?: CancelOptions): Promise<Cancelled>;
  leave(): Promise<void>;
}

/** Acknowledgements that leave together, and how long the first of them waits. */
const ACKS = 64;
const ACK_MS = 5;

const finished: IteratorReturnResult<void> = Object.freeze({ done: true, value: undefined });

/** Reads one subscription; whoever asks next gets the next event. */
class Reader<Item> implements AsyncIterableIterator<Item, void> {
  readonly #incoming: Incoming;
  readonly #item: (delivery: WireDelivery) => Item | Promise<Item>;
  readonly #signal: AbortSignal | undefined;
  readonly #automatic: boolean;
  #asked: Deferred<IteratorResult<Item, void>>[] = [];
  #last = 0;
  #acks: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param item Makes of a delivery what is read. @param automatic Whether asking for the next one acknowledges the one before. */
  constructor(
    incoming: Incoming,
    item: (delivery: WireDelivery) => Item | Promise<Item>,
    automatic: boolean,
    signal: AbortSignal | undefined,
  ) {
    this.#incoming = incoming;
    this.#item = item;
    this.#automatic = automatic && incoming.isExplicit;
    this.#signal = signal;
    incoming.onMore = () => this.#answer();
  }

  next(): Promise<IteratorResult<Item, void>> {
    if (this.#automatic && this.#last !== 0) this.#ack(this.#last);
    this.#last = 0;
    const delivery = this.#asked.length === 0 ? this.#incoming.take() : undefined;
    if (delivery !== undefined) return this.#give(delivery);
    const asked = deferred<IteratorResult<Item, void>>();
    this.#asked.push(asked);
    this.#answer();
    return asked.promise;
  }

  return(): Promise<IteratorResult<Item, void>> {
    if (this.#automatic && this.#last !== 0) this.#ack(this.#last);
    this.#flush();
    this.#incoming.leave();
    return Promise.resolve(finished);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #give(delivery: WireDelivery): Promise<IteratorResult<Item, void>> {
    this.#last = delivery.number;
    const item = this.#item(delivery);
    return item instanceof Promise
      ? item.then((value) => ({ done: false, value }))
      : Promise.resolve({ done: false, value: item });
  }

  /** Something came, or all is over. */
  #answer(): void {
    for (let [asked] = this.#asked; asked !== undefined; [asked] = this.#asked) {
      const delivery = this.#incoming.take();
      const { over } = this.#incoming.session;
      if (delivery !== undefined) this.#give(delivery).then(asked.resolve, asked.reject);
      else if (over === undefined) return;
      else if (this.#signal?.aborted === true) asked.reject(this.#signal.reason);
      else if (over.code === "closed") asked.resolve(finished);
      else asked.reject(over);
      this.#asked.shift();
    }
  }

  #ack(number: number): void {
    this.#acks.push(number);
    if (this.#acks.length >= ACKS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), ACK_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#incoming.ack(this.#acks.splice(0));
  }
}

/** What a stream needs besides its subscription. */
export interface StreamSettings {
  /** For cancels, of the subscription's first channel. */
  readonly channel: string;
  readonly schema: StandardSchema | undefined;
  /** Hears of data that its schema rejects; without it such an event is passed over in silence. */
  readonly onRejected: ((error: SluiceError, event: ReceivedEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Makes the stream of a subscription. */
export function streamOf<Data>(incoming: Incoming, settings: StreamSettings): EventStream<Data> {
  const { channel, schema, signal } = settings;
  const leave = async (): Promise<void> => incoming.leave();
  return {
    ready: incoming.ready,
    get member() {
      return incoming.member;
    },
    [Symbol.asyncIterator]() {
      if (schema !== undefined) return checkedEvents<Data>(incoming, settings);
      return new Reader(incoming, ({ event }) => event as TypedEvent<Data>, true, signal);
    },
    deliveries() {
      return new Reader(incoming, (delivery) => deliveryOf<Data>(incoming, delivery), false, signal);
    },
    update: (attributes) => incoming.update(attributes),
    cancel: (key, options) => incoming.cancel(channel, key, options),
    leave,
  };
}

/** A delivery as programs see it. */
export function deliveryOf<Data>(incoming: Incoming, delivery: WireDelivery): Delivery<Data> {
  const { number, attempt, sequence, epoch } = delivery;
  return {
    get event() {
      return delivery.event as TypedEvent<Data>;
    },
    channel: incoming.channelOf(delivery),
    number,
    attempt,
    sequence,
    epoch,
    ack: () => incoming.ack([number]),
  };
}

/** Events whose data is what the schema makes of it; those that it rejects are told, and the loop goes on. */
async function* checkedEvents<Data>(
  incoming: Incoming,
  { schema, onRejected, signal }: StreamSettings,
): AsyncGenerator<TypedEvent<Data>, void> {
  for await (const event of new Reader(incoming, (delivery) => delivery.event, true, signal)) {
    let data: Data;
    try {
      data = (await check(schema as StandardSchema, event.data, `an event of type ${event.type}`)) as Data;
    } catch (error) {
      onRejected?.(
        isSluiceError(error) ? error : new SluiceError("schema", "A schema has failed", { cause: error }),
        event,
      );
      continue;
    }
    yield { ...event.toJSON(), data };
  }
}

/** A subscription that is read by a function. */
export interface Subscription {
  readonly ready: Promise<void>;
  readonly member: number;
  update(attributes: AttributeChanges): Promise<void>;
  leave(): Promise<void>;
}

/**
 * Has a function called with what has come. What it takes of credit is given back when it returns, or when its promise is settled: one
 * call at a time.
 *
 * @param onError Hears of what the function throws; the subscription goes on.
 */
export function handle<Data>(
  incoming: Incoming,
  onDeliveries: (deliveries: readonly Delivery<Data>[]) => unknown,
  onError: (error: unknown) => void,
): Subscription {
  let busy = false;
  const run = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    while (incoming.session.over === undefined && incoming.waiting.length > 0) {
      const batch: WireDelivery[] = incoming.waiting.slice(incoming.first);
      try {
        const returned = onDeliveries(batch.map((delivery) => deliveryOf<Data>(incoming, delivery)));
        if (returned instanceof Promise) await returned;
        incoming.ack(batch.map(({ number }) => number));
      } catch (error) {
        // What is to be acknowledged comes again.
        onError(error);
      }
      for (let count = batch.length; count > 0; count--) incoming.take();
    }
    busy = false;
  };
  incoming.onMore = () => void run();
  return {
    ready: incoming.ready,
    get member() {
      return incoming.member;
    },
    update: (attributes) => incoming.update(attributes),
    leave: async () => incoming.leave(),
  };
}
