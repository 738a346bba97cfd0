/**
 * What a client publishes: gathered into batches, sent within the credit of its source, numbered, and kept until the host says that it
 * has it. After a break it is sent again under the same numbers, so that nothing is lost and nothing doubled.
 *
 *   add() ──► open batch ──flush──► queue of its channel ──credit──► sent ──receipt, pong──► settled
 */
import type { AttributeChanges, AttributeValue, EventInput, Receipt } from "../host/interface.ts";
import { changed, splitChanges } from "./attributes.ts";
import { closedError, errorFromProblem, isSluiceError, SluiceError } from "./errors.ts";
import type { Session } from "./session.ts";
import { type Deferred, deferred } from "./wait.ts";
import type { HostFrames, OutboxSettings, Result, Welcome } from "./wire/frames.ts";
import { PUBLISH_HEAD_BYTES, publishFrame, writeEvent } from "./wire/publish.ts";
import { Writer } from "./wire/writer.ts";

/** What a source says as it joins. */
export interface SourceSettings {
  attributes?: Readonly<Record<string, AttributeValue>>;
  readonly piggyback?: readonly string[];
  readonly filters?: object;
  readonly outbox?: OutboxSettings;
  readonly misses?: boolean;
  readonly rate?: number;
}

/** A receipt, of one event. */
type Waiter = Deferred<Receipt>;

/** Events that leave together. */
interface Batch {
  readonly lane: Lane;
  readonly writer: Writer;
  events: number;
  /** Of its events alone, as credit counts. */
  bytes: number;
  /** Who waits for which result; undefined where nobody wants one. */
  waiters: Waiter[] | undefined;
  /** Number of its first event; 0 until it is sent. */
  number: number;
  /** Asks for a receipt, or undefined. */
  ref: number | undefined;
}

/** What is published on one channel. */
interface Lane {
  readonly channel: string;
  member: number;
  channelNumber: number;
  /** As `joined` told it, and what is left of it. */
  first: { events: number; bytes: number };
  events: number;
  bytes: number;
  readonly queue: Batch[];
  open: Batch | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** How events are gathered. */
export interface Gathering {
  /** How long the first of a batch waits for others; 0: until the calls at hand are done. */
  readonly lingerMs: number;
  /** Events and bytes after which a batch leaves. */
  readonly events: number;
  readonly bytes: number;
}

/** Small enough that a slow host is felt soon, large enough that frames cost nothing per event. */
export const defaultGathering: Gathering = Object.freeze({ lingerMs: 0, events: 512, bytes: 65_536 });

/** Bytes that may wait or be unconfirmed before publishers wait: four times a source's first credit. */
const WAITING_BYTES_MAX = 16_777_216;

/** See the head of this file. */
export class Outgoing {
  readonly #settings: SourceSettings;
  readonly #onError: (error: SluiceError) => void;
  readonly #lanes = new Map<string, Lane>();
  readonly #byNumber = new Map<number, Lane>();
  /** In the order of their numbers. */
  #sent: Batch[] = [];
  /** How many of `sent` this connection has taken. */
  #taken = 0;
  #published = 0;
  #waitingBytes = 0;
  /** Asks the host how far it is; 0: nothing is asked. */
  #mark = 0;
  /** What of `sent` an answer to the mark confirms: numbers up to this one. */
  #marked = 0;
  #room: Deferred<void> | undefined;
  #idle: Deferred<void> | undefined;
  #session: Session | undefined;

  /** @param onError Hears of refused events whose publisher wanted no receipt. */
  constructor(settings: SourceSettings, onError: (error: SluiceError) => void) {
    this.#settings = settings;
    this.#onError = onError;
  }

  /** Where it is sent; to be said once. */
  use(session: Session): void {
    this.#session = session;
  }

