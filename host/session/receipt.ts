/**
 * Receipts: what became of each event of a publish that asked.
 */
import { create } from "@bufbuild/protobuf";
import {
  RECEIPT_CHANNEL,
  RECEIPT_ID_AT,
  RECEIPT_ID_BYTES,
  RECEIPT_LIMIT,
  RECEIPT_RECORD_BYTES,
  RECEIPT_REFUSED,
  RECEIPT_SEQUENCE_HIGH,
  RECEIPT_SEQUENCE_LOW,
  RECEIPT_SINKS,
  RECEIPT_STATUS,
  RECEIPT_VALUE,
  RECEIPTS_OFFSET,
  RESULT_COUNT,
  STATUS_OK,
  STATUS_PUBLISHED,
} from "../../core-wasm/abi.ts";
import type { Core } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { counterFromWords } from "../core/views.ts";
import type { SluiceError } from "../errors.ts";
import {
  type HostFrame,
  HostFrameSchema,
  ReceiptSchema,
  type Result,
  ResultSchema,
} from "../gen/sluice/v1/frame_pb.ts";
import { problemFrom, type Ref, refField } from "./frames.ts";
import type { Session } from "./session.ts";

/** What became of one event. */
export interface Outcome {
  readonly channelNumber: number;
  readonly sequence: number;
  /** Members selected. */
  readonly sinks: number;
  /** Hosts they are on, this one included. */
  readonly hosts: number;
  /** Selected members whose inbox refused it. */
  readonly refused: number;
  /** The id that the publisher gave, "" if none. */
  readonly givenId: string;
  /** It was taken before, as its publisher's number says. */
  readonly duplicate: boolean;
  /** Set where it was not accepted; then nothing else counts. */
  readonly problem: SluiceError | undefined;
}

/** Reads the records of RECEIPTS. */
export function outcomesFromCore(core: Core): Outcome[] {
  const { result, words } = core.views;
  const outcomes: Outcome[] = [];
  const count = result[RESULT_COUNT] as number;
  for (let index = 0; index < count; index++) {
    const record = (RECEIPTS_OFFSET + index * RECEIPT_RECORD_BYTES) / 4;
    const status = words[record + RECEIPT_STATUS] as number;
    const sinks = words[record + RECEIPT_SINKS] as number;
    outcomes.push({
      channelNumber: words[record + RECEIPT_CHANNEL] as number,
      sequence: counterFromWords(
        words[record + RECEIPT_SEQUENCE_LOW] as number,
        words[record + RECEIPT_SEQUENCE_HIGH] as number,
      ),
      sinks,
      // One host has no links yet: it is the only one that can have a selected sink.
      hosts: sinks > 0 ? 1 : 0,
      refused: words[record + RECEIPT_REFUSED] as number,
      givenId: textAt(core, words[record + RECEIPT_ID_AT] as number, words[record + RECEIPT_ID_BYTES] as number),
      duplicate: status === STATUS_PUBLISHED,
      problem:
        status === STATUS_OK || status === STATUS_PUBLISHED
          ? undefined
          : errorFromStatus(status, words[record + RECEIPT_VALUE] as number, words[record + RECEIPT_LIMIT] as number),
    });
  }
  return outcomes;
}

const utf8 = new TextDecoder();

function textAt(core: Core, at: number, bytes: number): string {
  return bytes === 0 ? "" : utf8.decode(core.views.bytes.subarray(at, at + bytes));
}

/**
 * The id of an event whose source gave none.
 *
 * It is never stored: whoever knows (host, epoch, channel, sequence) can write it down again.
 */
export function derivedId(hostId: string, epoch: number, channelNumber: number, sequence: number): string {
  return derivedIdPrefix(hostId, epoch, channelNumber) + sequence.toString(36);
}

/** What all derived ids of a channel begin with. */
export function derivedIdPrefix(hostId: string, epoch: number, channelNumber: number): string {
  return `${hostId}-${epoch.toString(36)}-${channelNumber.toString(36)}-`;
}

/** The receipt for what the core has just done. */
export function receiptFromCore(session: Session, core: Core, ref: Ref): HostFrame {
  const json = session.kind === "websocket-json";
  const { hostId } = session.engine.options;
  const results = outcomesFromCore(core).map((outcome): Result => {
    const sequenced = outcome.sequence !== 0;
    if (outcome.problem !== undefined)
      return create(ResultSchema, { problem: problemFrom(outcome.problem, undefined) });
    return create(ResultSchema, {
      // A binary publisher can derive the ids that it did not give; JSON is told each (schemas: Result.id). An event that
      // waits in its outbox has no sequence yet, and so no id but a given one.
      id:
        outcome.givenId ||
        (json && sequenced ? derivedId(hostId, core.epoch, outcome.channelNumber, outcome.sequence) : ""),
      ...(sequenced ? { sequence: BigInt(outcome.sequence) } : {}),
      epoch: BigInt(core.epoch),
      sinks: outcome.sinks,
      hosts: outcome.hosts,
      refused: outcome.refused,
      duplicate: outcome.duplicate,
    });
  });
  return create(HostFrameSchema, {
    kind: { case: "receipt", value: create(ReceiptSchema, { ...refField(ref), results }) },
  });
}

/** Says what a cancel with `ref` did: a receipt without results. */
export function cancelReceipt(ref: Ref, withdrawn: number, forwarded: number): HostFrame {
  const value = create(ReceiptSchema, { ...refField(ref), withdrawn, forwarded });
  return create(HostFrameSchema, { kind: { case: "receipt", value } });
}

/** Says that an update, credit, ack or inbox frame with `ref` was carried out: a receipt without results. */
export function emptyReceipt(ref: Ref): HostFrame {
  return create(HostFrameSchema, { kind: { case: "receipt", value: create(ReceiptSchema, refField(ref)) } });
}
