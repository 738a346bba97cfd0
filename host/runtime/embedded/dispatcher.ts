/**
 * The way out of the inbox of a service manager: what waits is taken in the inbox's order, handed to the handlers that want it,
 * and acknowledged when they are done.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { isSluiceError } from "../../errors.ts";
import { type Event, EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import { limits } from "../../limits.ts";
import type { Service } from "../../service.ts";
import type { Mailbox } from "../../session/mailbox.ts";
import type { InboxDropped, InboxEntry, Polled } from "../../session/mailbox-view.ts";
import { hopsOf } from "./cascade.ts";
import { callAll, type HandlerFailure } from "./dispatch.ts";
import { type ReceivedEvent, receivedEvent } from "./event.ts";
import type { AttachedHandler, HandlerContext } from "./handler.ts";

/** What handing out depends on. */
export interface DispatcherSettings {
  /** Of the manager, for the log. */
  readonly name: string;
  readonly hopsMax: number;
  readonly timeoutMs: number;
  /** Handlers that are attached to a channel, by name or pattern. */
  readonly handlersOf: (channel: string) => readonly AttachedHandler[];
  /** Runs something when the event loop has had its turn. */
  readonly nextTurn: (run: () => void) => void;
  /** The inbox is gone, for a reason that is a code. */
  readonly onGone: (code: string) => void;
  readonly onError?: ((failure: HandlerFailure) => void) | undefined;
  readonly onDropped?: ((dropped: InboxDropped) => void) | undefined;
}

/** Events that are handed out before the event loop gets its turn. */
const TURN_EVENTS = 256;

/** See the head of this file. */
export class Dispatcher {
  readonly counts = { events: 0, calls: 0, errors: 0, unhandled: 0, cascadesRefused: 0 };
  readonly deadlines = { met: 0, missed: 0, dropped: 0 };
  readonly #service: Service;
  readonly #mailbox: Mailbox;
  readonly #settings: DispatcherSettings;
  /** Of deliveries that will be made again: who is still to get them, by number. */
  readonly #unfinished = new Map<number, readonly AttachedHandler[]>();
  #running = false;
  #over = false;
  #settledWaiters: (() => void)[] = [];

  constructor(service: Service, mailbox: Mailbox, settings: DispatcherSettings) {
    this.#service = service;
    this.#mailbox = mailbox;
    this.#settings = settings;
  }

