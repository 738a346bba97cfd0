/**
 * The engine as a slow, obvious model: what the core must do, told by lists and maps.
 *
 * It knows nothing of slabs, runs or evacuation, since no peer can see those. Numbers of connections, channels and
 * members are the core's own: the property tests hand them over, the model does not guess how they are given out.
 *
 * Source: docs/ARCHITECTURE.md and docs/frames.md.
 */
import * as abi from "../../../core-wasm/abi.ts";
import type { Event } from "../../../host/gen/sluice/v1/event_pb.ts";
import type { EventInit } from "../../core-wasm/frames.ts";
import { type CancelWorld, type ModelCancelled, ModelCancels } from "./cancel.ts";
import { completeEvent } from "./event.ts";
import { type Entry, type ModelDelivery, ModelInbox } from "./inbox.ts";

/** What became of one published event. */
export interface ModelReceipt {
  readonly status: number;
  /** 0n while it waits in its outbox. */
  readonly sequence: bigint;
  readonly sinks: number;
  readonly refused: number;
  readonly waits: boolean;
  /** It was found when the event was decided: only a receipt still tells. */
  readonly late?: boolean;
}

interface ModelConnection {
  readonly source: string;
  readonly inbox: ModelInbox;
}

interface ModelChannel {
  readonly flags: number;
  readonly ttlMs: number;
  readonly types: readonly string[];
  /** Whether the decider is asked. */
  readonly decided: boolean;
  sequence: bigint;
}

interface ModelMember {
  readonly number: number;
  readonly connection: number;
  readonly channel: number;
  readonly role: number;
  types: readonly string[];
  /** Events of a source that wait because a `block` inbox has no room. */
  readonly outbox: Event[];
}

/** What a decider would choose by an event's data: indexes into the candidates, undefined to drop the event. */
export type ModelDecider = (data: Uint8Array | undefined, candidates: number) => readonly number[] | undefined;

/** Bytes that an entry occupies in an inbox. */
export type EntryBytes = (channel: number, sequence: bigint, event: Event, member: number) => number;

const REFUSED = { sequence: 0n, sinks: 0, refused: 0, waits: false };

/** See the head of this file. */
export class ModelEngine {
  readonly connections = new Map<number, ModelConnection>();
  readonly channels = new Map<number, ModelChannel>();
  /** In the order of joining. */
  members: ModelMember[] = [];
  readonly #entryBytes: EntryBytes;
  readonly #decider: ModelDecider;
  readonly #cancels = new ModelCancels(this.#cancelWorld());
  /** The clock of the last call that said it. */
  #nowMs = 0;

  constructor(entryBytes: EntryBytes, decider: ModelDecider) {
    this.#entryBytes = entryBytes;
    this.#decider = decider;
  }

  /** A connection whose number the core gave. */
  open(connection: number, source: string): void {
    this.connections.set(connection, { source, inbox: new ModelInbox() });
  }

  /** The inbox of a connection. */
  inbox(connection: number): ModelInbox {
    return (this.connections.get(connection) as ModelConnection).inbox;
  }

  /** Ends the memberships of a connection and forgets it. Returns how many events were discarded. */
  close(connection: number): number {
    const waiting = this.inbox(connection).entries.length;
    this.members = this.members.filter((member) => member.connection !== connection);
    this.connections.delete(connection);
    this.#cancels.closed(connection);
    return waiting;
  }

  /** A channel whose number the core gave. */
  channel(number: number, flags: number, ttlMs: number, types: readonly string[], decided: boolean): void {
    this.channels.set(number, { flags, ttlMs, types, decided, sequence: 0n });
  }

  /** Whether a role can be taken: a `single` channel has one source. */
  mayJoin(channel: number, role: number): boolean {
    const flags = (this.channels.get(channel) as ModelChannel).flags;
    if ((role & abi.ROLE_SOURCE) === 0 || (flags & abi.CHANNEL_SINGLE) === 0) return true;
    return !this.members.some((member) => member.channel === channel && (member.role & abi.ROLE_SOURCE) !== 0);
  }

