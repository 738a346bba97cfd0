/**
 * What core and host agree on about filter modules: batches of events, the records in them, the table of sinks, and the words
 * that come back. Byte by byte this is `sluice-filter/1`, which modules see.
 *
 * Like `core-wasm/abi.ts` this file compiles both as AssemblyScript and as TypeScript and imports nothing; the regions
 * stand there.
 */

// --- Head of the batch that decideNext() presents (word index) ---

export const BATCH_EVENTS: u32 = 0;
/** Channel number. */
export const BATCH_CHANNEL: u32 = 1;
/** STAGE_…. */
export const BATCH_STAGE: u32 = 2;
/** Handle of deciderAdd(). */
export const BATCH_DECIDER: u32 = 3;
/** 1: a source carries it for its own events, 0: it is the channel's. */
export const BATCH_OWN: u32 = 4;
export const BATCH_RECORDS_AT: u32 = 5;
export const BATCH_RECORDS_BYTES: u32 = 6;
/** Rows of the table of sinks, those that are gone included: slots are smaller. */
export const BATCH_SINKS: u32 = 7;
/** Where the table lies, and its bytes: TABLE_HEAD_BYTES, then the rows. */
export const BATCH_TABLE_AT: u32 = 8;
export const BATCH_TABLE_BYTES: u32 = 9;
/** Slots whose rows have changed since that decider's last batch, u32 each, in no order; all of them in its first. */
export const BATCH_CHANGED_AT: u32 = 10;
export const BATCH_CHANGED: u32 = 11;

// --- Record of an event, as modules read it (byte offsets). Sizes are multiples of 8 ---

/** u32 bytes of the record. */
export const RECORD_SIZE: u32 = 0;
/** u16 RECORD_… flags. */
export const RECORD_FLAGS: u32 = 4;
export const RECORD_PRIORITY: u32 = 6;
/** u8 number of attributes. */
export const RECORD_ATTRIBUTES: u32 = 7;
/** u64, never 0: of the id, or of the event where it has none. Another one in another run of the host. */
export const RECORD_ID_HASH: u32 = 8;
/** f64 ms since 1970; a deadline of Infinity is none. */
export const RECORD_TIME: u32 = 16;
export const RECORD_DEADLINE: u32 = 24;
/** u32 numbers of the texts, where the module has interned them, else 0. */
export const RECORD_CHANNEL: u32 = 32;
export const RECORD_SOURCE: u32 = 36;
export const RECORD_TYPE: u32 = 40;
/** u32 bytes of the data, however much of it is here. */
export const RECORD_PAYLOAD_TOTAL: u32 = 44;
/** u32 offset in the record, u32 bytes each. */
export const RECORD_ID_TEXT: u32 = 48;
export const RECORD_TYPE_TEXT: u32 = 56;
export const RECORD_SOURCE_TEXT: u32 = 64;
export const RECORD_PAYLOAD: u32 = 72;
/** u32 offset of the bitmap of candidates by slot, 0: every sink is one. u32 how many. */
export const RECORD_CANDIDATES_AT: u32 = 80;
export const RECORD_CANDIDATES: u32 = 84;
/** 16 bytes for each attribute: u8 tag, 3 × 0, u32 bytes of a text, then u64, i64, f64, or u32 offset and u32 number. */
export const RECORD_HEAD_BYTES: u32 = 88;
export const RECORD_ATTRIBUTE_BYTES: u32 = 16;
export const RECORD_BYTES_MAX: u32 = 65536;

/** Flags of a record: data, or a text, is longer than what is here. */
export const RECORD_PAYLOAD_CUT: u32 = 1;
export const RECORD_TEXT_CUT: u32 = 4;

/** Tags of attributes. */
export const TAG_MISSING: u32 = 0;
export const TAG_BOOLEAN: u32 = 1;
export const TAG_INTEGER: u32 = 2;
export const TAG_NUMBER: u32 = 3;
export const TAG_TEXT: u32 = 4;
/** f64 ms since 1970. */
export const TAG_TIME: u32 = 6;

// --- Table of sinks: u32 rows, u32 bytes of a row, u32 generation, u32 columns; then the rows ---

export const TABLE_HEAD_BYTES: u32 = 16;
/** A row: u32 member number, u32 SINK_… flags, f64 ms of its last update, f64 for each column. */
export const TABLE_ROW_BYTES: u32 = 16;
export const SINK_UP: u32 = 1;
export const SINK_LOCAL: u32 = 2;
/** Sinks of a channel with a decider. */
export const DECIDER_SINKS_MAX: u32 = 4096;

// --- Deciders: what deciderAdd() takes is u32 attributes, u32 columns, u32 bytes of payload, u32 0; then for each attribute and
//     each column u16 FIELD_… (0: an attribute), u16 bytes, name ---

export const DECIDER_HEAD_BYTES: u32 = 16;
export const DECIDER_ATTRIBUTES_MAX: u32 = 64;
export const DECIDER_COLUMNS_MAX: u32 = 32;
/** Texts that a module has numbers for, and the bytes of one. */
export const INTERNED_MAX: u32 = 1024;
export const INTERNED_BYTES_MAX: u32 = 256;
/** Deciders of one channel and of sources on it together. */
export const DECIDERS_MAX: u32 = 64;

/** Counters of a decider: events that it was asked about, sinks before and behind it, events that it left nobody for. */
export const DECIDER_EVENTS: u32 = 0;
export const DECIDER_SINKS_IN: u32 = 1;
export const DECIDER_SINKS_OUT: u32 = 2;
export const DECIDER_DROPPED: u32 = 3;
export const DECIDER_COUNTERS: u32 = 4;

// --- Decision words: low 2 bits kind, high 30 bits word index into the variable area ---

/** To nobody, own sinks of the submitter included. */
export const DECISION_DROP: u32 = 0;
export const DECISION_ALL: u32 = 1;
/** Bitmap by slot, ⌈rows/32⌉ words. */
export const DECISION_BITMAP: u32 = 2;
/** Count, then slots. */
export const DECISION_LIST: u32 = 3;
/** The host's own word, no module's: to the channel where events go that nobody is selected for. */
export const DECISION_DIVERT: u32 = 4;
/** Not decided yet: the event comes again. */
export const DECISION_NONE: u32 = 0xffffffff;

// --- Deciders in explain() ---

/** In EXPLAIN_ROUTE: a decider had the last word, no route. */
export const EXPLAIN_BY_DECIDER: u32 = 0xffff;
/** As EXPLAINED_… in core-wasm/abi.ts: the decider failed, and what is done then leaves it out; it could not be asked. */
export const EXPLAINED_DECIDER_FAILED: u32 = 14;
export const EXPLAINED_DECIDER_UNASKED: u32 = 15;
/** What explainAnswer() is given: the decider's own words, what is done because it failed, or that nobody could ask it. */
export const ANSWER_ITS_OWN: u32 = 0;
export const ANSWER_FAILED: u32 = 1;
export const ANSWER_UNASKED: u32 = 2;
