/**
 * One client: its connection in the core, its memberships, its way out.
 *
 *   OPEN ──close(error)──► CLOSING ──all written──► CLOSED
 *     └────────────────── closed(), abandon() ─────────┘
 *
 * One that has said that it may come back lingers instead, unless it is at fault (resumption.ts).
 *
 * In CLOSING only answers leave: deliveries are held in the core. What a session is told goes through the core
 * (controlPush), so that order and framing are the core's.
 */
import { toBinary } from "@bufbuild/protobuf";
import { LANDING_BYTES, LANDING_OFFSET, RESULT_LIMIT, RESULT_VALUE, STATUS_OK } from "../../core-wasm/abi.ts";
import { type Core, placeScratch, placeText } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { codes, SluiceError } from "../errors.ts";
import { type HostFrame, HostFrameSchema } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import type { Connection, ConnectionAdapter, ConnectionKind } from "./connection.ts";
import type { Engine, OutputRenderer } from "./engine.ts";
import { problemFrame, type Ref } from "./frames.ts";
import type { Gather } from "./gather.ts";
import type { InboxSettings } from "./inbox.ts";
import type { GovernedInbox } from "./inbox-apply.ts";
import { kinds } from "./kinds.ts";
import type { Memberships } from "./memberships.ts";
import type { Observing } from "./observing.ts";
import type { Port } from "./port.ts";
import { pump } from "./pump.ts";
import { receiptFromCore } from "./receipt.ts";
import type { Redelivery } from "./redelivery.ts";
import type { Linger } from "./resumption.ts";
import type { Slots } from "./slots.ts";
import {
  CLOSED,
  CLOSING,
  implicitSource,
  LINGERING,
  OPEN,
  PARTIAL_NONE,
  type PartialState,
  type SessionState,
} from "./state.ts";

/** Of a WebSocket close reason (RFC 6455 §5.5). */
const CLOSE_REASON_BYTES = 123;

/** A session. Fields that other files of this folder write are marked so; nobody else writes any. */
export class Session implements Connection {
  readonly engine: Engine;
  /** Number in the core; given to another connection after this one is closed. */
  readonly id: number;
  /** Number in this host's life, part of the implicit `source`; never given twice. */
  readonly number: number;
  /** Its carrier, another one where it came back (resumption.ts). */
  kind: ConnectionKind | "local";
  adapter: ConnectionAdapter;
  /** Of its output; undefined where frames leave as they are. */
  renderer: OutputRenderer | undefined;
  /** What its carrier holds of it, where that may break and another one come (resumption.ts). */
  port: Port | undefined = undefined;
  /** How it lingers when its carrier breaks; undefined: not at all (resumption.ts). */
  linger: Linger | undefined = undefined;
  /** It must not linger: it is at fault, or its time is over. */
  final = false;
  /** The session that goes on instead of this one, which had only its first frame (resumption.ts). */
  heir: Session | undefined = undefined;
  state: SessionState = OPEN;

  /** Memberships, made by the first join or publish: an idle session has none (memberships.ts). */
  memberships: Memberships | undefined = undefined;
  /** Whether a hello came (control.ts). */
  greeted = false;
  /** Settings of its inbox where they are not the default ones (inbox-apply.ts). */
  inbox: InboxSettings | undefined = undefined;
  /** What contracts lay over it, if any (inbox-apply.ts). */
  governed: GovernedInbox | undefined = undefined;
  /** An operator holds its deliveries back, whatever its own settings say (inbox-apply.ts). */
  paused = false;

  /** The last delivery when the peer was told that it acknowledges what was never made; -1: it was not (pump.ts). */
  ackTold = -1;

  /** Looks after deliveries that wait for an acknowledgement, once there may be any (inbox-apply.ts). */
  redelivery: Redelivery | undefined = undefined;

  /** Has deliveries wait for others, where its inbox says so (inbox-apply.ts). */
  gather: Gather | undefined = undefined;

