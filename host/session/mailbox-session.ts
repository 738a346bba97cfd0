/**
 * A session without a socket whose deliveries wait in the core until somebody polls: the inbox of an HTTP client.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  OUT_SLOT_BYTES,
  REASON_DECIDE,
  REASON_PROBLEM,
  RESULT_DELIVERIES,
  RESULT_LIMIT,
  RESULT_REASON,
  RESULT_STATUS,
  RESULT_VALUE,
  STAGE_OFFSET,
  STATUS_OK,
} from "../../core-wasm/abi.ts";
import { placeTypes, SCRATCH_AT } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { firstNumber } from "../core/views.ts";
import type { SluiceError } from "../errors.ts";
import { type Ack, ClientFrameSchema, type HostFrame } from "../gen/sluice/v1/frame_pb.ts";
import type { ConnectionAdapter } from "./connection.ts";
import type { Engine } from "./engine.ts";
import { type RawDelivery, readFrames } from "./local-frames.ts";
import type { Picked } from "./mailbox-view.ts";
import { Session } from "./session.ts";
import { CLOSED } from "./state.ts";
import { addWhere } from "./where.ts";

/** Nothing is written: who polls, takes. */
const nowhere: ConnectionAdapter = Object.freeze({
  write: () => true,
  pendingBytes: () => 0,
  end: () => {},
  destroy: () => {},
});

/** Deliveries that have left the inbox. */
export interface Drained {
  /** In order; their bytes are the taker's. */
  readonly deliveries: readonly RawDelivery[];
  /** Number of the first one in this session. */
  readonly firstNumber: number;
}

/** What a mailbox session tells whoever owns it. */
export interface MailboxListener {
  /** Of the mailbox. */
  readonly id: string;
  /** There may be something to take. Called once per turn of the loop. */
  ready(): void;
  /** The host or the core says something that is no delivery: drops, or the end of a membership. */
  hear(frame: HostFrame): void;
}

/** See the head of this file. */
export class MailboxSession extends Session {
  readonly #listener: MailboxListener;

  /** @throws {SluiceError} `limit_reached` where the core has no room for another. */
  constructor(engine: Engine, number: number, listener: MailboxListener) {
    super(engine, "local", nowhere, number);
    this.#listener = listener;
  }

  override answer(frame: HostFrame): void {
    this.#listener.hear(frame);
  }

  override problem(_error: SluiceError): void {
    this.engine.counters.problems++;
  }

  /** The flusher's turn: nothing leaves by itself. */
  take(): boolean {
    this.#listener.ready();
    return false;
  }

