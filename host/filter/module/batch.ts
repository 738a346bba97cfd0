/**
 * A batch of events as modules see it: records and a sink table, byte by byte as `sluice-filter/1` has them.
 *
 * Offsets of a record are relative to its start, so any run of records, and any selection of them, is a batch too.
 */

/** Bytes of a record before its attributes. */
export const RECORD_HEAD_BYTES = 88;
/** One attribute of a record. */
export const RECORD_ATTRIBUTE_BYTES = 16;
/** Where in a record its candidates stand: u32 offset of the bitmap, 0 for every sink. */
export const RECORD_CANDIDATES_AT = 80;
/** Header of the sink table: u32 rows, stride, generation, columns. */
export const TABLE_HEAD_BYTES = 16;
/** Bytes of a row before its columns: u32 id, u32 flags, f64 updated at. */
export const ROW_HEAD_BYTES = 16;

/** Kinds of a decision word, in its low two bits; the others are an index into the variable area. */
export const KIND_DROP = 0;
/** Every candidate. */
export const KIND_ALL = 1;
/** A bitmap by sink slot. */
export const KIND_BITMAP = 2;
/** A count, then sink slots. */
export const KIND_LIST = 3;
/** What a word holds before a module writes it; as a decision it would point far outside. */
export const UNDECIDED = 0xffff_ffff;

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
  return ROW_HEAD_BYTES + 8 * columns;
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
