/**
 * The mailbox of an HTTP client or of a service manager, as a resource: settings, joins, and polls that wait. What it holds of
 * events is the core's; it outlives a restart of the core, what waited in it does not.
 *
 *   open ──► (join, patch, poll)* ──► closed: by DELETE, by idleMs without a use, or when the host ends
 */
import { create } from "@bufbuild/protobuf";
import { ROLE_SINK } from "../../core-wasm/abi.ts";
import type { Layers } from "../channel/overlays.ts";
import { isPattern } from "../channel/pattern.ts";
import { isSluiceError, SluiceError } from "../errors.ts";
import { AckSchema, type HostFrame, type Join } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import type { Admission } from "./admission.ts";
import { deadlinesOf } from "./deadlines.ts";
import type { Engine } from "./engine.ts";
import { historyOf, type InboxHistory, waitsOf } from "./history.ts";
import { groupEvents, type InboxSettings } from "./inbox.ts";
import { applyInbox, governInbox } from "./inbox-apply.ts";
import { assertJoin, changeMember, join } from "./join.ts";
import { leave } from "./leave.ts";
import type { Drained, MailboxListener, MailboxSession } from "./mailbox-session.ts";
import type { MailboxView, Picked, Polled, PollWanted } from "./mailbox-view.ts";
import { ownFrom } from "./own-filters.ts";
import { PollQueue } from "./poll-queue.ts";
import { derivedId } from "./receipt.ts";

/** What a mailbox has beside what every inbox has. */
export interface MailboxSettings extends InboxSettings {
  /** Without a use for so long on the service clock it is closed. */
  readonly idleMs: number;
}

/** What a mailbox needs of whoever keeps it. */
export interface MailboxOwner {
  readonly engine: Engine;
  /** Opens a session in the present core. @throws {SluiceError} where there is no room. */
  openSession(listener: MailboxListener): MailboxSession;
  /** It closed itself, for want of use. */
  forget(mailbox: Mailbox): void;
  /** Whoever takes from it without polling hears once per turn of the loop that there may be something; it is never idle then. */
  readonly ready?: () => void;
}

/** Deliveries that a client acknowledges: these, and all up to one. */
export interface Acknowledged {
  readonly through: number | undefined;
  readonly numbers: readonly number[];
}

/** What became of a join. */
export interface Joined {
  readonly created: boolean;
  readonly member: number;
  readonly recovered: boolean | undefined;
  /** What can be promised of its deadlines; undefined where nothing was asked. */
  readonly admission: Admission | undefined;
}

/** See the head of this file. */
export class Mailbox implements MailboxView {
  readonly id: string;
  readonly kind: "http" | "manager";
  settings: MailboxSettings;
  readonly #owner: MailboxOwner;
  #session: MailboxSession;
  readonly #joins = new Map<string, { readonly frame: Join; readonly member: number }>();
  readonly #polls: PollQueue;
  /** Deliveries in former cores: numbers go on. */
  #numberBase = 0;
  #numberLast = 0;
  #usedAt = 0;
  #cancelIdle: () => void = () => {};

  /** @throws {SluiceError} where there is no room for another, or the core refuses the settings. */
  constructor(id: string, settings: MailboxSettings, owner: MailboxOwner) {
    this.id = id;
    this.kind = owner.ready === undefined ? "http" : "manager";
    this.settings = settings;
    this.#owner = owner;
    this.#polls = new PollQueue(owner.engine.clocks.real, (wanted) => this.#take(wanted));
    this.#session = this.#open();
    this.#use();
    this.#watchIdle(settings.idleMs);
  }

  /** Its session in the present core. */
  get session(): MailboxSession {
    return this.#session;
  }

  get held(): boolean {
    return this.settings.held;
  }

  get inForce(): InboxSettings {
    return this.#session.inbox ?? this.settings;
  }

  get layers(): Layers {
    return this.#session.governed?.over.layers ?? [];
  }

  get idleMs(): number | undefined {
    return this.kind === "manager" ? undefined : this.settings.idleMs;
  }

  get events(): number {
    return this.#owner.engine.core.exports.inboxEvents(this.#session.id);
  }

  get bytes(): number {
    return this.#owner.engine.core.exports.inboxBytes(this.#session.id);
  }

  get unacknowledged(): number {
    return this.#owner.engine.core.exports.inboxKept(this.#session.id);
  }

