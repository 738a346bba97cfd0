/**
 * A source within this process: a session of its own, so it has an outbox of its own on each channel, and is joined again after
 * a restart of the core.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { isSluiceError, SluiceError, sluiceErrorFrom } from "../errors.ts";
import { type HostFrame, JoinSchema, OutboxSchema, UpdateSchema } from "../gen/sluice/v1/frame_pb.ts";
import type { Engine } from "./engine.ts";
import { join, updateMember } from "./join.ts";
import { leave } from "./leave.ts";
import type { LocalSession, PublishResult } from "./local.ts";
import { applyOutbox, type OutboxDepth, outboxDepth } from "./outbox.ts";
import { type AttributeValue, type Managed, type OpenLocal, valuesFrom } from "./subscription.ts";

/** What a source brings along. */
export interface EmitterOptions {
  /** Live attributes of its memberships. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Names of attributes: what an event says of them becomes the source's own, too. */
  readonly piggyback?: readonly string[];
  /** Settings of its outboxes, one a channel. */
  readonly outbox?: EmitterOutbox;
  /** Hears of events that were accepted and gave way in an outbox. */
  readonly onDropped?: (dropped: OutboxDropped) => void;
}

/** Settings of an outbox; what is absent stays as it is. */
export type EmitterOutbox = Omit<MessageInitShape<typeof OutboxSchema>, "$typeName" | "$unknown">;

/** Events that gave way. */
export interface OutboxDropped {
  readonly channel: string;
  /** `overflow`, or `conflated` where a newer event of the key has taken its place. */
  readonly reason: string;
  readonly count: number;
}

/** A source as the service sees it. */
export interface Emitter extends Managed {
  /** Names of its channels, in the order of joining. */
  readonly channels: readonly string[];
  /** Becomes a source of another channel. @throws {SluiceError} as a join is refused, `source_taken` among others. */
  join(channel: string): void;
  /** Is a source of that channel no more; what waits in its outbox is still delivered. Returns whether it was one. */
  leave(channel: string): boolean;
  /**
   * Publishes to a channel that it has joined.
   *
   * @param event Encoded; copied before this returns.
   * @throws {SluiceError} `not_member`; where it was refused the result says so.
   */
  emit(channel: string, event: Uint8Array): PublishResult;
  /** Changes live attributes on all channels; null takes one away. @throws {SluiceError} as an update is refused. */
  update(attributes: Readonly<Record<string, AttributeValue | null>>): void;
  /** What was accepted on a channel and waits for a sink that blocks, or is held. */
  outbox(channel: string): OutboxDepth;
  /**
   * Changes the outboxes of all channels, those to come included, or that of one; none loses what waits in it.
   *
   * @throws {SluiceError} `invalid_value`, `not_member`, `store_full`.
   */
  configure(settings: EmitterOutbox, channel: string | undefined): void;
}

/** Makes a source, not open yet. */
export function createEmitter(
  engine: Engine,
  channel: string,
  { attributes = {}, piggyback = [], outbox = {}, onDropped }: EmitterOptions,
  openLocal: OpenLocal,
): Emitter {
  const listeners: (() => void)[] = [];
  const members = new Map<string, number>([[channel, 0]]);
  let live: Readonly<Record<string, AttributeValue>> = attributes;
  let settings = create(OutboxSchema, outbox);
  let session: LocalSession | undefined;
  let over = false;

  const close = (): void => {
    if (over) return;
    over = true;
    session?.stop();
    members.clear();
    for (const listener of listeners) listener();
  };

  const hear = ({ kind }: HostFrame): void => {
    if (kind.case === "dropped") {
      const channel = engine.channels.byNumber(kind.value.channelNumber)?.name ?? "";
      onDropped?.({ channel, reason: kind.value.reason, count: Number(kind.value.count) });
    }
    if (kind.case !== "left") return;
    for (const [name, member] of members) if (member === kind.value.member) members.delete(name);
  };

  const joinOne = (name: string): void => {
    if (session === undefined || over) throw new SluiceError("not_member", "This monitor has left", { value: name });
    const frame = create(JoinSchema, {
      channel: name,
      role: "source",
      attributes: valuesFrom(live),
      piggyback: [...piggyback],
      outbox: settings,
    });
    members.set(name, join(session, frame, undefined, "").member);
  };

  return {
    get channels() {
      return [...members.keys()];
    },
    open() {
      const opened = openLocal(() => {}, hear);
      session = opened;
      try {
        for (const name of [...members.keys()]) joinOne(name);
      } catch (error) {
        opened.stop();
        throw error;
      }
    },
    join(name) {
      if (!members.has(name)) joinOne(name);
    },
    leave(name) {
      const member = members.get(name);
      if (member === undefined || session === undefined) return false;
      leave(session, member);
      members.delete(name);
      return true;
    },
    emit(name, event) {
      const view = members.has(name) ? engine.channels.get(name) : undefined;
      if (session === undefined || view === undefined || over) {
        throw new SluiceError("not_member", `This monitor is no source of "${name}"`, { value: name });
      }
      try {
        const [result] = session.publish(view, [event]);
        return result ?? { problem: new SluiceError("internal", "Publishing one event gave no result") };
      } catch (error) {
        if (!isSluiceError(error)) engine.fault(error, undefined);
        throw sluiceErrorFrom(error);
      }
    },
    update(changes) {
      if (session === undefined || over) return;
      const remove = Object.keys(changes).filter((name) => changes[name] === null);
      for (const member of members.values())
        updateMember(session, engine.core, create(UpdateSchema, { member, attributes: valuesFrom(changes), remove }));
      const kept = Object.entries({ ...live, ...changes }).filter(([, value]) => value !== null);
      live = Object.fromEntries(kept) as Record<string, AttributeValue>;
      // Routes may choose by what a source says of itself.
      engine.flusher.schedule();
    },
    outbox(name) {
      const member = members.get(name);
      return member === undefined ? { events: 0, bytes: 0 } : outboxDepth(engine.core, member);
    },
    configure(changes, name) {
      const change = create(OutboxSchema, changes);
      const one = name === undefined ? undefined : members.get(name);
      if (session === undefined || over || (name !== undefined && one === undefined)) {
        throw new SluiceError("not_member", "This monitor is no source of that channel", { value: name ?? "" });
      }
      for (const member of one === undefined ? members.values() : [one])
        applyOutbox(session, member, change, "outbox.");
      if (one === undefined) settings = create(OutboxSchema, { ...settings, ...changes });
    },
    close,
    onClose(listener) {
      listeners.push(listener);
    },
  };
}