  /** A member whose number the core gave. */
  join(number: number, connection: number, channel: number, role: number, types: readonly string[]): void {
    this.members.push({ number, connection, channel, role, types, outbox: [] });
  }

  /**
   * Removes a member. The session's undelivered events of the channel are discarded with its last sink membership:
   * they are one entry per session and event, not per member. Returns how many.
   */
  leave(number: number): number {
    const member = this.members.find((candidate) => candidate.number === number);
    if (member === undefined) return 0;
    this.members = this.members.filter((candidate) => candidate !== member);
    if ((member.role & abi.ROLE_SINK) === 0 || this.#sinksOf(member.connection, member.channel) > 0) return 0;
    return this.inbox(member.connection).discard((entry) => entry.channel === member.channel);
  }

  /** Whether a connection may publish without becoming a source first. */
  sourceOf(connection: number, channel: number): ModelMember | undefined {
    return this.members.find(
      (member) =>
        member.connection === connection && member.channel === channel && (member.role & abi.ROLE_SOURCE) !== 0,
    );
  }

  /** Publishes events, in order. The connection must be a source. */
  publish(connection: number, channel: number, events: readonly EventInit[], nowMs: number): ModelReceipt[] {
    this.#nowMs = nowMs;
    const target = this.channels.get(channel) as ModelChannel;
    const source = this.sourceOf(connection, channel) as ModelMember;
    return events.map((init) => {
      const event = completeEvent(
        init,
        (this.connections.get(connection) as ModelConnection).source,
        target.ttlMs,
        nowMs,
      );
      if (target.types.length > 0 && !target.types.includes(event.type)) {
        return { status: abi.STATUS_TYPE_REFUSED, ...REFUSED };
      }
      if (source.outbox.length > 0 || this.#blocked(connection, channel, event)) {
        if (source.outbox.length >= abi.SOURCE_CREDIT_EVENTS) return { status: abi.STATUS_NO_CREDIT, ...REFUSED };
        source.outbox.push(event);
        return { status: abi.STATUS_OK, ...REFUSED, waits: true };
      }
      return this.#dispatch(connection, channel, event);
    });
  }

  /** Lets events leave their outboxes where there is room again. Returns whether any did. */
  pump(): boolean {
    let moved = false;
    for (const { connection, channel, outbox } of this.members) {
      for (let head = outbox[0]; head !== undefined && !this.#blocked(connection, channel, head); head = outbox[0]) {
        outbox.shift();
        this.#dispatch(connection, channel, head);
        moved = true;
      }
    }
    return moved;
  }

  /** Cancels a key; see {@link ModelCancels}. */
  cancel(connection: number, channel: number, key: string, atUs: bigint | undefined, nowUs: bigint): ModelCancelled {
    return this.#cancels.cancel({ connection, channel, key, atUs, nowUs });
  }

  /** Whether a session is a member of a channel, in whatever role. */
  isMember(connection: number, channel: number): boolean {
    return this.members.some((member) => member.connection === connection && member.channel === channel);
  }

  /** Everything one connection gets now. */
  drain(connection: number, nowMs: number): ModelDelivery[] {
    this.#nowMs = nowMs;
    const deliveries = this.inbox(connection).drain(nowMs);
    for (const { entry } of deliveries) this.#cancels.delivered(connection, entry);
    return deliveries;
  }

  #cancelWorld(): CancelWorld {
    const isSink = (member: ModelMember, connection: number, channel: number) =>
      member.connection === connection && member.channel === channel && (member.role & abi.ROLE_SINK) !== 0;
    return {
      inboxes: () => [...this.connections.values()].map(({ inbox }) => inbox),
      joined: (connection, channel) => this.members.findIndex((member) => isSink(member, connection, channel)),
      source: (connection) => (this.connections.get(connection) as ModelConnection).source,
      tell: (channel, event, connections, cancel) => {
        const target = this.channels.get(channel) as ModelChannel;
        target.sequence += 1n;
        return connections.filter((connection) => {
          const member = this.members.find((candidate) => isSink(candidate, connection, channel)) as ModelMember;
          const entry = this.#entry(channel, target.sequence, event, member, 0);
          return this.inbox(connection).push({ ...entry, ...(cancel === undefined ? {} : { cancel }) }, this.#nowMs);
        }).length;
      },
    };
  }

  #entry(channel: number, sequence: bigint, event: Event, member: ModelMember, submitter: number): Entry {
    const lateDrop = ((this.channels.get(channel) as ModelChannel).flags & abi.CHANNEL_LATE_DROP) !== 0;
    const memberTold = this.#sinksOf(member.connection, channel) > 1;
    const bytes = this.#entryBytes(channel, sequence, event, memberTold ? member.number : 0);
    return { channel, sequence, event, bytes, member: member.number, memberTold, lateDrop, submitter };
  }

