/**
 * The members of channels as operators see them. Members themselves are anonymous to one another.
 *
 * Nothing is kept for it: who asks has all sessions looked through, which takes milliseconds and happens once in a while.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { ROLE_SINK, ROLE_SOURCE } from "../../core-wasm/abi.ts";
import { SCRATCH_AT } from "../core/instance.ts";
import { SluiceError } from "../errors.ts";
import type { Dialect } from "../expression/dialect.ts";
import { type RouteCounters, routeCounters } from "../filter/bound.ts";
import type { Stage } from "../filter/schema.ts";
import type { Value } from "../gen/sluice/v1/event_pb.ts";
import { type Outbox, UpdateSchema } from "../gen/sluice/v1/frame_pb.ts";
import type { Engine } from "./engine.ts";
import { updateMember } from "./join.ts";
import type { Membership } from "./memberships.ts";
import { applyOutbox, defaultOutbox, type OutboxDepth, type OutboxSettings, outboxDepth } from "./outbox.ts";
import type { OwnFilters } from "./own-filters.ts";
import type { Session } from "./session.ts";

/** One member. What it tells is so at the moment of asking. */
export interface RosterMember {
  /** The core's number; "m<number>" in JSON. */
  readonly member: number;
  readonly channel: string;
  readonly role: "sink" | "source" | "both";
  /** It became a source by publishing, without a join. */
  readonly implicit: boolean;
  /** Id of the mailbox of its session; null for what lives in this process, such as the source of HTTP publishes. */
  readonly inbox: string | null;
  /** The pattern that its session has subscribed to, where that brought it. */
  readonly pattern?: string;
  /** The filter that it joined with. */
  readonly where?: { readonly text: string; readonly dialect: Dialect };
  /** The filters that it brought for its own events. */
  readonly filters?: OwnFilters;
  /** What the core counts of each route of theirs. */
  counters(stage: Stage): readonly RouteCounters[];
  /** Of a source: the settings of its outbox, and what waits in it. */
  readonly outbox?: OutboxSettings;
  outboxDepth(): OutboxDepth;
  /** Its live attributes. */
  attributes(): Readonly<Record<string, Value>>;
  /** How long ago each of them was set, in milliseconds, on the service clock. */
  ages(): Readonly<Record<string, number>>;
}

/** Changes of a member. */
export interface MemberChanges {
  readonly attributes: Record<string, Value>;
  /** Names of those to take away. */
  readonly remove: string[];
  /** Settings of its outbox; what is absent stays as it is. */
  readonly outbox: Outbox | undefined;
}

/** What a roster needs of the service beside the engine. */
export interface RosterSettings {
  /** All sessions, with a socket or without. */
  readonly sessions: () => Iterable<Session>;
  /** Mailboxes without a socket, with the members whose events they get. */
  readonly inboxes: () => Iterable<{ readonly id: string; joins(): Iterable<{ readonly member: number }> }>;
  /** Makes a refusal of whatever was thrown; a trap restarts the core. */
  readonly refusal: (error: unknown) => SluiceError;
}

/** See the head of this file. */
export class Roster {
  readonly #engine: Engine;
  readonly #settings: RosterSettings;

  constructor(engine: Engine, settings: RosterSettings) {
    this.#engine = engine;
    this.#settings = settings;
  }

