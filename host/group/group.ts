/**
 * A host's part in its group, as one machine without sockets: this is where to begin reading.
 *
 *     Group
 *      ├─ openings.ts    opening a channel: who has members of it, to whom links must lead
 *      ├─ holdings.ts    filter modules by digest: who holds them, whom to fetch them from
 *      └─ registry.ts    what names mean: one contact, one definition, by claims
 *          └─ membership.ts   who is there, and the entries of each: what all of the above is made of
 *
 * Whoever runs it calls a method of a part, sends what take() returns, acts upon its events, and calls tick() at `nextAtMs`, after which
 * it does the same again.
 */
import { type FetchEvent, Holdings } from "./holdings.ts";
import { Membership, type MembershipSettings } from "./membership.ts";
import type { Message, Outgoing } from "./message.ts";
import { type OpeningEvent, Openings } from "./openings.ts";
import type { GroupEvent } from "./records.ts";
import { Registry, type RegistryEvent } from "./registry.ts";

/** Whatever happens in a group. */
export type Happening = GroupEvent | RegistryEvent | OpeningEvent | FetchEvent;

/** One host's part in its group. */
export class Group {
  readonly membership: Membership;
  readonly registry: Registry;
  readonly openings: Openings;
  readonly holdings: Holdings;
  /** The latest moment that this machine was told. */
  #nowMs: number;

  constructor(settings: MembershipSettings, nowMs: number) {
    this.membership = new Membership(settings, nowMs);
    this.registry = new Registry(this.membership, nowMs);
    this.openings = new Openings(this.registry);
    this.holdings = new Holdings(this.membership, settings.random);
    this.#nowMs = nowMs;
  }

  /** This host's id. */
  get id(): string {
    return this.membership.id;
  }

  /** When {@link tick} is to be called at the latest. */
  get nextAtMs(): number {
    return Math.min(this.registry.nextAtMs, this.openings.nextAtMs, this.holdings.nextAtMs);
  }

  receive(message: Message, nowMs: number): void {
    this.#nowMs = nowMs;
    this.registry.receive(message, nowMs);
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.registry.tick(nowMs);
    this.openings.tick(nowMs);
    this.holdings.tick(nowMs);
  }

  /** What is to be sent, and what happened, since the last call. */
  take(): { messages: Outgoing[]; events: Happening[] } {
    const messages: Outgoing[] = [];
    const events: Happening[] = [];
    // What one part concludes from an event may be an entry, which is an event again; entries do not lead to further ones.
    for (let taken = this.registry.take(); ; taken = this.registry.take()) {
      messages.push(...taken.messages);
      events.push(...taken.events);
      if (taken.events.length === 0) break;
      for (const event of taken.events) {
        this.openings.follow(event, this.#nowMs);
        if (event.type !== "defined" && event.type !== "removed" && event.type !== "superseded")
          this.holdings.follow(event, this.#nowMs);
      }
    }
    events.push(...this.openings.take(), ...this.holdings.take());
    return { messages, events };
  }
}
