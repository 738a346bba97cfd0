/**
 * What applications program against, whether the host is in their process (`createHost()`) or at the end of a socket
 * (`connect()` of sluice/client). Types only: it is what both have in common, with `await` where a socket may be in between.
 */

/** What an attribute may be. */
export type AttributeValue = boolean | number | string;

/** Live attributes as they are changed; null takes one away. */
export type AttributeChanges = Readonly<Record<string, AttributeValue | null>>;

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

/** A delivered event, in the shape in which it was published. */
export interface ReceivedEvent extends EventInput {
  readonly id: string;
  readonly source: string;
  readonly time: string;
}

/** What was accepted. */
export interface Receipt {
  readonly id: string;
  /** Counts per (channel, epoch); 0 while the event waits in its outbox. */
  readonly sequence: number;
  readonly epoch: number;
  /** Members selected, and the hosts they are on. */
  readonly sinks: number;
  readonly hosts: number;
  /** Selected members whose inbox refused it; absent for none. */
  readonly refused?: number;
  /** It was published before a connection broke, and its receipt was lost: nothing has happened now, and no sequence is told. */
  readonly duplicate?: boolean;
}

/** What a cancel did. */
export interface Cancelled {
  /** Deliveries that will not be made. */
  readonly withdrawn: number;
  /** Sinks that got the key, and are told. */
  readonly forwarded: number;
}

/** What a cancel may say besides its key. */
export interface CancelOptions {
  /** RFC 3339: only what happened up to this moment; absent: now. */
  readonly at?: string;
}

/** What any subscriber may ask for. */
export interface Wants {
  /** Event types; none: any. */
  readonly types?: readonly string[];
  /** Only events of which this expression holds. */
  readonly where?: string;
  /** Language of `where`: `cesql` is the pure CloudEvents SQL. */
  readonly dialect?: "cesql";
  /** Live attributes of the member. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Hears of deliveries that this subscription will not get. */
  readonly onDropped?: (dropped: { readonly count: number; readonly reason: string }) => void;
}

/** A subscription to be read by `for await`. */
export interface AnyEventStream extends AsyncIterable<ReceivedEvent> {
  /** Changes live attributes. */
  update(attributes: AttributeChanges): void | Promise<void>;
  /** Says that this subscriber takes up what has that key: see the guide on tied requests. */
  cancel(key: string, options?: CancelOptions): Cancelled | Promise<Cancelled>;
  /** Ends it, and the loop that reads it. */
  leave(): void | Promise<void>;
}

/** A source. */
export interface AnyMonitor {
  emit(event: EventInput): Receipt | Promise<Receipt>;
  /** Changes live attributes. */
  update(attributes: AttributeChanges): void | Promise<void>;
  /** Is a source no more. */
  leave(): void | Promise<void>;
}

/** One channel, wherever its host is. */
export interface AnyChannel {
  readonly name: string;
  /** Publishes one event. Fails with a SluiceError where it is refused. */
  publish(event: EventInput): Receipt | Promise<Receipt>;
  /** Withdraws the undelivered events of a key for all sinks; those who got it are told by an event of type `cancel`. */
  cancel(key: string, options?: CancelOptions): Cancelled | Promise<Cancelled>;
  /** Subscribes; events wait in a bounded inbox while the reader is busy. */
  subscribe(options?: Wants): AnyEventStream;
  /** Makes a source with an outbox of its own. */
  monitor(options?: { readonly attributes?: Readonly<Record<string, AttributeValue>> }): AnyMonitor;
  /** Changes live attributes of all that was made through this object. */
  update(attributes: AttributeChanges): void | Promise<void>;
  /** Ends all that was made through this object. */
  leave(): void | Promise<void>;
}

/**
 * What libraries such as zod, valibot and arktype have in common.
 *
 * Source: https://standardschema.dev, version 1.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type Checked<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };
