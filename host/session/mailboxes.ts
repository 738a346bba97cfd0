/**
 * All mailboxes of a host, for operators and HTTP clients: those that are polled and those of service managers, which are made
 * and kept here, and those of sessions with a socket, which can be looked at and held.
 */
import { RECEIPTS_OFFSET, ROLE_SINK } from "../../core-wasm/abi.ts";
import type { ChannelFields } from "../channel/definition.ts";
import type { Governable, Layers, PreparedChange } from "../channel/overlays.ts";
import { SluiceError } from "../errors.ts";
import type { Join } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import { createSecret } from "../options.ts";
import { deadlinesOf } from "./deadlines.ts";
import type { Engine } from "./engine.ts";
import { droppedFrame } from "./frames.ts";
import { type HistogramCounts, historyOf, readHistogram, waitsOf } from "./history.ts";
import { defaultInbox, type InboxSettings } from "./inbox.ts";
import { applyInbox, governInbox, type InboxOverlay, isHeld, ownInbox, pause } from "./inbox-apply.ts";
import {
  type Acknowledged,
  inboxDeleted,
  inboxUnknown,
  type Joined,
  Mailbox,
  type MailboxSettings,
} from "./mailbox.ts";
import type { MailboxListener, MailboxSession } from "./mailbox-session.ts";
import type { MailboxView, Polled, PollWanted } from "./mailbox-view.ts";
import type { Session } from "./session.ts";
import { LINGERING, OPEN } from "./state.ts";

/** What the mailboxes need of the service beside the engine. */
export interface MailboxesSettings {
  readonly openSession: (listener: MailboxListener) => MailboxSession;
  /** Sessions with a socket. */
  readonly sessions: () => Iterable<Session>;
  /** Makes a refusal of whatever was thrown; a trap restarts the core. */
  readonly refusal: (error: unknown) => SluiceError;
  /** What is in force where a contract lays a merge patch over settings. @throws {SluiceError} where that cannot be. */
  readonly patched: (settings: InboxSettings, patch: ChannelFields) => InboxSettings;
  /** Settings as their resource shows them. */
  readonly shown: (settings: InboxSettings) => ChannelFields;
}

/** See the head of this file. */
export class Mailboxes implements Governable {
  readonly #engine: Engine;
  readonly #settings: MailboxesSettings;
  readonly #byId = new Map<string, Mailbox>();
  /** Those of service managers, apart: whoever comes over HTTP may look at them and takes nothing out; its routes see to that. */
  readonly #managers = new Map<string, Mailbox>();

  constructor(engine: Engine, settings: MailboxesSettings) {
    this.#engine = engine;
    this.#settings = settings;
  }

  /** How many are polled. */
  get count(): number {
    return this.#byId.size;
  }

  /** See {@link Governable.prepare}. */
  prepare(id: string, layers: Layers): PreparedChange {
    const session = this.#sessionOf(id) ?? this.#kept(id).session;
    const over = layers.length === 0 ? undefined : this.#overlay(layers);
    over?.apply(ownInbox(session));
    return {
      commit: () => {
        const before = session.governed?.over;
        this.#run(() => governInbox(session, over));
        this.#engine.flusher.schedule();
        return () => this.#run(() => governInbox(session, before));
      },
      end: () => {},
    };
  }

  /** See {@link Governable.preview}. */
  preview(id: string, layers: Layers): ChannelFields {
    const session = this.#sessionOf(id) ?? this.#kept(id).session;
    return this.#settings.shown(this.#overlay(layers).apply(ownInbox(session)));
  }

  /** See {@link Governable.release}. */
  release(id: string, layers: Layers): void {
    const session = this.#sessionOf(id) ?? this.#find(id)?.session;
    if (session?.governed === undefined) return;
    const { base } = session.governed;
    session.governed = layers.length === 0 ? undefined : { base, over: this.#overlay(layers) };
  }

  #overlay(layers: Layers): InboxOverlay {
    const { patched } = this.#settings;
    return { layers, apply: (base) => layers.reduce((below, { patch }) => patched(below, patch), base) };
  }

