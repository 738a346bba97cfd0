/**
 * The core and its model side by side: every step is done to both, and whatever a peer could see is compared.
 */
import { equals } from "@bufbuild/protobuf";
import { expect } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { type Event, EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import type { Drained } from "../core-wasm/drained.ts";
import { encodeFrame, publishFrame, typeList } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { join } from "../core-wasm/wire.ts";
import { type Burst, type Command, eventOf } from "./command.ts";
import { compareReceipts, entryBytes } from "./compare.ts";
import { choose, decide } from "./decider.ts";
import { ModelEngine } from "./reference/engine.ts";
import { microseconds } from "./reference/event.ts";
import type { ModelDelivery } from "./reference/inbox.ts";

const KINDS = [abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET_JSON, abi.CONNECTION_LOCAL];

/** Channels of the world: plain; without echo, with a ttl, dropping what is late; single, of two types; decided. */
const CHANNEL_OPTIONS = [
  { flags: abi.CHANNEL_ECHO, ttlMs: 0, types: [] },
  { flags: abi.CHANNEL_LATE_DROP, ttlMs: 20, types: [] },
  { flags: abi.CHANNEL_ECHO | abi.CHANNEL_SINGLE | abi.CHANNEL_LATE_DROP, ttlMs: 0, types: ["a", "b"] },
  { flags: abi.CHANNEL_ECHO, ttlMs: 0, types: [], decided: true },
];

/** See the head of this file. */
export class World {
  readonly harness: Harness;
  readonly model = new ModelEngine(entryBytes, choose);
  readonly connections: TestConnection[];
  readonly channels: number[];
  /** Notices that each connection was told so far. */
  readonly #told = new Map<number, Map<string, number>>();
  /** `"<connection>/<channel>"` of memberships that ended. */
  readonly #left = new Set<string>();
  #discarded = 0;

  /** @param sparse One session is the only sink of all channels. */
  constructor(sparse: boolean) {
    this.harness = Harness.create({ storeBytes: 4 * abi.SLAB_BYTES, poolBytes: 96 * 1024 * 1024 });
    this.harness.decider = decide;
    this.channels = CHANNEL_OPTIONS.map(({ flags, ttlMs, types, decided = false }, index) => {
      const number = this.harness.channel(`c${index}`, { flags, ttlMs, types, decided });
      this.model.channel(number, flags, ttlMs, types, decided);
      return number;
    });
    this.connections = KINDS.map((kind) => this.#open(kind));
    // Somebody listens everywhere from the start, else most steps would meet nobody: two sessions on each channel, or
    // one session on all of them.
    this.connections.forEach((connection, index) => {
      const steps = sparse ? (index === 0 ? [0, 1, 2, 3] : []) : [0, 1];
      for (const step of steps) this.#join(connection, this.#channel(index + step), abi.ROLE_SINK, []);
    });
  }

  /** Does one step to both and compares. */
  step(command: Command): void {
    switch (command.do) {
      case "join":
        this.#join(this.#connection(command.connection), this.#channel(command.channel), command.role, command.types);
        break;
      case "leave":
        this.#leave(command.member);
        break;
      case "types":
        this.#types(command.member, command.types);
        break;
      case "publish":
        this.#publish(command);
        break;
      case "credit":
        expect(this.#connection(command.connection).credit(command.events, command.bytes)).toEqual([]);
        this.model.inbox(this.#connection(command.connection).id).credit(command.events, command.bytes);
        break;
      case "cancel":
        this.#cancel(command);
        break;
      case "drain":
        this.#drain(this.#connection(command.connection), command.bytesMax);
        break;
      case "burst":
        this.#burst(this.#connection(command.connection), command.parts);
        break;
      case "flush":
        this.#flush();
        break;
      case "flood":
        this.#flood(command.channel, command.bytes);
        break;
      case "hold":
        this.#connection(command.connection).hold(command.held);
        this.model.inbox(this.#connection(command.connection).id).held = command.held;
        break;
      case "inbox":
        this.#inbox(this.#connection(command.connection), command.events, command.bytes, command.overflow);
        break;
      case "clock":
        this.harness.now += command.ms;
        break;
      case "reopen":
        this.#reopen(command.connection);
        break;
    }
    this.#compareInboxes();
  }

  /** Lets everything out and compares what was counted. */
  settle(): void {
    for (const connection of this.connections) {
      connection.hold(false);
      connection.credit(1_000_000, 2 ** 40);
      this.model.inbox(connection.id).held = false;
      this.model.inbox(connection.id).credit(1_000_000, 2 ** 40);
    }
    this.#flush();
    for (const connection of this.connections) {
      this.#drain(connection, abi.OUT_SLOT_BYTES);
      this.#compareNotices(connection.id);
      expect(this.harness.core.inboxBytes(connection.id)).toBe(0);
    }
    this.#compareInboxes();
    expect(this.harness.statistic(abi.STATISTIC_SLABS)).toBeLessThanOrEqual(4);
    expect(this.harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(this.#discarded);
  }

  #connection(index: number): TestConnection {
    return this.connections[index % this.connections.length] as TestConnection;
  }

  #channel(index: number): number {
    return this.channels[index % this.channels.length] as number;
  }

  #open(kind: number): TestConnection {
    const connection = this.harness.open(kind, `/source/${kind}`);
    this.model.open(connection.id, `/source/${kind}`);
    this.#told.set(connection.id, new Map());
    return connection;
  }

  #toldTo(connection: number): Map<string, number> {
    return this.#told.get(connection) as Map<string, number>;
  }

  #join(connection: TestConnection, channel: number, role: number, types: readonly string[]): void {
    const member = this.harness.member(connection, channel, role, types);
    expect(member !== 0, `member of role ${role}`).toBe(this.model.mayJoin(channel, role));
    if (member === 0) expect(this.harness.result(abi.RESULT_STATUS)).toBe(abi.STATUS_SOURCE_TAKEN);
    else this.model.join(member, connection.id, channel, role, types);
  }

  #leave(index: number): void {
    const members = this.model.members;
    const member = members[index % Math.max(1, members.length)];
    if (member === undefined) return;
    expect(this.harness.core.memberRemove(member.connection, member.number)).toBe(abi.STATUS_OK);
    this.#left.add(`${member.connection}/${member.channel}`);
    this.#discarded += this.model.leave(member.number);
  }

  #types(index: number, types: readonly string[]): void {
    const member = this.model.members[index % Math.max(1, this.model.members.length)];
    if (member === undefined) return;
    this.harness.stage(typeList(types));
    expect(this.harness.core.memberTypes(member.number, abi.STAGE_OFFSET, types.length)).toBe(abi.STATUS_OK);
    member.types = types;
  }

  #publish({
    connection: index,
    channel: channelIndex,
    events: small,
    receipt,
  }: Extract<Command, { do: "publish" }>): void {
    // What a batch of a decider does to a full inbox is told when it is decided: one event at a time is exact.
    const events = small
      .slice(0, this.model.channels.get(this.#channel(channelIndex))?.decided ? 1 : small.length)
      .map(eventOf);
    const connection = this.#connection(index);
    const channel = this.#channel(channelIndex);
    if (!this.#mayPublish(connection, channel)) return;
    const outcomes = connection
      .publish(channel, events, receipt ? 5 : undefined)
      .filter(({ reason }) => reason !== "decide");
    const want = this.model.publish(connection.id, channel, events, this.harness.now);
    compareReceipts(outcomes, want, receipt);
    expect(this.harness.core.channelSequence(channel)).toBe(Number(this.model.channels.get(channel)?.sequence));
  }

  #cancel({ connection: index, channel: channelIndex, key, agoMs, ref }: Extract<Command, { do: "cancel" }>): void {
    const connection = this.#connection(index);
    const channel = this.#channel(channelIndex);
    const atUs = agoMs === undefined ? undefined : microseconds(this.harness.now - agoMs);
    const value = { channelNumber: channel, key, ...(atUs === undefined ? {} : { atUs }) };
    const outcomes = connection.send({ kind: { case: "cancel", value }, ...(ref ? { ref: 9 } : {}) });
    const [outcome] = outcomes;
    if (connection.kind !== abi.CONNECTION_LOCAL && !this.model.isMember(connection.id, channel)) {
      expect(outcome).toMatchObject({ reason: "problem", status: abi.STATUS_NOT_MEMBER });
      return;
    }
    const want = this.model.cancel(connection.id, channel, key, atUs, microseconds(this.harness.now));
    if (!ref) expect(outcomes).toEqual([]);
    else if (want.status !== abi.STATUS_OK)
      expect(outcome).toMatchObject({ reason: "problem", status: want.status, ref: 9 });
    else expect(outcome).toEqual({ reason: "cancelled", ref: 9, withdrawn: want.withdrawn, forwarded: want.forwarded });
    expect(this.harness.core.channelSequence(channel)).toBe(Number(this.model.channels.get(channel)?.sequence));
  }

  /** Several frames in one read, so that the ranges of one channel meet those of the next. */
  #burst(connection: TestConnection, parts: readonly Burst[]): void {
    const frames: Uint8Array[] = [];
    const want: [index: number, status: number][] = [];
    for (const { channel: index, events: small } of parts) {
      const channel = this.#channel(index);
      if (!this.#mayPublish(connection, channel)) continue;
      const events = small.map(eventOf);
      frames.push(encodeFrame(publishFrame(channel, events)));
      const receipts = this.model.publish(connection.id, channel, events, this.harness.now);
      receipts.forEach(({ status }, place) => {
        if (status !== abi.STATUS_OK) want.push([place, status]);
      });
    }
    const json = connection.kind === abi.CONNECTION_WEBSOCKET_JSON;
    const outcomes = json
      ? frames.flatMap((frame) => connection.inject(frame))
      : connection.feed(join(...frames.map((frame) => connection.wrap(frame))));
    expect(
      outcomes.map((outcome) => (outcome.reason === "problem" ? [outcome.index, outcome.status] : outcome)),
    ).toEqual(want);
  }

  /** Becomes a source where it is none and may be one. */
  #mayPublish(connection: TestConnection, channel: number): boolean {
    if (this.model.sourceOf(connection.id, channel) === undefined) this.#join(connection, channel, abi.ROLE_SOURCE, []);
    return this.model.sourceOf(connection.id, channel) !== undefined;
  }

  /** Turns the store over once: more than its four slabs in plain events. */
  #flood(channel: number, bytes: number): void {
    const source = this.connections.findIndex(
      ({ id }) => this.model.sourceOf(id, this.#channel(channel)) !== undefined,
    );
    for (let sent = 0; sent < 5 * abi.SLAB_BYTES; sent += bytes) {
      const events = [{ type: "a", key: "", ttlMs: undefined, bytes, fill: sent & 255 }];
      this.#publish({ do: "publish", connection: Math.max(0, source), channel, events, receipt: true });
    }
  }

  #drain(connection: TestConnection, bytesMax: number): void {
    const drained = connection.drain(bytesMax);
    this.#compareDrained(connection, drained, this.model.drain(connection.id, this.harness.now));
  }

  /** As the host flushes: only what dirtyTake() names; what it forgets shows in settle(). */
  #flush(): void {
    const dirty = new Set(this.harness.dirty());
    for (const connection of this.connections) {
      if (dirty.has(connection.id)) this.#drain(connection, abi.OUT_SLOT_BYTES);
      else
        expect(
          this.model.inbox(connection.id).ready(this.harness.now),
          `connection ${connection.id} is not dirty`,
        ).toBe(false);
    }
  }

  #inbox(connection: TestConnection, events: number, bytes: number, overflow: number): void {
    expect(connection.inbox(events, bytes, overflow)).toBe(abi.STATUS_OK);
    this.model.inbox(connection.id).set(events, bytes, overflow);
  }

  #reopen(index: number): void {
    if (index >= this.connections.length) return;
    const connection = this.#connection(index);
    this.#discarded += this.model.close(connection.id);
    connection.close();
    this.connections[index % this.connections.length] = this.#open(connection.kind);
  }

  #compareDrained(connection: TestConnection, drained: Drained, want: readonly ModelDelivery[]): void {
    const told = this.#toldTo(connection.id);
    for (const [name, count] of drained.dropped) told.set(name, (told.get(name) ?? 0) + count);
    const brief = (list: readonly { number: bigint; channel: number; sequence: bigint; member: number }[]) =>
      list.map(({ number, channel, sequence, member }) => `${number}: ${channel}/${sequence} for ${member}`);
    const wanted = want.map(({ number, entry }, place) => {
      const got = drained.deliveries[place]?.member ?? 0;
      return { ...entry, number, member: !entry.memberTold ? 0 : entry.told?.includes(got) ? got : entry.member };
    });
    expect(brief(drained.deliveries), `deliveries of connection ${connection.id}`).toEqual(brief(wanted));
    drained.deliveries.forEach(({ event }, place) => {
      if (!equals(EventSchema, event, wanted[place]?.event as Event)) expect(event).toEqual(wanted[place]?.event);
    });
  }

  /** A member that leaves takes along what it had not been told yet. */
  #compareNotices(connection: number): void {
    const told = this.#toldTo(connection);
    for (const [name, count] of this.model.inbox(connection).dropped) {
      const forgiving = this.#left.has(`${connection}/${name.split("/")[0]}`);
      const got = told.get(name) ?? 0;
      if (!forgiving || got > count) expect(got, `notices ${name} of connection ${connection}`).toBe(count);
    }
    for (const name of told.keys())
      expect(this.model.inbox(connection).dropped.has(name), `a notice ${name}`).toBe(true);
  }

  #compareInboxes(): void {
    for (const { id } of this.connections) {
      const inbox = this.model.inbox(id);
      expect(this.harness.core.inboxEvents(id), `events waiting for connection ${id}`).toBe(inbox.entries.length);
      expect(this.harness.core.inboxBytes(id), `bytes waiting for connection ${id}`).toBe(inbox.bytes);
    }
  }
}
