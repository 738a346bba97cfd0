/**
 * A batch of events as modules see it: records and a sink table, byte by byte as `sluice-filter/1` has them.
 *
 * Offsets of a record are relative to its start, so any run of records, and any selection of them, is a batch too.
 */
import { TABLE_ROW_BYTES } from "../../../core-wasm/filter/abi.ts";

export {
  DECISION_ALL as KIND_ALL,
  DECISION_BITMAP as KIND_BITMAP,
  DECISION_DIVERT,
  DECISION_DROP as KIND_DROP,
  DECISION_LIST as KIND_LIST,
  DECISION_NONE as UNDECIDED,
  RECORD_ATTRIBUTE_BYTES,
  RECORD_CANDIDATES,
  RECORD_CANDIDATES_AT,
  RECORD_HEAD_BYTES,
  TABLE_HEAD_BYTES,
  TABLE_ROW_BYTES as ROW_HEAD_BYTES,
} from "../../../core-wasm/filter/abi.ts";

/** The sink table of a channel, as one projection of attributes has it. */
export interface SinkTable {
  /** Rows, those of sinks that left included. */
  readonly sinks: number;
  /** Header and rows. */
  readonly image: Uint8Array;
  /** Slots whose rows changed since the batch before. */
  readonly changed: Uint32Array;
}

/** Events of one channel and stage that wait for one module. Its views are valid until words are given for it. */
export interface ModuleBatch {
  readonly count: number;
  /** Records, one after the other. */
  readonly records: Uint8Array;
  readonly table: SinkTable;
}

/** Bytes of a row with so many columns. */
export function rowBytes(columns: number): number {
  return TABLE_ROW_BYTES + 8 * columns;
}

/** Words of a bitmap over so many sinks. */
export function bitmapWords(sinks: number): number {
  return (sinks + 31) >>> 5;
}

/** Slots that a list always has room for; longer answers are shorter as bitmaps. */
const LIST_SLOTS = 63;

/**
 * How many words a module may answer with: a bitmap or a list of up to 63 sinks for every event, whichever is longer.
 */
export function answerWords(count: number, sinks: number): number {
  return count * (1 + Math.max(bitmapWords(sinks), Math.min(sinks, LIST_SLOTS) + 1));
}