  get polls(): number {
    return this.#polls.waiting;
  }

  history(): InboxHistory | undefined {
    return historyOf(this.#owner.engine.core, this.#session.id);
  }

  waits(): readonly number[] {
    return waitsOf(this.#owner.engine.core, this.#session.id);
  }

  *joins(): ReturnType<MailboxView["joins"]> {
    for (const [channel, { frame, member }] of this.#joins)
      yield { channel, member, role: ROLE_SINK, frame, deadlines: deadlinesOf(this.#session, channel) };
  }

  /** Puts other settings in force. @throws {SluiceError} where the core refuses them. */
  patch(settings: MailboxSettings): void {
    this.#use();
    applyInbox(this.#session, settings);
    this.settings = settings;
    this.#cancelIdle();
    this.#watchIdle(settings.idleMs);
  }

  /**
   * Subscribes to a channel or a pattern, or changes how: types and attributes are replaced, what waits stays.
   *
   * @throws {SluiceError} as a join is refused.
   */
  join(frame: Join): Joined {
    this.#use();
    const present = this.#joins.get(frame.channel);
    if (present !== undefined) {
      const admission = this.#rejoin(present.member, present.frame, frame);
      this.#joins.set(frame.channel, { frame, member: present.member });
      return { created: false, member: present.member, recovered: undefined, admission };
    }
    const { member, recovered, admission } = join(this.#session, frame, undefined, "");
    this.#joins.set(frame.channel, { frame, member });
    return { created: true, member, recovered, admission };
  }

  /** Ends a subscription; what waits of that channel is discarded and counted. Returns whether there was one. */
  leave(channel: string): boolean {
    this.#use();
    const present = this.#joins.get(channel);
    if (present === undefined) return false;
    leave(this.#session, present.member);
    this.#joins.delete(channel);
    return true;
  }

  /**
   * Takes what may leave now; where that is nothing, waits for it. What was taken has left the mailbox.
   *
   * @throws {SluiceError} `rate_limited` where too many polls wait, `disconnect`.
   */
  poll(wanted: PollWanted): Polled | Promise<Polled> {
    this.#use();
    return this.#polls.poll(this.#owner.engine.draining ? { ...wanted, waitMs: 0 } : wanted);
  }

  /**
   * Acknowledges deliveries; what was acknowledged before, or in a former core, is as good as acknowledged.
   *
   * @throws {SluiceError} `ack_unknown` for a number that was never delivered; then none is acknowledged.
   */
  acknowledge({ through, numbers }: Acknowledged): void {
    this.#use();
    const unknown = numbers.find((number) => number === 0 || number > this.#numberLast);
    if (unknown !== undefined) throw ackUnknown(unknown, this.#numberLast);
    if (through !== undefined && through > this.#numberLast) throw ackUnknown(through, this.#numberLast);
    const known = numbers.filter((number) => number > this.#numberBase);
    const all = through === undefined || through <= this.#numberBase ? undefined : through - this.#numberBase;
    if (known.length === 0 && all === undefined) return;
    this.#session.acknowledge(
      create(AckSchema, {
        numbers: known.map((number) => BigInt(number - this.#numberBase)),
        ...(all === undefined ? {} : { through: BigInt(all) }),
      }),
    );
    this.#owner.engine.tracing.acknowledged(this.#session, numbers, through ?? 0);
  }

  /** Answers polls that wait with what there is, because the host says goodbye. */
  wake(): void {
    this.#polls.end();
  }

  /** Ends it; polls that wait are refused with `error`. */
  close(error: SluiceError): void {
    this.#cancelIdle();
    this.#polls.fail(error);
    this.#session.stop();
  }

  /** The core is a new one: joins again. A channel that cannot be joined any more is given up. */
  reopen(): void {
    this.#numberBase = this.#numberLast;
    const before = [...this.#joins.values()];
    const over = this.#session.governed?.over;
    this.#joins.clear();
    this.#session = this.#open();
    if (over !== undefined) governInbox(this.#session, over);
    for (const { frame } of before) {
      try {
        this.join(frame);
      } catch (error) {
        this.#owner.engine.log.warn("mailbox could not join again", {
          mailbox: this.id,
          channel: frame.channel,
          error,
        });
      }
    }
  }

  #open(): MailboxSession {
    const ready = this.#owner.ready ?? (() => this.#polls.ready());
    const session = this.#owner.openSession({ id: this.id, ready, hear: (frame) => this.#hear(frame) });
    try {
      applyInbox(session, this.settings);
    } catch (error) {
      session.stop();
      throw error;
    }
    return session;
  }

  #rejoin(member: number, present: Join, next: Join): Admission | undefined {
    const request = { frame: next, role: ROLE_SINK, where: assertJoin(next, ""), own: ownFrom(next, ROLE_SINK, "") };
    if (!isPattern(next.channel)) return changeMember(this.#session, member, present, request);
    this.#owner.engine.patterns.change(this.#session, member, request);
    return undefined;
  }

  #take({ eventsMax, picked }: PollWanted): Polled["entries"] {
    const { engine } = this.#owner;
    const { grouping } = this.inForce;
    const one = groupEvents(grouping);
    const most = eventsMax === undefined || grouping.single ? one : eventsMax;
    const session = this.#session;
    // Draining may be all that a trace has waited for.
    const followed = engine.tracing.active !== 0;
    const drained = this.#drain(picked, most, eventsMax === undefined ? grouping.bytes : limits.pollBytes);
    const { epoch } = engine.core;
    let fresh = 0;
    const entries = drained.deliveries.map((delivery) => {
      const { channelNumber, sequence } = delivery;
      const member = delivery.member || (session.memberships?.sinkOf(channelNumber) ?? 0);
      // What was delivered before has its number; the others count on.
      const number = this.#numberBase + (delivery.number ?? drained.firstNumber + fresh++);
      const id = derivedId(engine.options.hostId, epoch, channelNumber, sequence);
      const channel = engine.channels.byNumber(channelNumber)?.name ?? "";
      return { ...delivery, number, channel, member, epoch, derivedId: id };
    });
    if (followed) for (const { number, event } of entries) engine.tracing.numbered(session, number, event);
    for (const { number } of entries) this.#numberLast = Math.max(this.#numberLast, number);
    return entries;
  }

  #drain(picked: Picked | undefined, eventsMax: number, bytesMax: number): Drained {
    try {
      if (picked !== undefined) return this.#session.pick(picked, eventsMax, bytesMax);
      return this.#session.drain(eventsMax, bytesMax);
    } catch (error) {
      // It overflowed, and `disconnect` is its policy: whoever polls is told once, and makes another.
      if (isSluiceError(error)) this.#end(error);
      throw error;
    }
  }

  #hear({ kind }: HostFrame): void {
    if (kind.case === "dropped") {
      const channel = this.#owner.engine.channels.byNumber(kind.value.channelNumber)?.name ?? "";
      this.#polls.dropped(channel, kind.value.reason, Number(kind.value.count));
    } else if (kind.case === "left") {
      for (const [channel, { member }] of this.#joins) if (member === kind.value.member) this.#joins.delete(channel);
    }
  }

  #use(): void {
    this.#usedAt = this.#owner.engine.clocks.service.now();
  }

  /** One timer, set again where there was a use meanwhile: polls are more frequent than looks. */
  #watchIdle(delayMs: number): void {
    if (this.kind === "manager") return;
    const { engine } = this.#owner;
    this.#cancelIdle = engine.clocks.service.setTimer(() => {
      if (this.#polls.waiting > 0) this.#use();
      const restMs = this.#usedAt + this.settings.idleMs - engine.clocks.service.now();
      if (restMs > 0) return this.#watchIdle(restMs);
      engine.log.debug("mailbox closed", { mailbox: this.id, idleMs: this.settings.idleMs });
      this.#end(inboxUnknown(this.id));
    }, delayMs);
  }

  #end(error: SluiceError): void {
    this.close(error);
    this.#owner.forget(this);
  }
}

function ackUnknown(value: number, limit: number): SluiceError {
  return new SluiceError("ack_unknown", `Delivery ${value} was never made, so it cannot be acknowledged`, {
    value,
    limit,
  });
}

/** The mailbox was there when the poll that waits at it began. */
export function inboxDeleted(id: string): SluiceError {
  return new SluiceError("inbox_unknown", `Cannot take from inbox "${id}" any more, it was deleted`, { value: id });
}

/** There is no such mailbox, or not any more. */
export function inboxUnknown(id: string): SluiceError {
  const shown = id.slice(0, 64);
  return new SluiceError("inbox_unknown", `Cannot find an inbox "${shown}", it may have been idle for too long`, {
    value: shown,
  });
}