  /** Contracts that it observes, once there were any (control.ts). */
  observing: Observing | undefined = undefined;

  /** A write is not taken yet (flush.ts). */
  writing = false;
  /** The slot it holds, with the book it is in; -1 where it holds none (flush.ts). */
  slot = -1;
  slots: Slots | undefined = undefined;
  /** Or the size of the copy that it is written from (flush.ts). */
  copyBytes = 0;
  /** There may be more to send once it is taken (flush.ts). */
  wants = false;
  /** It is in the list of those to flush next turn (flush.ts). */
  queued = false;
  /** The last write was not taken at once: a slow peer writes from copies, so that slots are left to others (flush.ts). */
  slow = false;

  /** A whole frame came since the beginning (pump.ts): until then a stream may be anything, a port scanner for example. */
  begun = false;
  /** Input came since the last look, output was written (sweep.ts). */
  heard = true;
  spoke = true;
  /** Moments on the real clock, 0 for none (sweep.ts). */
  silentSince = 0;
  stalledSince = 0;
  stalledBytes = 0;
  partialSince = 0;
  partial: PartialState = PARTIAL_NONE;
  closingSince = 0;
  pinged = false;

  /**
   * Opens the connection in the core.
   *
   * @param number Counts sessions of this host.
   * @throws {SluiceError} `limit_reached` where the core has no room for another.
   */
  constructor(engine: Engine, kind: ConnectionKind | "local", adapter: ConnectionAdapter, number: number) {
    this.engine = engine;
    this.kind = kind;
    this.adapter = adapter;
    this.renderer = kind === "local" ? undefined : engine.renderers[kind];
    this.number = number;
    const { core } = engine;
    const source = placeText(core, implicitSource("", number));
    this.id = core.exports.connectionOpen(kinds[kind].core, source.at, source.bytes);
    if (this.id === 0) {
      throw new SluiceError(
        "limit_reached",
        `Cannot open another session, this host has no room for more than ${number - 1}`,
        {
          limit: limits.connections,
        },
      );
    }
    core.exports.connectionPace(this.id, limits.paceBytes);
  }

  get landing(): Uint8Array<ArrayBuffer> {
    return this.engine.core.views.landing;
  }

  received(bytes: number): void {
    if (this.state !== OPEN) return;
    this.heard = true;
    try {
      pump(this, LANDING_OFFSET, bytes);
      if (this.engine.tracing.unacknowledged !== 0) this.engine.tracing.answered(this);
    } catch (error) {
      this.engine.fault(error, this);
    }
    // Events that a filter keeps from everybody leave nothing to send, and a turn for nothing costs as much as they do.
    if (this.state !== OPEN || this.engine.core.exports.flushDue() !== 0) this.engine.flusher.schedule();
  }

