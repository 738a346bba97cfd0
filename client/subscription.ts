/**
 * A subscription: a session of its own, with an inbox of its own, so that a slow reader holds up nobody else. Events wait in that
 * inbox, under its rules, and not here: the host sends as far as credit reaches, and credit is what the reader has taken.
 */
import type { AttributeChanges, AttributeValue, Cancelled, CancelOptions, Wants } from "../host/interface.ts";
import { microsFromMoment } from "../host/socket/json/moment.ts";
import { changed, splitChanges } from "./attributes.ts";
import { closedError, errorFromProblem, isSluiceError, SluiceError } from "./errors.ts";
import { unlessGone } from "./outgoing.ts";
import { Session, type SessionOwner, type SessionSettings } from "./session.ts";
import { type Deferred, deferred } from "./wait.ts";
import type { Delivery } from "./wire/deliveries.ts";
import type { ClientFrames, HostFrames, InboxSettings, Joined, Welcome } from "./wire/frames.ts";

/** What may be between two deliveries. */
export interface Gap {
  readonly channel: string;
  /** The host was restarted, or it has waited for this client in vain, or kept too little. */
  readonly reason: "not_resumed" | "not_stored";
}

/** What a subscriber may ask for, beside what it wants. */
export interface SubscribeOptions extends Wants {
  /** Settings of its inbox: ordering, capacity, overflow, acknowledgement and so on. */
  readonly inbox?: InboxSettings;
  /** `explicit`: an event is acknowledged when the next one is asked for, or by `ack()`; others come again. */
  readonly ack?: "none" | "explicit";
  /** How much may be under way or wait here, in events and bytes; 4,096 and 2 MiB where absent. */
  readonly window?: { readonly events?: number; readonly bytes?: number };
  /** Whether what the channel stores is delivered first; true where absent. */
  readonly replay?: boolean;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
  /** Declared rate in events per second, for admission. */
  readonly rate?: number;
  /** Hears where events may be missing, after a break that the session did not survive. */
  readonly onGap?: (gap: Gap) => void;
  /** Hears of problems that end nothing. */
  readonly onError?: (error: SluiceError) => void;
  /** The subscription is over for another reason than leave(). */
  readonly onEnd?: (reason: string) => void;
}

/** One channel, or pattern, of a subscription. */
interface Membership {
  readonly channel: string;
  member: number;
  /** It was joined before, so that a new join goes on behind what came. */
  joined: boolean;
}

/** A channel that deliveries came on, and behind what to go on in a new session. */
interface Known {
  readonly channel: string;
  epoch: number;
  sequence: number;
}

const WINDOW_EVENTS = 4_096;
const WINDOW_BYTES = 2_097_152;

/** See the head of this file. */
export class Incoming implements SessionOwner {
  readonly session: Session;
  readonly inbox: InboxSettings | undefined;
  /** What came and was not taken. */
  waiting: Delivery[] = [];
  /** Index of the first of `waiting` that was not taken. */
  first = 0;
  /** Calls back when something came, or all is over. */
  onMore: () => void = () => {};
  readonly #options: SubscribeOptions;
  readonly #onOver: () => void;
  readonly #explicit: boolean;
  readonly #memberships: Membership[];
  readonly #known = new Map<string, Known>();
  /** The same by the numbers of this session. */
  readonly #channels = new Map<number, Known>();
  readonly #ready: Deferred<void> = deferred();
  #attributes: Record<string, AttributeValue>;
  /** Bytes of what waits. */
  #waitingBytes = 0;
  readonly #bytes: number[] = [];
  /** What the host may still send, as far as is known. */
  #openEvents = 0;
  #openBytes = 0;
  /** A grant that the host has not confirmed. */
  #granting: { readonly ref: number; readonly events: number; readonly bytes: number } | undefined;

  /** @param onOver It is over, for whatever reason. */
  constructor(settings: SessionSettings, channels: readonly string[], options: SubscribeOptions, onOver: () => void) {
    this.#onOver = onOver;
    this.#options = options;
    this.#explicit = (options.ack ?? options.inbox?.ack) === "explicit";
    this.inbox = options.ack === undefined ? options.inbox : { ...options.inbox, ack: options.ack };
    this.#attributes = { ...options.attributes };
    this.#memberships = channels.map((channel) => ({ channel, member: 0, joined: false }));
    this.session = new Session(settings, this);
  }

