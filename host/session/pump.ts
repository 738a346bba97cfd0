/**
 * Feeds input to the core and does what the core asks for in between, until nothing waits.
 *
 * ingest() stops with a reason; the host deals with it and goes on with the rest, even where that is nothing. A frame made
 * by the host (from JSON, or after a source was made) enters by ingestFrame(), which leaves a reason in the same way.
 */
import {
  REASON_ANSWER,
  REASON_CANCELLED,
  REASON_CLOSE,
  REASON_CLOSED,
  REASON_CONTROL,
  REASON_DECIDE,
  REASON_DONE,
  REASON_PROBLEM,
  REASON_RECEIPT,
  REASON_SOURCE,
  REASON_TEXT,
  RESULT_AT,
  RESULT_BYTES_AT,
  RESULT_COUNT,
  RESULT_HAS_REF,
  RESULT_INDEX,
  RESULT_LIMIT,
  RESULT_REASON,
  RESULT_REF,
  RESULT_STATUS,
  RESULT_VALUE,
  STAGE_OFFSET,
  STATUS_ACK_UNKNOWN,
} from "../../core-wasm/abi.ts";
import type { Core } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError, sluiceErrorFrom } from "../errors.ts";
import { handleControl } from "./control.ts";
import { clientFrameFrom } from "./decode.ts";
import type { Ref } from "./frames.ts";
import { cancelReceipt, emptyReceipt } from "./receipt.ts";
import type { Session } from "./session.ts";
import { makeImplicitSource } from "./source.ts";
import { CLOSED, OPEN, PARTIAL_NEW, PARTIAL_NONE } from "./state.ts";

/**
 * Takes `bytes` of input that lie at `at`.
 *
 * @throws Whatever the core or the host's own code throws; the session deals with it (Engine.fault).
 */
export function pump(session: Session, at: number, bytes: number): void {
  run(session, at, bytes, false);
}

/**
 * Takes one ClientFrame that lies at STAGE.
 *
 * @param bytes Its size.
 */
export function pumpFrame(session: Session, bytes: number): void {
  run(session, STAGE_OFFSET, bytes, true);
}

function run(session: Session, at: number, bytes: number, framed: boolean): void {
  const { engine } = session;
  const { core } = engine;
  const { result } = core.views;
  const now = engine.clocks.service.now();
  let from = at;
  let rest = bytes;
  // Whether RESULT is that of an ingestFrame(), after which the input that came before it goes on.
  let entered = framed;
  if (framed) {
    core.exports.ingestFrame(session.id, at, bytes, now);
    rest = 0;
  }
  for (;;) {
    if (!entered) {
      const consumed = core.exports.ingest(session.id, from, rest, now);
      from += consumed;
      rest -= consumed;
    }
    const reason = result[RESULT_REASON] as number;
    if (reason === REASON_DONE) {
      if (!entered) return notePartial(session, core, bytes);
      entered = false;
      continue;
    }
    entered = handle(session, core, reason, now);
    // The rest is for the session that goes on instead.
    if (session.heir !== undefined) return run(session.heir, from, rest, false);
    if (session.state !== OPEN || engine.core !== core) return;
  }
}

