/**
 * One session with a host, and its way back (docs/delivery.md): it outlives the connections that carry it.
 *
 *   CONNECTING ──welcome──► OPEN ──connection gone──► WAITING ──delay──► CONNECTING …
 *        └───────────── refused for good, attempts used up, close() ─────────────► OVER
 */
import { type Backoff, delayOf, mayComeBack } from "./backoff.ts";
import type { Carrier, OpenCarrier } from "./carrier.ts";
import { closedError, type ErrorCode, errorFromProblem, isSluiceError, SluiceError } from "./errors.ts";
import { deferred } from "./wait.ts";
import { type Delivery, type MessageReader, readMessage } from "./wire/deliveries.ts";
import {
  type ClientFrames,
  type ClientKind,
  frameBytes,
  type HostFrames,
  type InboxSettings,
  type Welcome,
} from "./wire/frames.ts";

/** How sessions of a client are opened. */
export interface SessionSettings {
  /** Hosts to try, in turn. */
  readonly urls: readonly URL[];
  readonly open: OpenCarrier;
  readonly name: string;
  /** Asked before each connection, so that it may change. */
  readonly token: () => string | undefined | Promise<string | undefined>;
  readonly lingerMs: number;
  readonly backoff: Backoff;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What a session tells its owner. */
export interface SessionOwner {
  readonly inbox?: InboxSettings | undefined;
  /** The host has answered. Where `resumed` is false nothing of an earlier session is left: no members, no numbers. */
  onWelcome(welcome: Welcome): void;
  onDelivery?(delivery: Delivery, bytes: number): void;
  /** All deliveries of a message were told. */
  onMessageEnd?(): void;
  /** A frame that answers nothing. */
  onFrame?(frame: Partial<HostFrames>): void;
  /** The connection is gone; it will be tried again. */
  onBreak?(reason: SluiceError): void;
  /** It is over. */
  onEnd(reason: SluiceError): void;
}

/** Something asked that has no answer yet. */
interface Ask {
  /** Made anew for each connection: members have other numbers in another session. */
  readonly frame: (ref: number) => Uint8Array<ArrayBuffer>;
  readonly resolve: (answer: Partial<HostFrames>) => void;
  readonly reject: (reason: unknown) => void;
  /** Waits for ready(). */
  readonly late: boolean;
  /** The connection that it was sent over. */
  turn: number;
}

/** Opening and greeting may take so long. */
const HANDSHAKE_MS = 10_000;
/** Silence after which the host is asked whether it is there: browsers do not tell of its own pings. */
const SILENCE_MS = 20_000;
/** How long it may take to answer that. */
const ANSWER_MS = 15_000;
/** A connection that lasted so long was a good one: what comes next begins with the shortest delay. */
const STABLE_MS = 5_000;
/** Questions without an answer. */
const ASKS_MAX = 10_000;

/** See the head of this file. */
export class Session implements MessageReader {
  /** Number of the last delivery that came. */
  received = 0;
  /** Of the answer to hello. */
  place = { host: "", epoch: 0 };
  /** Frames of members may be sent: the owner has said ready(). */
  isReady = false;
  readonly #settings: SessionSettings;
  readonly #owner: SessionOwner;
  readonly #asks = new Map<number, Ask>();
  #carrier: Carrier | undefined;
  /** Counts connections: what an old one says is not heard. */
  #turn = 0;
  #secret = "";
  #ref = 0;
  #attempt = 0;
  #openedAt = 0;
  #heard = false;
  #welcomed = false;
  #over: SluiceError | undefined;
  /** Said by the host in its drain. */
  #retryMs = 0;
  #problem: SluiceError | undefined;
  /** The former session has members that nobody knows: it is ended before there is another. */
  #tainted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;

  constructor(settings: SessionSettings, owner: SessionOwner) {
    this.#settings = settings;
    this.#owner = owner;
    void this.#connect();
  }

  get isOpen(): boolean {
    return this.#welcomed;
  }

  /** Why it is over, if it is. */
  get over(): SluiceError | undefined {
    return this.#over;
  }

  /** Sends whole frames; where nobody is there they are lost. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#carrier?.send(bytes);
  }

  /** Says something that has no answer. */
  say<Kind extends ClientKind>(kind: Kind, part: ClientFrames[Kind], ref?: number): void {
    this.send(frameBytes(kind, part, ref));
  }