  receive(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && this.state === OPEN; at += LANDING_BYTES) {
      const part = chunk.subarray(at, at + LANDING_BYTES);
      this.landing.set(part);
      this.received(part.length);
    }
  }

  written(): void {
    this.engine.flusher.released(this);
    this.writing = false;
    if (this.engine.tracing.active !== 0) this.engine.tracing.written(this);
    if (this.state === CLOSED) return;
    if (this.wants || this.state === CLOSING) this.engine.flusher.ready(this);
  }

  ended(): void {
    if (this.state !== OPEN) return;
    // What waits goes out first: `printf … | nc` wants its receipts.
    this.guard(() => {
      this.engine.flusher.flush(this);
      this.beginClosing();
    });
  }

  closed(): void {
    if (this.state !== CLOSED) this.guard(() => this.release());
    this.engine.flusher.released(this);
  }

  /** Queues one frame for the peer, before all deliveries. A peer that leaves too many unread is dropped. */
  answer(frame: HostFrame): void {
    if (this.state === CLOSED) return;
    if (this.state === LINGERING) return this.#keepFor(frame);
    const { core } = this.engine;
    const bytes = toBinary(HostFrameSchema, frame);
    const status = core.exports.controlPush(this.id, placeScratch(core, bytes), bytes.length);
    if (status === STATUS_OK) return;
    const { result } = core.views;
    this.drop(errorFromStatus(status, result[RESULT_VALUE] as number, result[RESULT_LIMIT] as number));
  }

  /** Whom it is for is not there now. */
  #keepFor(frame: HostFrame): void {
    const unsaid = this.linger?.unsaid ?? [];
    unsaid.push(frame);
    if (unsaid.length > limits.lingeringFrames) this.engine.resumption.end(this);
  }

  /** Tells the peer that something could not be done; the session goes on. */
  problem(error: SluiceError, ref: Ref): void {
    this.engine.counters.problems++;
    this.answer(problemFrame(error, ref));
  }

  /** Tells what became of the events of a publish that asked; the records lie in the core. */
  receipt(core: Core, ref: Ref): void {
    this.answer(receiptFromCore(this, core, ref));
  }

  /** Tells the peer why, flushes that, and closes. */
  close(error: SluiceError): void {
    if (this.state !== OPEN) return;
    this.engine.log.debug("session closed by the host", {
      session: this.number,
      code: error.code,
      detail: error.message,
    });
    this.final ||= !codes[error.code].retryable;
    this.problem(error, undefined);
    this.sayGoodbye(codes[error.code].close, `${error.code}: ${error.message}`);
    this.beginClosing();
  }

  /** Ends with `last` as the last word, behind what was delivered. */
  end(last: HostFrame): void {
    if (this.state !== OPEN) return;
    this.final = true;
    this.guard(() => {
      this.engine.flusher.flush(this);
      this.answer(last);
      this.beginClosing();
    });
  }

  /** Queues the WebSocket close frame; nothing on other kinds. */
  sayGoodbye(code: number, reason: string): void {
    if (this.state === CLOSED) return;
    const { core } = this.engine;
    const text = placeText(core, reason, CLOSE_REASON_BYTES);
    core.exports.closePush(this.id, code, text.at, text.bytes);
  }

  /** From now on only what was said so far leaves; the rest happens in flush.ts. */
  beginClosing(): void {
    if (this.state !== OPEN) return;
    this.state = CLOSING;
    this.closingSince = this.engine.clocks.real.now();
    this.engine.core.exports.inboxHold(this.id, 1);
    this.engine.flusher.flush(this);
  }

  /** Everything is said and written: lets the peer go (flush.ts). */
  finish(): void {
    if (this.state === CLOSED) return;
    const { adapter } = this;
    this.release();
    adapter.end();
  }

  /** Ends at once, for peers that do not even read their goodbye. */
  drop(error: SluiceError): void {
    if (this.state === CLOSED) return;
    this.engine.log.info("session dropped", { session: this.number, code: error.code, detail: error.message });
    this.final ||= !codes[error.code].retryable;
    const { adapter } = this;
    this.release();
    adapter.destroy();
  }

  /** The core is gone: says `bytes` without it, and closes. */
  abandon(bytes: Uint8Array): void {
    if (this.state === CLOSED) return;
    this.redelivery?.stop();
    this.gather?.stop();
    this.engine.resumption.forget(this);
    this.state = CLOSED;
    this.engine.forget(this);
    this.adapter.write(bytes);
    this.adapter.end();
  }

  /** Ends without a word, because another session goes on with its carrier. */
  depart(): void {
    this.final = true;
    this.release();
  }

  /** Gives back what the core holds for it, unless it lingers. */
  protected release(): void {
    if (this.linger !== undefined && this.engine.resumption.keep(this)) return;
    this.engine.resumption.forget(this);
    this.state = CLOSED;
    this.redelivery?.stop();
    this.gather?.stop();
    this.engine.core.exports.connectionClose(this.id);
    this.engine.forget(this);
  }

  /** Runs work of this session; what it throws is dealt with. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.engine.fault(error, this);
    }
    this.engine.flusher.schedule();
  }
}