  /** All, in no order. They are views: what they tell is so at the moment of asking. */
  *list(): IterableIterator<MailboxView> {
    yield* this.#byId.values();
    yield* this.#managers.values();
    for (const session of this.#settings.sessions()) if (isThere(session)) yield viewOf(session);
  }

  /** Those without a socket. */
  *local(): IterableIterator<MailboxView> {
    yield* this.#byId.values();
    yield* this.#managers.values();
  }

  /** One of either sort. */
  get(id: string): MailboxView | undefined {
    const session = this.#sessionOf(id);
    return session === undefined ? this.#find(id) : viewOf(session);
  }

  /**
   * Makes a mailbox that is polled.
   *
   * @throws {SluiceError} `limit_reached`, `draining`, or what the core refuses.
   */
  open(settings: MailboxSettings): MailboxView {
    const engine = this.#engine;
    if (engine.draining) throw new SluiceError("draining", "The host is shutting down, it takes no more inboxes");
    if (this.#byId.size >= limits.inboxes) {
      throw new SluiceError(
        "limit_reached",
        `Cannot make another inbox, this host has ${this.#byId.size}, limit is ${limits.inboxes}`,
        { value: this.#byId.size, limit: limits.inboxes },
      );
    }
    return this.#run(() => {
      // The letter keeps it apart from those of sockets.
      const mailbox = new Mailbox(`i${createSecret()}`, settings, {
        engine,
        openSession: this.#settings.openSession,
        forget: ({ id }) => this.#byId.delete(id),
      });
      this.#byId.set(mailbox.id, mailbox);
      return mailbox;
    });
  }