  /** A ref that nobody uses. */
  nextRef(): number {
    do this.#ref = (this.#ref % 0xffff_ffff) + 1;
    while (this.#asks.has(this.#ref));
    return this.#ref;
  }

  /**
   * Asks, and asks again after a break until there is an answer.
   *
   * @param make The question, made when it is sent.
   * @param early It is asked before the owner is ready.
   * @throws {SluiceError} the refusal; `closed`.
   */
  ask<Kind extends ClientKind>(
    kind: Kind,
    make: () => ClientFrames[Kind],
    early = false,
  ): Promise<Partial<HostFrames>> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    if (this.#asks.size >= ASKS_MAX) {
      const error = new SluiceError("limit_reached", `Cannot ask, ${ASKS_MAX} answers are awaited already`, {
        limit: ASKS_MAX,
      });
      return Promise.reject(error);
    }
    const { promise, resolve, reject } = deferred<Partial<HostFrames>>();
    const ref = this.nextRef();
    const ask: Ask = { frame: (number) => frameBytes(kind, make(), number), resolve, reject, late: !early, turn: -1 };
    this.#asks.set(ref, ask);
    this.#send(ref, ask);
    return promise;
  }

  /** Sends a question where it may be sent and was not. */
  #send(ref: number, ask: Ask): void {
    if (!this.#welcomed || (ask.late && !this.isReady) || ask.turn === this.#turn) return;
    ask.turn = this.#turn;
    this.send(ask.frame(ref));
  }

  /** The owner's members are there, as they were: what was asked meanwhile, or has had no answer, is asked. */
  ready(): void {
    this.isReady = true;
    for (const [ref, ask] of this.#asks) this.#send(ref, ask);
  }

  /** What the session has is in doubt: if the connection breaks now, it does not go on. */
  taint(tainted: boolean): void {
    this.#tainted = tainted;
  }

  /** Ends it. */
  close(reason: SluiceError = closedError("the session")): void {
    this.#finish(reason, true);
  }

  onDelivery(delivery: Delivery, bytes: number): void {
    // Those that come for the first time carry no number: both sides count.
    if (delivery.number === 0) delivery.number = this.received + 1;
    this.#owner.onDelivery?.(delivery, bytes);
    this.received = Math.max(this.received, delivery.number);
  }

  onFrame(frame: Partial<HostFrames>): void {
    const { welcome, receipt, joined, left, problem, pong, drain } = frame;
    if (welcome !== undefined) return this.#greeted(welcome);
    if (drain !== undefined) {
      this.#retryMs = drain.retryMs ?? 0;
      return;
    }
    const ref = (receipt ?? joined ?? left ?? problem ?? pong)?.ref;
    const ask = ref === undefined ? undefined : this.#asks.get(ref);
    if (ref !== undefined && ask !== undefined) {
      this.#asks.delete(ref);
      if (problem === undefined) ask.resolve(frame);
      else ask.reject(errorFromProblem(problem));
      return;
    }
    if (problem !== undefined && ref === undefined) this.#problem = errorFromProblem(problem);
    if (problem !== undefined && !this.#welcomed) return this.#fail(errorFromProblem(problem));
    this.#owner.onFrame?.(frame);
  }

  async #connect(): Promise<void> {
    const turn = ++this.#turn;
    const { urls, open } = this.#settings;
    const url = urls[this.#attempt % urls.length] as URL;
    this.#timer = setTimeout(() => this.#lost(turn, 1006, `No answer within ${HANDSHAKE_MS} ms`), HANDSHAKE_MS);
    try {
      const token = await this.#settings.token();
      if (turn !== this.#turn || this.#over !== undefined) return;
      this.#carrier = open(url, {
        onOpen: () => {
          if (turn === this.#turn) this.#greet(token);
        },
        onMessage: (bytes) => {
          if (turn === this.#turn) this.#read(bytes);
        },
        onClose: (code, reason) => this.#lost(turn, code, reason),
      });
    } catch (error) {
      this.#lost(turn, 1006, error instanceof Error ? error.message : String(error));
    }
  }

  #greet(token: string | undefined): void {
    const { name, lingerMs } = this.#settings;
    const { inbox } = this.#owner;
    const former = this.#secret === "" ? {} : { session: this.#secret, received: this.received };
    this.say("hello", {
      ...(name === "" ? {} : { client: name }),
      ...(token === undefined ? {} : { token }),
      ...(inbox === undefined ? {} : { inbox }),
      ...former,
      lingerMs: this.#tainted ? 0 : lingerMs,
    });
  }

  #read(bytes: Uint8Array): void {
    this.#heard = true;
    const turn = this.#turn;
    try {
      readMessage(bytes, this);
    } catch (error) {
      if (turn !== this.#turn) return;
      const reason = isSluiceError(error)
        ? error
        : new SluiceError("internal", "A fault in the client", { cause: error });
      return this.#finish(reason, true);
    }
    if (turn === this.#turn) this.#owner.onMessageEnd?.();
  }

  #greeted(welcome: Welcome): void {
    clearTimeout(this.#timer);
    if (this.#tainted) {
      // It has just been told to end with this connection.
      this.#tainted = false;
      this.#secret = "";
      const turn = this.#turn;
      this.#carrier?.close();
      return this.#lost(turn, 1006, "The former session is ended");
    }
    this.#openedAt = performance.now();
    this.#welcomed = true;
    this.#problem = undefined;
    this.#secret = welcome.session;
    // Deliveries that wait to be read keep what they were counted by.
    if (this.place.host !== welcome.host || this.place.epoch !== welcome.epoch)
      this.place = { host: welcome.host, epoch: welcome.epoch };
    if (welcome.resumed !== true) this.#begin();
    this.#pulse = setInterval(() => this.#beat(), SILENCE_MS);
    this.#owner.onWelcome(welcome);
    for (const [ref, ask] of this.#asks) this.#send(ref, ask);
  }

  /** Nothing is left of the session before: whoever has joined joins again. */
  #begin(): void {
    this.received = 0;
    for (const [ref, { late, reject }] of this.#asks) {
      if (late) continue;
      this.#asks.delete(ref);
      reject(new SluiceError("unanswered", "The session ended before the answer"));
    }
  }

  #beat(): void {
    if (this.#heard) {
      this.#heard = false;
      return;
    }
    this.say("ping", {});
    const turn = this.#turn;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#heard) this.#lost(turn, 1006, `No sign of life within ${SILENCE_MS + ANSWER_MS} ms`);
    }, ANSWER_MS);
  }