  /** Resolved once the host has joined all of it. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Its member on the host, of the first channel. */
  get member(): number {
    return this.#memberships[0]?.member ?? 0;
  }

  /** The next delivery, if one waits; what it takes of credit is given back. */
  take(): Delivery | undefined {
    const delivery = this.waiting[this.first];
    if (delivery === undefined) return undefined;
    this.#waitingBytes -= this.#bytes[this.first] as number;
    this.first++;
    if (this.first === this.waiting.length) {
      this.waiting = [];
      this.#bytes.length = 0;
      this.first = 0;
      this.#grant();
    } else if (this.first % 256 === 0) this.#grant();
    return delivery;
  }

  /** The name of a delivery's channel. */
  channelOf(delivery: Delivery): string {
    return this.#channels.get(delivery.channelNumber)?.channel ?? "";
  }

  /** Acknowledges single deliveries. */
  ack(numbers: readonly number[]): void {
    if (this.#explicit && numbers.length > 0) this.session.say("ack", { numbers });
  }

  /** Whether deliveries are to be acknowledged. */
  get isExplicit(): boolean {
    return this.#explicit;
  }

  async update(attributes: AttributeChanges): Promise<void> {
    const { set, remove } = splitChanges(attributes);
    this.#attributes = changed(this.#attributes, { set, remove });
    // Before it is joined, the join says so.
    if (!this.session.isReady && this.member === 0) return;
    const asked = this.#memberships.map((membership) =>
      this.session.ask("update", () => ({ member: membership.member, attributes: set, remove })).catch(unlessGone),
    );
    await Promise.all(asked);
  }

  async cancel(channel: string, key: string, { at }: CancelOptions = {}): Promise<Cancelled> {
    return await askCancel(this.session, channel, key, at);
  }

  /** Ends it. @param reason What its reader is told, where that is not the owner. */
  leave(reason: SluiceError = closedError("the subscription")): void {
    for (const { member } of this.#memberships) if (member !== 0) this.session.say("leave", { member });
    this.waiting = [];
    this.first = 0;
    this.session.close(reason);
  }

  onWelcome({ resumed = false }: Welcome): void {
    if (resumed) {
      // Credit for what comes again is given back; a grant that was not confirmed may be lost, and is made again.
      if (this.#granting !== undefined) {
        this.#openEvents -= this.#granting.events;
        this.#openBytes -= this.#granting.bytes;
        this.#granting = undefined;
      }
      this.#grant();
      return this.session.ready();
    }
    this.#openEvents = this.#openBytes = 0;
    this.#granting = undefined;
    this.#channels.clear();
    this.#grant();
    void this.#joinAll();
  }

  onDelivery(delivery: Delivery, bytes: number): void {
    this.#openEvents = Math.max(0, this.#openEvents - 1);
    this.#openBytes = Math.max(0, this.#openBytes - bytes);
    // What came before the break and comes again; where it is to be acknowledged it comes again for that.
    if (!this.#explicit && delivery.number <= this.session.received) return;
    const known = this.#channels.get(delivery.channelNumber);
    if (known !== undefined) {
      known.epoch = delivery.epoch;
      known.sequence = delivery.sequence;
    }
    this.waiting.push(delivery);
    this.#bytes.push(bytes);
    this.#waitingBytes += bytes;
  }

  onMessageEnd(): void {
    if (this.waiting.length > 0) this.onMore();
  }

  onFrame({ receipt, joined, left, dropped, problem }: Partial<HostFrames>): void {
    if (receipt?.ref !== undefined && receipt.ref === this.#granting?.ref) {
      this.#granting = undefined;
      this.#grant();
    } else if (joined?.pattern !== undefined) this.#knows(joined);
    else if (dropped !== undefined) this.#options.onDropped?.({ count: dropped.count ?? 0, reason: dropped.reason });
    else if (problem !== undefined) this.#options.onError?.(errorFromProblem(problem));
    else if (left !== undefined) this.#left(left.member, left.reason);
  }

  onEnd(reason: SluiceError): void {
    this.#ready.reject(reason);
    if (reason.code !== "closed") this.#options.onEnd?.(reason.code);
    this.onMore();
    this.#onOver();
  }

  /** Joins one after the other as they were given, so that members have the order of the call. */
  async #joinAll(): Promise<void> {
    const { session } = this;
    // A break now leaves members behind that nobody knows.
    session.taint(true);
    try {
      const answers = this.#memberships.map((membership) => session.ask("join", () => this.#join(membership), true));
      for (const [index, answer] of answers.entries()) {
        const { joined } = await answer;
        this.#joined(this.#memberships[index] as Membership, joined as Joined);
      }
      session.taint(false);
      session.ready();
      this.#ready.resolve();
    } catch (error) {
      // A new session is joined anew.
      if (isSluiceError(error) && error.code === "unanswered") return;
      session.close(
        isSluiceError(error) ? error : new SluiceError("internal", "A fault in the client", { cause: error }),
      );
    }
  }

  #join(membership: Membership): ClientFrames["join"] {
    const { where, types, dialect, replay, rate } = this.#options;
    const { channel } = membership;
    const after = this.#known.get(channel);
    return {
      channel,
      role: "sink",
      attributes: this.#attributes,
      ...(where === undefined ? {} : { where }),
      ...(types === undefined ? {} : { types }),
      ...(dialect === undefined ? {} : { dialect }),
      ...(rate === undefined ? {} : { rate }),
      ...(after === undefined || after.epoch === 0 ? {} : { after: { epoch: after.epoch, sequence: after.sequence } }),
      ...(replay === undefined || membership.joined ? {} : { replay }),
    };
  }

