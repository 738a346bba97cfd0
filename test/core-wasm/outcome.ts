/**
 * What ingest() had to say, decoded: one value for each return with a reason other than "done".
 *
 * Reading happens at once, since RESULT and RECEIPTS belong to the last call only.
 */
import { fromBinary } from "@bufbuild/protobuf";
import * as abi from "../../core-wasm/abi.ts";
import { type ClientFrame, ClientFrameSchema } from "../../host/gen/sluice/v1/frame_pb.ts";

/** One record of RECEIPTS. */
export interface ReceiptRecord {
  readonly status: number;
  readonly sinks: number;
  readonly sequence: bigint;
  readonly value: number;
  readonly limit: number;
  readonly refused: number;
  readonly channel: number;
  /** The id that the publisher gave; empty: none. */
  readonly id: string;
}

/** One return of ingest() or ingestFrame(). */
export type Outcome =
  | {
      readonly reason: "control";
      readonly frame: ClientFrame | undefined;
      readonly bytes: Uint8Array;
      readonly ref?: number;
    }
  | {
      readonly reason: "source";
      readonly frame: ClientFrame | undefined;
      readonly bytes: Uint8Array;
      readonly ref?: number;
    }
  | { readonly reason: "text"; readonly text: string }
  | { readonly reason: "receipt"; readonly ref?: number; readonly records: readonly ReceiptRecord[] }
  | {
      readonly reason: "problem";
      readonly ref?: number;
      readonly status: number;
      readonly value: number;
      readonly limit: number;
      readonly index: number;
    }
  | { readonly reason: "decide"; readonly waiting: number }
  | { readonly reason: "close"; readonly status: number; readonly value: number; readonly limit: number }
  | { readonly reason: "closed"; readonly code: number }
  | { readonly reason: "answer"; readonly ref?: number }
  | { readonly reason: "cancelled"; readonly ref?: number; readonly withdrawn: number; readonly forwarded: number };

/** An outcome of one reason. */
export type OutcomeOf<Reason extends Outcome["reason"]> = Extract<Outcome, { reason: Reason }>;

/** Little-endian words of the core's memory. */
export class Words {
  readonly #view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.#view = new DataView(memory.buffer);
  }

  /** Word `index` of the region at `offset`. */
  at(offset: number, index: number): number {
    return this.#view.getUint32(offset + index * 4, true);
  }

  /** Writes word `index` of the region at `offset`. */
  set(offset: number, index: number, value: number): void {
    this.#view.setUint32(offset + index * 4, value >>> 0, true);
  }
}

function readReceipts(words: Words, memory: Uint8Array): ReceiptRecord[] {
  const count = words.at(abi.RESULT_OFFSET, abi.RESULT_COUNT);
  return Array.from({ length: count }, (_, index) => {
    const at = abi.RECEIPTS_OFFSET + index * abi.RECEIPT_RECORD_BYTES;
    const idAt = words.at(at, abi.RECEIPT_ID_AT);
    const idBytes = words.at(at, abi.RECEIPT_ID_BYTES);
    return {
      status: words.at(at, abi.RECEIPT_STATUS),
      sinks: words.at(at, abi.RECEIPT_SINKS),
      sequence:
        BigInt(words.at(at, abi.RECEIPT_SEQUENCE_LOW)) | (BigInt(words.at(at, abi.RECEIPT_SEQUENCE_HIGH)) << 32n),
      value: words.at(at, abi.RECEIPT_VALUE),
      limit: words.at(at, abi.RECEIPT_LIMIT),
      refused: words.at(at, abi.RECEIPT_REFUSED),
      channel: words.at(at, abi.RECEIPT_CHANNEL),
      id: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(memory.slice(idAt, idAt + idBytes)),
    };
  });
}

/** Frames for the host are checked by the host: what the core hands up may be no message at all. */
function decode(frame: Uint8Array): ClientFrame | undefined {
  try {
    return fromBinary(ClientFrameSchema, frame);
  } catch {
    return undefined;
  }
}

/**
 * Decodes RESULT and what it points to.
 *
 * @returns The outcome; undefined for REASON_DONE.
 * @throws {RangeError} for a reason that abi.ts does not know.
 */
export function readOutcome(words: Words, memory: Uint8Array): Outcome | undefined {
  const result = (index: number): number => words.at(abi.RESULT_OFFSET, index);
  const ref = result(abi.RESULT_HAS_REF) === 1 ? { ref: result(abi.RESULT_REF) } : {};
  const at = result(abi.RESULT_AT);
  const bytes = (): Uint8Array => memory.slice(at, at + result(abi.RESULT_BYTES_AT));
  const refusal = {
    status: result(abi.RESULT_STATUS),
    value: result(abi.RESULT_VALUE),
    limit: result(abi.RESULT_LIMIT),
  };
  const reason = result(abi.RESULT_REASON);
  switch (reason) {
    case abi.REASON_DONE:
      return undefined;
    case abi.REASON_CONTROL:
    case abi.REASON_SOURCE: {
      const frame = bytes();
      const name = reason === abi.REASON_SOURCE ? "source" : "control";
      return { reason: name, bytes: frame, frame: decode(frame), ...ref };
    }
    case abi.REASON_TEXT:
      return { reason: "text", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes()) };
    case abi.REASON_RECEIPT:
      return { reason: "receipt", records: readReceipts(words, memory), ...ref };
    case abi.REASON_PROBLEM:
      return { reason: "problem", index: result(abi.RESULT_INDEX), ...refusal, ...ref };
    case abi.REASON_DECIDE:
      return { reason: "decide", waiting: result(abi.RESULT_COUNT) };
    case abi.REASON_CLOSE:
      return { reason: "close", ...refusal };
    case abi.REASON_CLOSED:
      return { reason: "closed", code: result(abi.RESULT_VALUE) };
    case abi.REASON_ANSWER:
      return { reason: "answer", ...ref };
    case abi.REASON_CANCELLED:
      return {
        reason: "cancelled",
        withdrawn: result(abi.RESULT_COUNT),
        forwarded: result(abi.RESULT_INDEX),
        ...ref,
      };
    default:
      throw new RangeError(`Unknown reason ${reason}`);
  }
}
