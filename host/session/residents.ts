/**
 * Clients that live within this process: the publisher that HTTP and embedded publishes share, subscriptions and emitters.
 *
 * Their sessions go with the core; they themselves stay, and are opened again in the next one.
 */
import type { Channels } from "../channel/channels.ts";
import type { SluiceError } from "../errors.ts";
import { createEmitter, type Emitter, type EmitterOptions } from "./emitter.ts";
import type { Engine } from "./engine.ts";
import { LocalSession, type PublishResult } from "./local.ts";
import type { Sessions } from "./registry.ts";
import type { Session } from "./session.ts";
import { CLOSED } from "./state.ts";
import {
  createSubscription,
  type Managed,
  type OpenLocal,
  type Subscription,
  type SubscriptionOptions,
} from "./subscription.ts";

/** What residents need besides the engine. */
export interface ResidentsOptions {
  readonly sessions: Sessions;
  /** What the caller is to hear of an error; a trap of the core is dealt with. */
  readonly refusal: (error: unknown, session: Session | undefined) => SluiceError;
}

/** An engine whose channels come into being by being published on. */
interface Home extends Engine {
  readonly channels: Channels;
}

/** All clients within this process. */
export class Residents {
  readonly #home: Home;
  readonly #options: ResidentsOptions;
  readonly #managed = new Set<Managed>();
  #publisher: LocalSession | undefined = undefined;

  constructor(home: Home, options: ResidentsOptions) {
    this.#home = home;
    this.#options = options;
  }

  /** The one session that publishes for HTTP and embedded use; a restart of the core makes another. */
  publisher(): LocalSession {
    if (this.#publisher === undefined || this.#publisher.state === CLOSED) {
      this.#publisher = this.#open(
        () => {},
        () => {},
      );
    }
    return this.#publisher;
  }

  /**
   * Publishes encoded events as the shared publisher.
   *
   * @throws {SluiceError} where no event was looked at: `channel_unknown`, `channel_name`, `source_taken`, `core_restarted`.
   */
  publish(name: string, events: readonly Uint8Array[]): PublishResult[] {
    const channel = this.#home.channels.resolve(name);
    const session = this.publisher();
    try {
      return session.publish(channel, events);
    } catch (error) {
      throw this.#options.refusal(error, session);
    }
  }

  /** Subscribes. @throws {SluiceError} `channel_unknown`, `channel_name`, `invalid_value`. */
  subscribe(name: string, options: SubscriptionOptions): Subscription {
    return this.#manage(createSubscription(this.#home, name, options, this.#open));
  }

  /** Makes a source with an outbox of its own. @throws {SluiceError} as {@link Residents.subscribe}; `source_taken`. */
  emitter(name: string, options: EmitterOptions): Emitter {
    return this.#manage(createEmitter(this.#home, name, options, this.#open));
  }

  /** The core is gone, and with it every session. */
  abandon(): void {
    this.#publisher = undefined;
  }

  /** Opens everything again, in a new core. */
  reopen(): void {
    for (const managed of this.#managed) managed.open();
  }

  /** Ends all of them. */
  close(): void {
    for (const managed of [...this.#managed]) managed.close();
  }

  #manage<Client extends Managed>(managed: Client): Client {
    try {
      managed.open();
    } catch (error) {
      throw this.#options.refusal(error, undefined);
    }
    this.#home.flusher.schedule();
    this.#managed.add(managed);
    managed.onClose(() => this.#managed.delete(managed));
    return managed;
  }

  readonly #open: OpenLocal = (onDeliveries, onFrame) => {
    const { sessions } = this.#options;
    return sessions.add(new LocalSession(this.#home, sessions.nextNumber(), onDeliveries, onFrame));
  };
}