  /** Undefined where one more event may come; else resolved once it may. @throws {SluiceError} where all is over. */
  room(): Promise<void> | undefined {
    const over = this.#session?.over;
    if (over !== undefined) throw over;
    if (this.#waitingBytes < WAITING_BYTES_MAX) return undefined;
    this.#room ??= deferred();
    return this.#room.promise;
  }

  /** Publishes an event, with a receipt. @throws {SluiceError} for what is no event, and what was refused. */
  publish(channel: string, event: EventInput, gathering: Gathering): Promise<Receipt> {
    const batch = this.#batchFor(channel, true);
    this.#write(batch, event, gathering);
    const waiter = deferred<Receipt>();
    batch.waiters?.push(waiter);
    return waiter.promise;
  }

  /** Publishes an event without a receipt. @throws {SluiceError} for what is no event. */
  add(channel: string, event: EventInput, gathering: Gathering): void {
    this.#write(this.#batchFor(channel, false), event, gathering);
  }

  /** Has the open batch of a channel leave. */
  flush(channel: string): void {
    const lane = this.#lanes.get(channel);
    if (lane?.open === undefined) return;
    clearTimeout(lane.timer);
    lane.timer = undefined;
    lane.queue.push(lane.open);
    lane.open = undefined;
    this.#pump();
  }

  /** Resolved once all that was published so far is with the host. */
  settled(): Promise<void> {
    for (const channel of this.#lanes.keys()) this.flush(channel);
    if (this.#isIdle()) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle.promise;
  }

  /** Changes live attributes, of members to come, too. */
  async update(attributes: AttributeChanges): Promise<void> {
    const { set, remove } = splitChanges(attributes);
    this.#settings.attributes = changed(this.#settings.attributes, { set, remove });
    const session = this.#session as Session;
    // Those that join later say so as they join.
    const joined = [...this.#lanes.values()].filter(({ member }) => member !== 0);
    await Promise.all(
      joined.map((lane) =>
        session.ask("update", () => ({ member: lane.member, attributes: set, remove })).catch(unlessGone),
      ),
    );
  }

  /** Is a source no more. */
  leave(): void {
    for (const { member } of this.#lanes.values()) if (member !== 0) this.#session?.say("leave", { member });
  }

  /** The host has answered. */
  onWelcome({ resumed = false, published = 0 }: Welcome): void {
    this.#taken = 0;
    this.#mark = 0;
    if (resumed) {
      // As docs/delivery.md: a source that comes back has its first credit again.
      for (const lane of this.#lanes.values()) Object.assign(lane, lane.first);
      // What asked for a receipt is sent again to get it, and is not published twice.
      this.#sent = this.#sent.filter((batch) => {
        const isThere = batch.waiters === undefined && batch.number + batch.events - 1 <= published;
        if (isThere) this.#waitingBytes -= batch.bytes;
        return !isThere;
      });
    } else this.#forget();
    this.#session?.ready();
    this.#pump();
    this.#tellRoom();
  }

  /** A frame that answers no question. */
  onFrame({ receipt, credit, problem, pong }: Partial<HostFrames>): void {
    if (receipt?.ref !== undefined) this.#confirmed(receipt.ref, receipt.results ?? [], undefined);
    else if (credit?.channelNumber !== undefined) {
      const lane = this.#byNumber.get(credit.channelNumber);
      if (lane === undefined) return;
      lane.events += credit.events ?? 0;
      lane.bytes += credit.bytes ?? 0;
      this.#pump();
    } else if (pong?.ref !== undefined && pong.ref === this.#mark) {
      this.#mark = 0;
      this.#confirmThrough(this.#marked);
      this.#ask();
    } else if (problem?.ref !== undefined) this.#confirmed(problem.ref, [], errorFromProblem(problem));
    else if (problem !== undefined) this.#onError(errorFromProblem(problem));
  }

  /** All is over. */
  onEnd(reason: SluiceError): void {
    for (const lane of this.#lanes.values()) this.#refuseLane(lane, reason);
    for (const batch of this.#sent) this.#refuse(batch, reason.code === "closed" ? reason : unanswered(reason));
    this.#sent = [];
    this.#room?.reject(reason);
    this.#idle?.reject(reason);
  }

  #batchFor(channel: string, receipt: boolean): Batch {
    const over = this.#session?.over;
    if (over !== undefined) throw over.code === "closed" ? closedError("the client") : over;
    const lane = this.#lanes.get(channel) ?? this.#begin(channel);
    // A batch asks for receipts or does not.
    if (lane.open !== undefined && (lane.open.waiters !== undefined) !== receipt) this.flush(channel);
    lane.open ??= {
      lane,
      writer: new Writer(1_024, PUBLISH_HEAD_BYTES),
      events: 0,
      bytes: 0,
      waiters: receipt ? [] : undefined,
      number: 0,
      ref: undefined,
    };
    return lane.open;
  }

  #write(batch: Batch, event: EventInput, { lingerMs, events, bytes }: Gathering): void {
    const { lane, writer } = batch;
    const size = writeEvent(writer, event);
    this.#waitingBytes += size;
    batch.bytes += size;
    batch.events++;
    if (batch.events >= events || batch.bytes >= bytes) {
      // Not at once: whoever publishes has no promise yet.
      if (batch.waiters === undefined) return this.flush(lane.channel);
      lane.queue.push(batch);
      lane.open = undefined;
      queueMicrotask(() => this.#pump());
    } else if (batch.events === 1) {
      if (lingerMs > 0) lane.timer = setTimeout(() => this.flush(lane.channel), lingerMs);
      else queueMicrotask(() => this.flush(lane.channel));
    }
  }

  #begin(channel: string): Lane {
    const lane: Lane = {
      channel,
      member: 0,
      channelNumber: 0,
      first: { events: 0, bytes: 0 },
      events: 0,
      bytes: 0,
      queue: [],
      open: undefined,
      timer: undefined,
    };
    this.#lanes.set(channel, lane);
    void this.#join(lane);
    return lane;
  }

  async #join(lane: Lane): Promise<void> {
    const session = this.#session as Session;
    try {
      const { joined } = await session.ask(
        "join",
        () => ({ channel: lane.channel, role: "source", ...this.#settings }),
        true,
      );
      if (joined === undefined) return;
      const { credit: { events = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = {} } = joined;
      lane.member = joined.member;
      lane.channelNumber = joined.channelNumber ?? 0;
      lane.first = { events, bytes };
      Object.assign(lane, lane.first);
      this.#byNumber.set(lane.channelNumber, lane);
      this.#pump();
    } catch (error) {
      // In a new session it joins again.
      if (isSluiceError(error) && error.code === "unanswered") return;
      this.#lanes.delete(lane.channel);
      clearTimeout(lane.timer);
      this.#refuseLane(lane, error as SluiceError);
      this.#tellRoom();
    }
  }

  /** Sends what may be sent: first again what was sent before, then what waits, channel by channel. */
  #pump(): void {
    const session = this.#session;
    if (session?.isReady !== true) return;
    while (this.#taken < this.#sent.length) {
      if (!this.#give(session, this.#sent[this.#taken] as Batch)) return;
      this.#taken++;
    }
    for (const lane of this.#lanes.values()) {
      if (lane.channelNumber === 0) continue;
      let count = 0;
      for (const batch of lane.queue) {
        if (!mayLeave(batch)) break;
        batch.number = this.#published + 1;
        this.#published += batch.events;
        if (batch.waiters !== undefined) batch.ref = session.nextRef();
        this.#give(session, batch);
        this.#sent.push(batch);
        this.#taken++;
        count++;
      }
      if (count > 0) lane.queue.splice(0, count);
    }
    this.#ask();
  }

  /** Sends a batch if its channel has credit for it. */
  #give(session: Session, batch: Batch): boolean {
    if (!mayLeave(batch)) return false;
    const { lane, writer, number, ref, events } = batch;
    lane.events -= events;
    lane.bytes -= batch.bytes;
    session.send(publishFrame(writer, lane.channelNumber, number, ref));
    return true;
  }

  /** Has the host say how far it is, where somebody waits for that: one question at a time. */
  #ask(): void {
    const last = this.#sent[this.#taken - 1];
    const session = this.#session;
    if (this.#mark !== 0 || last === undefined || session?.isReady !== true) return;
    // A receipt says the same.
    if (last.waiters !== undefined) return;
    this.#mark = session.nextRef();
    this.#marked = last.number + last.events - 1;
    session.say("ping", {}, this.#mark);
  }

  #confirmThrough(number: number): void {
    let count = 0;
    for (const batch of this.#sent) {
      // Those that wait for a receipt get it in their turn, which is before.
      if (batch.waiters !== undefined || batch.number + batch.events - 1 > number) break;
      this.#waitingBytes -= batch.bytes;
      count++;
    }
    this.#drop(count);
  }

  #confirmed(ref: number, results: readonly Result[], refused: SluiceError | undefined): void {
    const index = this.#sent.findIndex((batch) => batch.ref === ref);
    const batch = this.#sent[index];
    if (batch === undefined) return;
    if (refused === undefined) this.#settle(batch, results);
    else for (const waiter of batch.waiters ?? []) waiter.reject(refused);
    // Answers come in order: what was sent before without a receipt is there, too.
    const before = this.#sent.length;
    this.#sent = this.#sent.filter((one, place) => {
      const isDone = one === batch || (place < index && one.waiters === undefined);
      if (isDone) this.#waitingBytes -= one.bytes;
      return !isDone;
    });
    this.#taken = Math.max(0, this.#taken - (before - this.#sent.length));
    this.#tellRoom();
  }

  #settle({ lane, waiters = [] }: Batch, results: readonly Result[]): void {
    const { host } = (this.#session as Session).place;
    for (const [index, waiter] of waiters.entries()) {
      const {
        id = "",
        sequence = 0,
        epoch = 0,
        sinks = 0,
        hosts = 0,
        refused,
        problem,
        duplicate,
      } = results[index] ?? {};
      if (problem !== undefined) {
        waiter.reject(errorFromProblem(problem));
        continue;
      }
      const parts = [host, epoch, lane.channelNumber, sequence] as const;
      const derived = sequence === 0 ? "" : parts.map((part) => part.toString(36)).join("-");
      waiter.resolve({
        id: id || derived,
        sequence,
        epoch,
        sinks,
        hosts,
        ...(refused === undefined ? {} : { refused }),
        ...(duplicate === undefined ? {} : { duplicate }),
      });
    }
  }

  #drop(count: number): void {
    this.#sent.splice(0, count);
    this.#taken = Math.max(0, this.#taken - count);
    this.#tellRoom();
  }

  #tellRoom(): void {
    if (this.#room !== undefined && this.#waitingBytes < WAITING_BYTES_MAX) {
      this.#room.resolve();
      this.#room = undefined;
    }
    if (this.#idle !== undefined && this.#isIdle()) {
      this.#idle.resolve();
      this.#idle = undefined;
    }
  }