  #knows({ channel, channelNumber }: Joined): void {
    // The member of a pattern has no channel.
    if (channelNumber === undefined) return;
    const known = this.#known.get(channel) ?? { channel, epoch: 0, sequence: 0 };
    this.#known.set(channel, known);
    this.#channels.set(channelNumber, known);
  }

  #joined(membership: Membership, answer: Joined): void {
    const { member, channel, recovered } = answer;
    this.#knows(answer);
    const again = membership.joined;
    membership.member = member;
    membership.joined = true;
    if (!again || recovered === true) return;
    this.#options.onGap?.({ channel, reason: recovered === undefined ? "not_resumed" : "not_stored" });
  }

  #left(member: number, reason: string): void {
    const index = this.#memberships.findIndex((one) => one.member === member);
    if (index < 0) return;
    this.#memberships.splice(index, 1);
    this.#options.onEnd?.(reason);
    if (this.#memberships.length === 0) this.session.close(closedError("the subscription"));
  }

  /** Grants what was taken, once that is half of the window: one grant at a time, so that it is known what is lost in a break. */
  #grant(): void {
    if (!this.session.isOpen || this.#granting !== undefined) return;
    const { events: windowEvents = WINDOW_EVENTS, bytes: windowBytes = WINDOW_BYTES } = this.#options.window ?? {};
    const events = windowEvents - this.#openEvents - (this.waiting.length - this.first);
    const bytes = windowBytes - this.#openBytes - this.#waitingBytes;
    if (events * 2 < windowEvents && bytes * 2 < windowBytes) return;
    const grant = { ref: this.session.nextRef(), events: Math.max(0, events), bytes: Math.max(0, bytes) };
    this.#granting = grant;
    this.#openEvents += grant.events;
    this.#openBytes += grant.bytes;
    this.session.say("credit", { events: grant.events, bytes: grant.bytes }, grant.ref);
  }
}

/** Cancels a key. @throws {SluiceError} `invalid_value`, and as hosts refuse a cancel. */
export async function askCancel(
  session: Session,
  channel: string,
  key: string,
  at: string | undefined,
): Promise<Cancelled> {
  const atUs = at === undefined ? undefined : microsFromMoment(at);
  if (at !== undefined && atUs === undefined)
    throw new SluiceError("invalid_value", `Cannot read the moment ${JSON.stringify(at.slice(0, 64))}`, {
      value: "at",
    });
  const frame = { channel, key, ...(atUs === undefined ? {} : { at: atUs }) };
  const { receipt } = await session.ask("cancel", () => frame);
  return { withdrawn: receipt?.withdrawn ?? 0, forwarded: receipt?.forwarded ?? 0 };
}