  /**
   * Takes what may leave now: at most `eventsMax` deliveries, and none behind that with which they have `bytesMax` bytes.
   *
   * @throws {SluiceError} `disconnect` where the inbox overflowed and that is its policy.
   */
  drain(eventsMax: number, bytesMax: number): Drained {
    const { engine } = this;
    const { exports, views } = engine.core;
    const deliveries: RawDelivery[] = [];
    let first = 0;
    let bytes = 0;
    let decide = false;
    this.gather?.before();
    while (deliveries.length < eventsMax && bytes < bytesMax) {
      // The core counts bytes, not events: where not all may leave they come one by one, as does a frame larger than 1 byte.
      const all = exports.inboxEvents(this.id) <= eventsMax - deliveries.length;
      const most = all ? Math.min(OUT_SLOT_BYTES, bytesMax - bytes) : 1;
      const length = exports.drain(this.id, SCRATCH_AT, most, engine.clocks.service.now());
      const status = views.result[RESULT_STATUS] as number;
      decide ||= views.result[RESULT_REASON] === REASON_DECIDE;
      if (length === 0 && status !== STATUS_OK) throw errorFromStatus(status, 0, 0);
      if (length === 0) break;
      if (first === 0 && views.result[RESULT_DELIVERIES] !== 0) first = firstNumber(views);
      bytes += length;
      if (engine.tracing.active !== 0)
        engine.tracing.drained(this, this.#listener.id, views.bytes.subarray(SCRATCH_AT, SCRATCH_AT + length));
      readFrames(
        views.bytes.slice(SCRATCH_AT, SCRATCH_AT + length),
        (delivery) => deliveries.push(delivery),
        (frame) => this.#listener.hear(frame),
      );
    }
    this.#drained(decide);
    return { deliveries, firstNumber: first };
  }

  /**
   * Takes what is asked for, in the order of the inbox: at most `eventsMax` deliveries and about `bytesMax` bytes. The rest stays as it is.
   *
   * @throws {SluiceError} `disconnect` as of drain(); `store_full`, `limit_reached` where the core has no room for what is asked.
   */
  pick({ types, where }: Picked, eventsMax: number, bytesMax: number): Drained {
    const { core, clocks } = this.engine;
    const { exports, views } = core;
    const deliveries: RawDelivery[] = [];
    const read = (length: number): void =>
      readFrames(
        views.bytes.slice(SCRATCH_AT, SCRATCH_AT + length),
        (delivery) => deliveries.push(delivery),
        (frame) => this.#listener.hear(frame),
      );
    const now = clocks.service.now();
    // What the core has to say comes first, and by itself.
    exports.inboxGather(this.id, 1);
    const said = exports.drain(this.id, SCRATCH_AT, OUT_SLOT_BYTES, now);
    const status = views.result[RESULT_STATUS] as number;
    exports.inboxGather(this.id, 0);
    if (said > 0) read(said);
    else if (status !== STATUS_OK) throw errorFromStatus(status, 0, 0);
    const expression = addWhere(core, where);
    const typesAt = placeTypes(core, types);
    const most = Math.min(OUT_SLOT_BYTES, bytesMax);
    const length = exports.inboxPick(this.id, typesAt, types.length, expression, eventsMax, SCRATCH_AT, most, now);
    const picked = views.result[RESULT_STATUS] as number;
    const first = firstNumber(views);
    const decide = views.result[RESULT_REASON] === REASON_DECIDE;
    if (expression !== 0) exports.expressionRelease(expression);
    if (length === 0 && picked !== STATUS_OK) throw errorFromStatus(picked, 0, 0);
    read(length);
    this.#drained(decide);
    return { deliveries, firstNumber: first };
  }

  /** Something may have left. */
  #drained(decide: boolean): void {
    const { engine } = this;
    this.redelivery?.delivered();
    if (engine.tracing.active !== 0) engine.tracing.written(this);
    // Room in a blocking inbox lets go of events, which may have to be decided, and which others are to get.
    if (decide) engine.decide(engine.clocks.service.now());
    engine.flusher.schedule();
  }

  /** Acknowledges deliveries. @throws {SluiceError} `ack_unknown`, `control_full`: the frame is the core's to judge. */
  acknowledge(ack: Ack): void {
    const { engine } = this;
    const { core } = engine;
    const frame = toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind: { case: "ack", value: ack } }));
    core.views.bytes.set(frame, STAGE_OFFSET);
    core.exports.ingestFrame(this.id, STAGE_OFFSET, frame.length, engine.clocks.service.now());
    const { result } = core.views;
    const reason = result[RESULT_REASON];
    // Room in a blocking inbox lets go of events, which may have to be decided.
    if (reason === REASON_DECIDE) engine.decide(engine.clocks.service.now());
    engine.flusher.schedule();
    if (reason !== REASON_PROBLEM) return;
    throw errorFromStatus(
      result[RESULT_STATUS] as number,
      result[RESULT_VALUE] as number,
      result[RESULT_LIMIT] as number,
    );
  }

  /** Ends it; what waits is discarded and counted. */
  stop(): void {
    if (this.state !== CLOSED) this.guard(() => this.release());
  }

  override abandon(): void {
    this.state = CLOSED;
    this.redelivery?.stop();
    this.gather?.stop();
    this.engine.forget(this);
  }
}
