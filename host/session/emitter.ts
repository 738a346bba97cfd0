/**
 * A source within this process: a session of its own, so it has an outbox of its own on each channel, and is joined again after
 * a restart of the core.
 */
import { create } from "@bufbuild/protobuf";
import { isSluiceError, SluiceError, sluiceErrorFrom } from "../errors.ts";
import { type HostFrame, JoinSchema, UpdateSchema } from "../gen/sluice/v1/frame_pb.ts";
import type { Engine } from "./engine.ts";
import { join, updateMember } from "./join.ts";
import { leave } from "./leave.ts";
import type { LocalSession, PublishResult } from "./local.ts";
import { type AttributeValue, type Managed, type OpenLocal, valuesFrom } from "./subscription.ts";

/** What a source brings along. */
export interface EmitterOptions {
  /** Live attributes of its memberships. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Names of attributes: what an event says of them becomes the source's own, too. */
  readonly piggyback?: readonly string[];
}

/** What waits in an outbox. */
export interface OutboxDepth {
  readonly events: number;
  readonly bytes: number;
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
  /** What was accepted on a channel and waits for a sink that blocks. */
  outbox(channel: string): OutboxDepth;
}

/** Makes a source, not open yet. */
export function createEmitter(
  engine: Engine,
  channel: string,
  { attributes = {}, piggyback = [] }: EmitterOptions,
  openLocal: OpenLocal,
): Emitter {
  const listeners: (() => void)[] = [];
  const members = new Map<string, number>([[channel, 0]]);
  let live: Readonly<Record<string, AttributeValue>> = attributes;
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
      const { exports } = engine.core;
      if (member === undefined) return { events: 0, bytes: 0 };
      return { events: exports.outboxEvents(member), bytes: exports.outboxBytes(member) };
    },
    close,
    onClose(listener) {
      listeners.push(listener);
    },
  };
}