  /** The connection of that turn is gone. */
  #lost(turn: number, code: number, reason: string): void {
    if (turn !== this.#turn || this.#over !== undefined) return;
    this.#turn++;
    this.#carrier?.close();
    this.#rest();
    const error = this.#errorOf(code, reason);
    if (!mayComeBack(code)) return this.#finish(error, false);
    const { backoff, random } = this.#settings;
    if (this.#openedAt > 0 && performance.now() - this.#openedAt >= STABLE_MS) this.#attempt = 0;
    this.#openedAt = 0;
    if (this.#attempt >= backoff.attempts) return this.#finish(error, false);
    // A drain says when its host is to be tried again at the earliest.
    const delayMs = Math.max(delayOf(this.#attempt, backoff, random()), this.#retryMs);
    this.#retryMs = 0;
    this.#attempt++;
    this.#timer = setTimeout(() => void this.#connect(), delayMs);
    this.#owner.onBreak?.(error);
  }

  #errorOf(code: number, reason: string): SluiceError {
    // "code: what happened" is what hosts say.
    const said = /^([a-z_]+): (.+)$/.exec(reason);
    if (code >= 3000 && said !== null) return this.#problem ?? new SluiceError(said[1] as ErrorCode, said[2] as string);
    const told = reason === "" ? `close code ${code}` : `${reason}, close code ${code}`;
    const hosts = this.#settings.urls.map(({ origin, href }) => (origin === "null" ? href : origin)).join(", ");
    return new SluiceError("unreachable", `Cannot reach ${hosts}: ${told}`, { value: hosts });
  }

  /** Refused where the greeting was not answered yet. */
  #fail(reason: SluiceError): void {
    if (!reason.retryable) this.#finish(reason, true);
  }

  #rest(): void {
    this.#welcomed = this.isReady = false;
    this.#carrier = undefined;
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
  }

  #finish(reason: SluiceError, polite: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#turn++;
    if (polite) this.#carrier?.close();
    this.#rest();
    for (const { reject } of this.#asks.values()) reject(reason);
    this.#asks.clear();
    this.#owner.onEnd(reason);
  }
}