  /**
   * All members of a channel, in no order.
   *
   * @throws {SluiceError} `channel_unknown`.
   */
  list(channel: string): RosterMember[] {
    const number = this.#numberOf(channel);
    const polled = this.#polled();
    const members: RosterMember[] = [];
    for (const session of this.#settings.sessions())
      for (const membership of session.memberships?.ofChannel(number) ?? [])
        members.push(this.#view(session, membership, polled));
    return members;
  }

  /** One member of a channel. @throws {SluiceError} `channel_unknown`, `member_unknown`. */
  get(channel: string, member: number): RosterMember {
    const { session, membership } = this.#find(channel, member);
    return this.#view(session, membership, this.#polled());
  }

  /**
   * Changes live attributes of a member, and its outbox.
   *
   * @throws {SluiceError} `channel_unknown`, `member_unknown`, `attributes_too_many`, `attributes_too_large`, `invalid_value`.
   */
  update(channel: string, member: number, { outbox, attributes, remove }: MemberChanges): RosterMember {
    const { session } = this.#find(channel, member);
    const engine = this.#engine;
    try {
      // First what can be refused for what it is.
      if (outbox !== undefined) applyOutbox(session, member, outbox, "outbox.");
      updateMember(session, engine.core, create(UpdateSchema, { member, attributes, remove }));
    } catch (error) {
      throw this.#settings.refusal(error);
    }
    engine.flusher.schedule();
    return this.get(channel, member);
  }

  /** Number in the core of the connection that has a member. @throws {SluiceError} as {@link get}. */
  connectionOf(channel: string, member: number): number {
    return this.#find(channel, member).session.id;
  }

  /** The filters that the session of a member brought for its own events on that channel. @throws as {@link get}. */
  filtersOf(channel: string, member: number): OwnFilters | undefined {
    const { session, membership } = this.#find(channel, member);
    const all = session.memberships?.ofChannel(membership.channelNumber) ?? [];
    return all.find(({ role }) => (role & ROLE_SOURCE) !== 0)?.filters;
  }

  #numberOf(channel: string): number {
    const view = this.#engine.channels.get(channel);
    if (view === undefined)
      throw new SluiceError("channel_unknown", `Cannot find a channel "${channel}"`, { value: channel });
    return view.number;
  }

  #find(channel: string, member: number): { session: Session; membership: Membership } {
    const number = this.#numberOf(channel);
    for (const session of this.#settings.sessions()) {
      const membership = session.memberships?.get(member);
      if (membership?.channelNumber === number) return { session, membership };
    }
    throw new SluiceError("member_unknown", `Cannot find a member m${member} of channel "${channel}"`, {
      value: `m${member}`,
    });
  }

  /** Mailboxes that are polled, by their members. */
  #polled(): ReadonlyMap<number, string> {
    const ids = new Map<number, string>();
    for (const inbox of this.#settings.inboxes()) for (const { member } of inbox.joins()) ids.set(member, inbox.id);
    return ids;
  }

  #view(session: Session, membership: Membership, polled: ReadonlyMap<number, string>): RosterMember {
    const { member, channel, role, implicit, where, filters, handles, pattern, outbox } = membership;
    const both = ROLE_SINK | ROLE_SOURCE;
    return {
      member,
      channel,
      role: (role & both) === both ? "both" : (role & ROLE_SINK) === 0 ? "source" : "sink",
      implicit,
      ...(where === undefined ? {} : { where }),
      ...(filters === undefined ? {} : { filters }),
      ...(pattern === undefined ? {} : { pattern: pattern.pattern }),
      inbox: polled.get(pattern?.member ?? member) ?? (session.kind === "local" ? null : `s${session.number}`),
      counters: (stage) => {
        const handle = handles?.[stage] ?? 0;
        if (handle === 0) return [];
        return (filters?.[stage]?.routes ?? []).map((_route, index) => routeCounters(this.#engine.core, handle, index));
      },
      ...((role & ROLE_SOURCE) === 0 ? {} : { outbox: outbox ?? defaultOutbox }),
      outboxDepth: () => outboxDepth(this.#engine.core, member),
      attributes: () => this.#attributes(member),
      ages: () => {
        // Names are in the order of the times: none of them is a number, which objects would put first.
        const names = Object.keys(this.#attributes(member));
        const { exports, views } = this.#engine.core;
        const count = Math.min(names.length, exports.memberAges(member, SCRATCH_AT));
        const times = new DataView(views.bytes.buffer, SCRATCH_AT, count * 8);
        const now = this.#engine.clocks.service.now();
        const age = (index: number): number => Math.max(0, now - times.getFloat64(index * 8, true));
        return Object.fromEntries(names.slice(0, count).map((name, index) => [name, age(index)]));
      },
    };
  }

  #attributes(member: number): Record<string, Value> {
    const { exports, views } = this.#engine.core;
    const bytes = exports.memberAttributes(member, SCRATCH_AT);
    return fromBinary(UpdateSchema, views.bytes.subarray(SCRATCH_AT, SCRATCH_AT + bytes)).attributes;
  }
}