  /**
   * Makes the mailbox of a service manager.
   *
   * @param id Its name.
   * @param ready Hears once per turn of the loop that there may be something to take.
   * @throws {SluiceError} `contradiction` for a name that is taken, `limit_reached`, or what the core refuses.
   */
  manage(id: string, settings: MailboxSettings, ready: () => void): Mailbox {
    const engine = this.#engine;
    if (this.#managers.has(id)) {
      throw new SluiceError("contradiction", `Cannot make a service manager "${id}", there is one of that name`, {
        value: id,
      });
    }
    if (this.#managers.size >= limits.inboxes) {
      throw new SluiceError(
        "limit_reached",
        `Cannot make another service manager, this host has ${this.#managers.size}, limit is ${limits.inboxes}`,
        { value: this.#managers.size, limit: limits.inboxes },
      );
    }
    return this.#run(() => {
      const forget = ({ id: ended }: Mailbox) => this.#managers.delete(ended);
      const mailbox = new Mailbox(id, settings, { engine, openSession: this.#settings.openSession, forget, ready });
      this.#managers.set(id, mailbox);
      return mailbox;
    });
  }

  /** Ends the mailbox of a service manager; what waits in it is discarded. */
  unmanage(id: string): void {
    this.#managers.get(id)?.close(inboxUnknown(id));
    this.#managers.delete(id);
  }

  /**
   * Puts other settings in force; of a socket's only `held` and what its session could set itself.
   *
   * @throws {SluiceError} `inbox_unknown`, or what the core refuses.
   */
  patch(id: string, settings: MailboxSettings): MailboxView {
    return this.#run(() => {
      const session = this.#sessionOf(id);
      if (session === undefined) {
        const mailbox = this.#kept(id);
        mailbox.patch(settings);
        return mailbox;
      }
      const view = viewOf(session);
      // Its own wish to be held stays its own; what changes is what the operator says.
      if (settings.held !== view.held) pause(session, settings.held);
      applyInbox(session, { ...settings, held: ownInbox(session).held });
      return viewOf(session);
    });
  }

  /** Ends a mailbox that is polled. Returns whether there was one. */
  close(id: string): boolean {
    const mailbox = this.#byId.get(id);
    if (mailbox === undefined) return false;
    this.#byId.delete(id);
    mailbox.close(inboxDeleted(id));
    return true;
  }

  /** Subscribes, or changes how. @throws {SluiceError} `inbox_unknown`, and as a join is refused. */
  join(id: string, frame: Join): Joined {
    const joined = this.#run(() => this.#kept(id).join(frame));
    // What waits for a sink may qualify for this one.
    this.#engine.flusher.schedule();
    return joined;
  }

  /** Ends a subscription. Returns whether there was one. @throws {SluiceError} `inbox_unknown`. */
  leave(id: string, channel: string): boolean {
    return this.#run(() => this.#kept(id).leave(channel));
  }

  /**
   * Takes deliveries out of a mailbox; see {@link Mailbox.poll}.
   *
   * @throws {SluiceError} `inbox_unknown`, `rate_limited`, `disconnect`, `core_restarted`; while it waits by its promise.
   */
  poll(id: string, wanted: PollWanted): Polled | Promise<Polled> {
    return this.#run(() => this.#kept(id).poll(wanted));
  }

  /**
   * Discards what waits in a mailbox of either sort; it is counted, and told to whom it was for.
   *
   * @returns How many events; undefined where there is no such mailbox.
   */
  drain(id: string): number | undefined {
    return this.#run(() => {
      const session = this.#sessionOf(id) ?? this.#find(id)?.session;
      return session === undefined ? undefined : drainInbox(session);
    });
  }

  /** Acknowledges deliveries. @throws {SluiceError} `inbox_unknown`, `ack_unknown`. */
  acknowledge(id: string, acknowledged: Acknowledged): void {
    this.#run(() => this.#kept(id).acknowledge(acknowledged));
  }

  /** A HISTOGRAM_… of all mailboxes, since the start of the core. */
  histogram(histogram: number): HistogramCounts | undefined {
    return readHistogram(this.#engine.core, 0, histogram);
  }

  /** Answers all polls that wait, because the host says goodbye. */
  wake(): void {
    for (const mailbox of this.#byId.values()) mailbox.wake();
  }

  /** The core is a new one. */
  reopen(): void {
    for (const mailbox of this.#byId.values()) mailbox.reopen();
    for (const mailbox of this.#managers.values()) mailbox.reopen();
  }

  /** Ends all. */
  closeAll(error: SluiceError): void {
    for (const mailbox of this.#byId.values()) mailbox.close(error);
    for (const mailbox of this.#managers.values()) mailbox.close(error);
    this.#byId.clear();
    this.#managers.clear();
  }

  #find(id: string): Mailbox | undefined {
    return this.#byId.get(id) ?? this.#managers.get(id);
  }

  /** One that is kept here. @throws {SluiceError} `inbox_unknown`. */
  #kept(id: string): Mailbox {
    const mailbox = this.#find(id);
    if (mailbox === undefined) throw inboxUnknown(id);
    return mailbox;
  }

  /** Operators ask for a session once in a while, so nothing is kept for that. */
  #sessionOf(id: string): Session | undefined {
    const number = /^s([1-9]\d{0,14})$/.exec(id)?.[1];
    if (number === undefined) return undefined;
    for (const session of this.#settings.sessions())
      if (session.number === Number(number) && isThere(session)) return session;
    return undefined;
  }

  #run<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw this.#settings.refusal(error);
    }
  }
}

/** Discards what waits, and tells it. */
function drainInbox(session: Session): number {
  const { core } = session.engine;
  const lost = new Map<number, number>();
  // One call may not have room to tell of all channels.
  for (let records = core.exports.inboxDrain(session.id); records > 0; records = core.exports.inboxDrain(session.id)) {
    for (let index = 0; index < records; index++) {
      const at = RECEIPTS_OFFSET / 4 + index * 2;
      const channelNumber = core.views.words[at] as number;
      lost.set(channelNumber, (lost.get(channelNumber) ?? 0) + (core.views.words[at + 1] as number));
    }
  }
  let events = 0;
  for (const [channelNumber, count] of lost) {
    events += count;
    session.answer(droppedFrame(channelNumber, count, "drained"));
  }
  session.engine.flusher.schedule();
  return events;
}

/** One that lingers keeps its inbox. */
function isThere({ state }: Session): boolean {
  return state === OPEN || state === LINGERING;
}

function viewOf(session: Session): MailboxView {
  const { exports } = session.engine.core;
  return {
    id: `s${session.number}`,
    kind: session.kind === "local" ? "http" : session.kind,
    settings: ownInbox(session),
    inForce: session.inbox ?? defaultInbox,
    layers: session.governed?.over.layers ?? [],
    idleMs: undefined,
    held: isHeld(session),
    events: exports.inboxEvents(session.id),
    bytes: exports.inboxBytes(session.id),
    unacknowledged: exports.inboxKept(session.id),
    polls: 0,
    history: () => historyOf(session.engine.core, session.id),
    waits: () => waitsOf(session.engine.core, session.id),
    *joins() {
      const { memberships } = session;
      for (const { pattern, member } of memberships?.patterns.values() ?? [])
        yield { channel: pattern, member, role: ROLE_SINK };
      for (const { channel, member, role, pattern } of memberships?.all() ?? [])
        if (pattern === undefined) yield { channel, member, role, deadlines: deadlinesOf(session, channel) };
    },
  };
}