/** Deals with one reason. Returns whether a frame was entered, so that RESULT tells of that now. */
function handle(session: Session, core: Core, reason: number, now: number): boolean {
  const { result, bytes } = core.views;
  const ref: Ref = result[RESULT_HAS_REF] === 1 ? result[RESULT_REF] : undefined;
  const at = result[RESULT_AT] as number;
  const length = result[RESULT_BYTES_AT] as number;
  switch (reason) {
    case REASON_TEXT:
      return enterText(session, core, bytes.subarray(at, at + length), now);
    case REASON_SOURCE:
      return enterSource(session, core, at, length, ref, now);
    case REASON_RECEIPT:
      session.receipt(core, ref);
      return false;
    case REASON_PROBLEM:
      if (mayAsk(session) && !toldBefore(session, core, ref)) session.problem(resultError(core), ref);
      return false;
    case REASON_CONTROL:
      if (mayAsk(session)) control(session, bytes.subarray(at, at + length), ref);
      return false;
    case REASON_ANSWER:
      session.answer(emptyReceipt(ref));
      return false;
    case REASON_CANCELLED:
      session.answer(cancelReceipt(ref, result[RESULT_COUNT] as number, result[RESULT_INDEX] as number));
      return false;
    case REASON_DECIDE:
      session.engine.decide(now);
      return false;
    case REASON_CLOSE:
      session.close(resultError(core));
      return false;
    case REASON_CLOSED:
      session.beginClosing();
      return false;
    default:
      throw new SluiceError("internal", `The core stopped for reason ${reason}, which this host does not know`);
  }
}

/**
 * Whether the host may do something for the peer of a session. What the core does alone is bounded by credit; what comes up to
 * the host is bounded by this. A session that goes too far ends: answers to a flood would cost as much as what they refuse.
 */
function mayAsk(session: Session): boolean {
  const refusal = session.adapter.ask?.();
  if (refusal === undefined) return true;
  session.close(refusal);
  return false;
}

/**
 * Whether the peer knows already that it acknowledges what was never delivered: it asks for no answer, and nothing was delivered since
 * it was told. A client that counts wrong says so with every delivery, and would get as many problems as it sends frames.
 */
function toldBefore(session: Session, { views: { result } }: Core, ref: Ref): boolean {
  if (ref !== undefined || result[RESULT_STATUS] !== STATUS_ACK_UNKNOWN) return false;
  const last = result[RESULT_LIMIT] as number;
  if (session.ackTold === last) return true;
  session.ackTold = last;
  return false;
}

function resultError(core: Core): SluiceError {
  const { result } = core.views;
  return errorFromStatus(
    result[RESULT_STATUS] as number,
    result[RESULT_VALUE] as number,
    result[RESULT_LIMIT] as number,
  );
}

function enterText(session: Session, core: Core, text: Uint8Array, now: number): boolean {
  const read = session.engine.json.read(text);
  if (!read.ok) {
    if (mayAsk(session)) session.problem(read.error, read.ref);
    return false;
  }
  core.views.bytes.set(read.frame, STAGE_OFFSET);
  core.exports.ingestFrame(session.id, STAGE_OFFSET, read.frame.length, now);
  return true;
}

function enterSource(session: Session, core: Core, at: number, length: number, ref: Ref, now: number): boolean {
  try {
    makeImplicitSource(session, core, core.views.bytes.subarray(at, at + length));
  } catch (error) {
    session.problem(sluiceErrorFrom(error), ref);
    return false;
  }
  // Making the source used the places for arguments only, so the frame still lies where it was.
  core.exports.ingestFrame(session.id, at, length, now);
  return true;
}

function control(session: Session, bytes: Uint8Array, ref: Ref): void {
  try {
    handleControl(session, clientFrameFrom(bytes));
  } catch (error) {
    // A trap is no refusal; Engine.fault() knows what to do with it.
    if (error instanceof WebAssembly.RuntimeError || session.state === CLOSED) throw error;
    const refusal = sluiceErrorFrom(error);
    if (refusal.code === "internal")
      session.engine.log.error("control frame failed", { session: session.number, error });
    session.problem(refusal, ref);
  }
}

/** Notes whether a frame has begun and is not complete; sweep.ts looks at how long. */
function notePartial(session: Session, core: Core, bytes: number): void {
  const partial = core.exports.connectionPartial(session.id);
  // What waits is less than what came now: the rest of it were whole frames, or the end of one.
  if (partial < bytes) session.begun = true;
  if (partial === 0) session.partial = PARTIAL_NONE;
  // As many bytes as came now: this frame began with them.
  else if (session.partial === PARTIAL_NONE || bytes >= partial) session.partial = PARTIAL_NEW;
}