  #isIdle(): boolean {
    if (this.#sent.length > 0) return false;
    for (const { queue, open } of this.#lanes.values()) if (queue.length > 0 || open !== undefined) return false;
    return true;
  }

  /** The session has not gone on: what was sent has an end that nobody knows, what was not is sent in the new one. */
  #forget(): void {
    for (const batch of this.#sent) this.#refuse(batch, unanswered(undefined));
    this.#sent = [];
    this.#published = 0;
    this.#byNumber.clear();
    for (const lane of this.#lanes.values()) {
      lane.member = lane.channelNumber = 0;
      void this.#join(lane);
    }
  }

  #refuseLane(lane: Lane, reason: SluiceError): void {
    const batches = lane.open === undefined ? lane.queue : [...lane.queue, lane.open];
    lane.open = undefined;
    for (const batch of batches) this.#refuse(batch, reason);
    lane.queue.length = 0;
  }

  #refuse(batch: Batch, reason: unknown): void {
    this.#waitingBytes -= batch.bytes;
    const error = isSluiceError(reason) ? reason : closedError("the client");
    if (batch.waiters === undefined) this.#onError(error);
    else for (const waiter of batch.waiters) waiter.reject(error);
  }
}

/** Whether its channel has credit for it. Half of it is more than any batch, and is granted again in time. */
function mayLeave({ lane, events, bytes }: Batch): boolean {
  const isWhole = lane.events >= lane.first.events && lane.bytes >= lane.first.bytes;
  return lane.channelNumber !== 0 && (isWhole || (lane.events >= events && lane.bytes >= bytes));
}

/** A member of another session has joined with what it was to be told. */
export function unlessGone(error: unknown): void {
  if (!isSluiceError(error) || error.code !== "member_unknown") throw error;
}

function unanswered(cause: unknown): SluiceError {
  return new SluiceError(
    "unanswered",
    "Cannot tell whether an event was published, the session ended before the answer",
    { cause },
  );
}