  /** Takes what waits and hands it out, until nothing waits. One at a time. */
  async run(): Promise<void> {
    if (this.#running || this.#over) return;
    this.#running = true;
    try {
      let events = 0;
      for (let entries = this.#take(); entries.length > 0; entries = this.#take()) {
        for (const entry of entries) {
          const done = this.#handOut(entry);
          if (done !== undefined) await done;
          if (++events % TURN_EVENTS === 0) await new Promise<void>(this.#settings.nextTurn);
        }
      }
    } finally {
      this.#running = false;
      this.#tellSettled();
    }
  }

  #take(): readonly InboxEntry[] {
    if (this.#over) return [];
    try {
      // Without waiting it is answered at once.
      const polled = this.#service.inboxes.poll(this.#mailbox.id, { eventsMax: undefined, waitMs: 0 }) as Polled;
      for (const dropped of polled.dropped) this.#safely(() => this.#settings.onDropped?.(dropped));
      return polled.entries;
    } catch (error) {
      // A restart of the core is passing; an inbox that is gone is not.
      const code = isSluiceError(error) ? error.code : "internal";
      if (code === "core_restarted") return [];
      this.#service.log.warn("service manager ended", { manager: this.#settings.name, error });
      this.end();
      this.#safely(() => this.#settings.onGone(code));
      return [];
    }
  }

  /** Hands one event to those it is for. Returns a promise where that takes time. */
  #handOut(entry: InboxEntry): Promise<void> | undefined {
    if (this.#over) return undefined;
    const event = fromBinary(EventSchema, entry.event);
    this.counts.events++;
    if (this.#isTooLate(entry.channel, event)) {
      this.deadlines.dropped++;
      this.#acknowledge(entry);
      return undefined;
    }
    const handlers = this.#unfinished.get(entry.number) ?? this.#chosen(entry, event);
    if (handlers.length === 0) {
      this.counts.unhandled++;
      this.#acknowledge(entry);
      return undefined;
    }
    const called = this.#call(handlers, entry, receivedEvent(this.#service, entry, event));
    if (called instanceof Promise) return called.then((failed) => this.#finish(entry, event, failed));
    this.#finish(entry, event, called);
    return undefined;
  }

  #chosen({ channel, event: bytes, member }: InboxEntry, { type }: Event): readonly AttachedHandler[] {
    const { core } = this.#service;
    try {
      return this.#settings.handlersOf(channel).filter((handler) => handler.wants(core, type, bytes, member));
    } catch (error) {
      if (!isSluiceError(error)) this.#service.fault(error, undefined);
      this.#service.log.error("handlers not found", { manager: this.#settings.name, channel, error });
      return [];
    }
  }

  #call(handlers: readonly AttachedHandler[], entry: InboxEntry, event: ReceivedEvent): ReturnType<typeof callAll> {
    const { channel, sequence, epoch, number, attempt } = entry;
    const hops = hopsOf(event.attributes);
    const context: HandlerContext = { channel, sequence, epoch, number, attempt, hops };
    this.counts.calls += handlers.length;
    return callAll(handlers, {
      clock: this.#service.clocks.real,
      timeoutMs: this.#settings.timeoutMs,
      cause: {
        hops,
        hopsMax: this.#settings.hopsMax,
        refused: () => {
          this.counts.cascadesRefused++;
          this.#service.counters.cascadesRefused++;
        },
      },
      event,
      context,
      onFailure: (failure) => this.#failed(failure),
    });
  }

  #failed(failure: HandlerFailure): void {
    const { error, event, context } = failure;
    this.counts.errors++;
    this.#service.counters.handlerErrors++;
    this.#service.log.error("handler failed", {
      manager: this.#settings.name,
      channel: context.channel,
      type: event.type,
      error,
    });
    this.#safely(() => this.#settings.onError?.(failure));
  }

  /** All handlers of an event are done. */
  #finish(entry: InboxEntry, { deliverByUs }: Event, failed: readonly AttachedHandler[]): void {
    const { acks } = this.#mailbox.settings;
    if (deliverByUs !== undefined) {
      const late = this.#service.clocks.service.now() * 1000 > Number(deliverByUs);
      this.deadlines[late ? "missed" : "met"]++;
    }
    this.#unfinished.delete(entry.number);
    if (failed.length === 0 || !acks.explicit) return this.#acknowledge(entry);
    // After the last attempt it goes its way as a dead letter.
    if (entry.attempt >= acks.attempts) return;
    const [oldest] = this.#unfinished.keys();
    if (this.#unfinished.size >= limits.handlersUnfinished && oldest !== undefined) this.#unfinished.delete(oldest);
    this.#unfinished.set(entry.number, failed);
  }

  #acknowledge({ number }: InboxEntry): void {
    if (this.#over || !this.#mailbox.settings.acks.explicit) return;
    try {
      this.#service.inboxes.acknowledge(this.#mailbox.id, { through: undefined, numbers: [number] });
    } catch (error) {
      this.#service.log.error("event not acknowledged", { manager: this.#settings.name, number, error });
    }
  }

  /** Whether the channel wants nobody to begin with an event any more. */
  #isTooLate(channel: string, { deliverByUs }: Event): boolean {
    if (deliverByUs === undefined) return false;
    if (this.#service.channels.get(channel)?.inForce.delivery.late !== "drop") return false;
    return this.#service.clocks.service.now() * 1000 > Number(deliverByUs);
  }

  /** Resolved once nothing waits and no handler is at work, or when it is over. */
  settled(): Promise<void> {
    if (this.#isSettled()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settledWaiters.push(resolve);
    });
  }

  /** Takes no more. */
  end(): void {
    this.#over = true;
    this.#unfinished.clear();
    this.#tellSettled();
  }

  #isSettled(): boolean {
    return this.#over || (!this.#running && this.#mailbox.events === 0);
  }

  #tellSettled(): void {
    if (!this.#isSettled()) return;
    const waiters = this.#settledWaiters;
    this.#settledWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** What the application throws in a callback is its own matter. */
  #safely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#service.log.error("callback failed", { manager: this.#settings.name, error });
    }
  }
}