  #selected(connection: number, channel: number, event: Event): ModelMember[] {
    const echo = ((this.channels.get(channel) as ModelChannel).flags & abi.CHANNEL_ECHO) !== 0;
    return this.members.filter(
      (member) =>
        member.channel === channel &&
        (member.role & abi.ROLE_SINK) !== 0 &&
        (echo || member.connection !== connection) &&
        (member.types.length === 0 || member.types.includes(event.type)),
    );
  }

  #blocked(connection: number, channel: number, event: Event): boolean {
    const bytes = this.#entryBytes(channel, (this.channels.get(channel) as ModelChannel).sequence + 1n, event, 0);
    return this.#selected(connection, channel, event).some((member) => {
      const inbox = this.inbox(member.connection);
      return inbox.overflow === abi.OVERFLOW_BLOCK && !inbox.fits(bytes);
    });
  }

  #dispatch(connection: number, channel: number, event: Event): ModelReceipt {
    const target = this.channels.get(channel) as ModelChannel;
    const candidates = this.#selected(connection, channel, event);
    if (candidates.length > 0 && candidates.every((member) => this.#refuses(member, event))) {
      return { status: abi.STATUS_MAILBOX_FULL, ...REFUSED };
    }
    const selected = target.decided ? this.#decide(connection, event, candidates) : candidates;
    const sequence = target.sequence + 1n;
    const tried = new Map<number, boolean>();
    let refused = 0;
    for (const member of selected) {
      let taken = tried.get(member.connection);
      if (taken === undefined) {
        // Deciders know sinks by slot: which of a session's it is told is the first by slot, which a model need not know.
        const either = target.decided ? selected.filter((other) => other.connection === member.connection) : [member];
        const told = either.map(({ number }) => number);
        const entry = { ...this.#entry(channel, sequence, event, member, connection), told };
        taken = this.inbox(member.connection).push(entry, this.#nowMs);
        tried.set(member.connection, taken);
      }
      if (!taken) refused += 1;
    }
    target.sequence = sequence;
    if (target.decided && selected.length > 0 && refused === selected.length)
      return { status: abi.STATUS_MAILBOX_FULL, ...REFUSED, late: true };
    return { status: abi.STATUS_OK, sequence, sinks: selected.length, refused, waits: false };
  }

  /** The submitter's own sinks are no candidates, they follow `echo`. */
  #decide(connection: number, event: Event, selected: readonly ModelMember[]): ModelMember[] {
    const candidates = selected
      .filter((member) => member.connection !== connection)
      .sort((one, other) => one.number - other.number);
    const indexes = this.#decider(event.data, candidates.length);
    // A word to drop the event leaves out own sinks, too.
    if (indexes === undefined) return [];
    const chosen = new Set(indexes.map((index) => candidates[index]));
    return [
      ...candidates.filter((member) => chosen.has(member)),
      ...selected.filter((member) => member.connection === connection),
    ];
  }

  #refuses(member: ModelMember, event: Event): boolean {
    const inbox = this.inbox(member.connection);
    const sequence = (this.channels.get(member.channel) as ModelChannel).sequence + 1n;
    return inbox.overflow === abi.OVERFLOW_REJECT && !inbox.fits(this.#entryBytes(member.channel, sequence, event, 0));
  }

  #sinksOf(connection: number, channel: number): number {
    return this.members.filter(
      (member) => member.connection === connection && member.channel === channel && (member.role & abi.ROLE_SINK) !== 0,
    ).length;
  }
}
