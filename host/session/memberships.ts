/**
 * The memberships of one session, as the host must know them: to leave, to name members in JSON, and to tell a session
 * when a channel is gone. Who receives what is the core's table.
 */

import type { BoundModule } from "../filter/module/binder.ts";
import type { OutboxSettings } from "./outbox.ts";
import type { OwnBound, OwnFilters, OwnHandles } from "./own-filters.ts";
import type { Where } from "./where.ts";

/** One membership. */
export interface Membership {
  /** The core's number; "m<number>" in JSON. */
  readonly member: number;
  readonly channelNumber: number;
  readonly channel: string;
  /** ROLE_… bits. */
  readonly role: number;
  /** Made by a publish without a join. */
  readonly implicit: boolean;
  /** Events per second that it declared, for admission. */
  readonly rate?: number;
  /** Settings of its outbox, where they are not the default ones. */
  readonly outbox?: OutboxSettings;
  /** The filter that it joined with, to explain what it did not get. */
  readonly where?: Pick<Where, "text" | "dialect">;
  /** The filters that it brought for its own events, likewise. */
  readonly filters?: OwnFilters;
  /** What counts their routes in the core. */
  readonly handles?: OwnHandles;
  /** Those of them that are modules, which end with it. */
  readonly modules?: readonly BoundModule[];
  /** The pattern that brought it, with which it ends. */
  readonly pattern?: PatternMembership;
}

/** A subscription to all channels of a pattern, those to come included; what follows a channel is a membership like others. */
export interface PatternMembership {
  /** A number of the host's own, from MEMBER_PATTERN_MIN on: it stands for all members. */
  readonly member: number;
  readonly pattern: string;
  /** Numbers of the members that follow a channel now, in the order of their joining. */
  readonly members: Set<number>;
}

/** All memberships of one session. */
export class Memberships {
  readonly #byMember = new Map<number, Membership>();
  readonly #byChannel = new Map<number, readonly Membership[]>();
  readonly #sinkBit: number;
  /** Subscriptions to patterns, by the number that stands for each (patterns.ts). */
  readonly patterns = new Map<number, PatternMembership>();

  /** @param sinkBit ROLE_SINK. */
  constructor(sinkBit: number) {
    this.#sinkBit = sinkBit;
  }

  get count(): number {
    return this.#byMember.size;
  }

  /** The member that joined first. */
  oldest(): number | undefined {
    return this.#byMember.keys().next().value;
  }

  /** All, in the order of their joining. */
  all(): Iterable<Membership> {
    return this.#byMember.values();
  }

  /** Notes another filter of a member. */
  filter(member: number, where: Where | undefined): void {
    const membership = this.#byMember.get(member);
    if (membership === undefined) return;
    const { where: _before, ...rest } = membership;
    this.#replace(where === undefined ? rest : { ...rest, where: { text: where.text, dialect: where.dialect } });
  }

  /** Notes another rate of a member. */
  rate(member: number, rate: number | undefined): void {
    const membership = this.#byMember.get(member);
    if (membership === undefined) return;
    const { rate: _before, ...rest } = membership;
    this.#replace(rate === undefined ? rest : { ...rest, rate });
  }

  /** Notes other settings of the outbox of a member. */
  outbox(member: number, outbox: OutboxSettings): void {
    const membership = this.#byMember.get(member);
    if (membership !== undefined) this.#replace({ ...membership, outbox });
  }

  /** Notes what became of a member's own filters. */
  bound(member: number, bound: OwnBound): void {
    const membership = this.#byMember.get(member);
    if (membership !== undefined) this.#replace({ ...membership, ...bound });
  }

  get(member: number): Membership | undefined {
    return this.#byMember.get(member);
  }

  /** All of a channel, in the order of their joining. */
  ofChannel(channelNumber: number): readonly Membership[] {
    return this.#byChannel.get(channelNumber) ?? none;
  }

  /** The implicit source of a channel. */
  implicitOf(channelNumber: number): Membership | undefined {
    return this.ofChannel(channelNumber).find(({ implicit }) => implicit);
  }

  /** The sink of a channel where there is just one; where there are several the core tells which. */
  sinkOf(channelNumber: number): number | undefined {
    let only: number | undefined;
    for (const { member, role } of this.ofChannel(channelNumber)) {
      if ((role & this.#sinkBit) === 0) continue;
      if (only !== undefined) return undefined;
      only = member;
    }
    return only;
  }

  add(membership: Membership): void {
    const { member, channelNumber } = membership;
    this.#byMember.set(member, membership);
    membership.pattern?.members.add(member);
    this.#byChannel.set(channelNumber, [...this.ofChannel(channelNumber), membership]);
  }

  /** Forgets a member that is none any more. */
  delete(member: number): void {
    for (const module of this.#take(member)?.modules ?? []) module.end();
  }

  /** The session is over, and with it all of them. */
  end(): void {
    for (const { modules } of this.#byMember.values()) for (const module of modules ?? []) module.end();
  }

  #replace(membership: Membership): void {
    this.#take(membership.member);
    this.add(membership);
  }

  #take(member: number): Membership | undefined {
    const membership = this.#byMember.get(member);
    if (membership === undefined) return undefined;
    this.#byMember.delete(member);
    membership.pattern?.members.delete(member);
    const others = this.ofChannel(membership.channelNumber).filter((other) => other !== membership);
    if (others.length === 0) this.#byChannel.delete(membership.channelNumber);
    else this.#byChannel.set(membership.channelNumber, others);
    return membership;
  }
}

const none: readonly Membership[] = Object.freeze([]);
