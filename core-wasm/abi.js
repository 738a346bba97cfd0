"use strict";
/**
 * What core and host agree on: sizes, codes and the places of fields in shared memory.
 *
 * This file compiles both as AssemblyScript and as TypeScript, so each number stands once. It imports nothing.
 * The functions behind it are described in `host/core/exports.ts`. All integers in memory are little-endian.
 */
Object.defineProperty(exports, "__esModule", { value: true });
exports.CONNECTION_LOCAL = exports.CONNECTION_WEBSOCKET_JSON = exports.CONNECTION_WEBSOCKET = exports.CONNECTION_STREAM = exports.CONTROL_BYTES_MAX = exports.SOURCE_CREDIT_BYTES = exports.SOURCE_CREDIT_EVENTS = exports.KEY_BYTES_MAX = exports.TYPE_BYTES_MAX = exports.TYPES_MAX = exports.MEMBER_ATTRIBUTES_BYTES_MAX = exports.ATTRIBUTE_NAME_BYTES_MAX = exports.ATTRIBUTES_MAX = exports.MEMBERS_MAX = exports.CHANNELS_MAX = exports.CONNECTIONS_MAX = exports.SLAB_BYTES = exports.REGIONS_END = exports.PAGE_BYTES = exports.OUT_BYTES = exports.OUT_OFFSET = exports.OUT_SLOTS = exports.OUT_SLOT_BYTES = exports.STAGE_BYTES = exports.STAGE_OFFSET = exports.EVENT_BYTES_MAX = exports.FRAME_BYTES_MAX = exports.LANDING_BYTES = exports.LANDING_OFFSET = exports.DECIDE_WORDS_BYTES = exports.DECIDE_WORDS_MAX = exports.DECIDE_WORDS_OFFSET = exports.DECIDE_CANDIDATES_BYTES = exports.DECIDE_CANDIDATES_MAX = exports.DECIDE_CANDIDATES_OFFSET = exports.DECIDE_BYTES = exports.DECIDE_OFFSET = exports.DECIDE_RECORD_BYTES = exports.DECIDE_EVENTS_MAX = exports.RECEIPTS_BYTES = exports.RECEIPT_RECORD_BYTES = exports.PUBLISH_EVENTS_MAX = exports.RECEIPTS_OFFSET = exports.DIRTY_BYTES = exports.DIRTY_COUNT_MAX = exports.DIRTY_OFFSET = exports.RESULT_BYTES = exports.RESULT_OFFSET = exports.REGION_BASE = exports.ABI_VERSION = void 0;
exports.STATUS_TYPE_REFUSED = exports.STATUS_TYPE_MISSING = exports.STATUS_NOT_UTF8 = exports.STATUS_EVENT_TOO_LARGE = exports.STATUS_FRAME_TOO_LARGE = exports.STATUS_MALFORMED = exports.STATUS_OK = exports.DECISION_LIST = exports.DECISION_BITMAP = exports.DECISION_ALL = exports.DECISION_DROP = exports.DECIDE_DECIDER = exports.DECIDE_CANDIDATES = exports.DECIDE_CANDIDATES_AT = exports.DECIDE_CONNECTION = exports.DECIDE_CHANNEL = exports.DECIDE_EVENT_BYTES = exports.DECIDE_EVENT_AT = exports.RECEIPT_CHANNEL = exports.RECEIPT_REFUSED = exports.RECEIPT_LIMIT = exports.RECEIPT_VALUE = exports.RECEIPT_SEQUENCE_HIGH = exports.RECEIPT_SEQUENCE_LOW = exports.RECEIPT_SINKS = exports.RECEIPT_STATUS = exports.RESULT_NUMBER_HIGH = exports.RESULT_NUMBER_LOW = exports.RESULT_DELIVERIES = exports.RESULT_INDEX = exports.RESULT_CHANNEL = exports.RESULT_COUNT = exports.RESULT_LIMIT = exports.RESULT_VALUE = exports.RESULT_STATUS = exports.RESULT_REF = exports.RESULT_HAS_REF = exports.RESULT_BYTES_AT = exports.RESULT_AT = exports.RESULT_REASON = exports.REASON_ANSWER = exports.REASON_CLOSED = exports.REASON_CLOSE = exports.REASON_DECIDE = exports.REASON_PROBLEM = exports.REASON_RECEIPT = exports.REASON_SOURCE = exports.REASON_TEXT = exports.REASON_CONTROL = exports.REASON_DONE = void 0;
exports.STATISTIC_PAGES = exports.STATISTIC_PAGES_USED = exports.STATISTIC_EVACUATED_BYTES = exports.STATISTIC_DROPPED_CANCELLED = exports.STATISTIC_DROPPED_LATE = exports.STATISTIC_DROPPED_OVERFLOW = exports.STATISTIC_REFUSED = exports.STATISTIC_BYTES_OUT = exports.STATISTIC_DELIVERIES = exports.STATISTIC_BYTES_IN = exports.STATISTIC_EVENTS_IN = exports.DROPPED_REASONS = exports.DROPPED_CANCELLED = exports.DROPPED_LATE = exports.DROPPED_OVERFLOW = exports.OVERFLOW_DISCONNECT = exports.OVERFLOW_BLOCK = exports.OVERFLOW_REJECT = exports.OVERFLOW_DROP_NEWEST = exports.OVERFLOW_DROP_OLDEST = exports.CHANNEL_LATE_DROP = exports.CHANNEL_ECHO = exports.CHANNEL_SINGLE = exports.ROLE_SOURCE = exports.ROLE_SINK = exports.FRAME_RAW_TAG = exports.STATUS_DISCONNECT = exports.STATUS_CONTROL_FULL = exports.STATUS_WEBSOCKET_UTF8 = exports.STATUS_ATTRIBUTES_TOO_LARGE = exports.STATUS_TIME = exports.STATUS_LIMIT = exports.STATUS_MEMORY = exports.STATUS_DECISION = exports.STATUS_FRAME_KIND = exports.STATUS_WEBSOCKET_SPLIT = exports.STATUS_WEBSOCKET_KIND = exports.STATUS_WEBSOCKET = exports.STATUS_ACK_UNKNOWN = exports.STATUS_SOURCE_TAKEN = exports.STATUS_CHANNEL_UNKNOWN = exports.STATUS_MEMBER_UNKNOWN = exports.STATUS_STORE_FULL = exports.STATUS_MAILBOX_FULL = exports.STATUS_NO_CREDIT = exports.STATUS_TYPE_TOO_LONG = exports.STATUS_KEY_TOO_LONG = exports.STATUS_ATTRIBUTES_MANY = exports.STATUS_ATTRIBUTE_NAME = exports.STATUS_PRIORITY = void 0;
exports.STATISTICS = exports.STATISTIC_PARKED = exports.STATISTIC_DROPPED_LEFT = exports.STATISTIC_MEMBERS = exports.STATISTIC_CHANNELS = exports.STATISTIC_CONNECTIONS = exports.STATISTIC_SLABS = void 0;
/** Refused by the host when the binary says another number. Raise it with any change here or in an export. */
exports.ABI_VERSION = 1;
// --- Fixed regions. Everything beyond REGIONS_END is the page pool. ---
/** Static data of the compiler lies below; checked by coreInit(). */
exports.REGION_BASE = 65536;
/** Results of the last call, u32 words, see RESULT_… below. */
exports.RESULT_OFFSET = exports.REGION_BASE;
exports.RESULT_BYTES = 256;
/** One connection id per word, filled by dirtyTake(). */
exports.DIRTY_OFFSET = exports.RESULT_OFFSET + exports.RESULT_BYTES;
exports.DIRTY_COUNT_MAX = 1024;
exports.DIRTY_BYTES = exports.DIRTY_COUNT_MAX * 4;
/** One record per event of a publish that asked for a receipt, see RECEIPT_… below. */
exports.RECEIPTS_OFFSET = exports.DIRTY_OFFSET + exports.DIRTY_BYTES;
exports.PUBLISH_EVENTS_MAX = 4096;
exports.RECEIPT_RECORD_BYTES = 32;
exports.RECEIPTS_BYTES = exports.PUBLISH_EVENTS_MAX * exports.RECEIPT_RECORD_BYTES;
/** The decision batch: records for the decider, then its answer, see DECIDE_… below. */
exports.DECIDE_EVENTS_MAX = 64;
exports.DECIDE_RECORD_BYTES = 64;
exports.DECIDE_OFFSET = exports.RECEIPTS_OFFSET + exports.RECEIPTS_BYTES;
exports.DECIDE_BYTES = exports.DECIDE_EVENTS_MAX * exports.DECIDE_RECORD_BYTES;
/** Candidate member numbers of all records, one after another. */
exports.DECIDE_CANDIDATES_OFFSET = exports.DECIDE_OFFSET + exports.DECIDE_BYTES;
exports.DECIDE_CANDIDATES_MAX = 65536;
exports.DECIDE_CANDIDATES_BYTES = exports.DECIDE_CANDIDATES_MAX * 4;
/** The decider's words: one per event, then the variable area (kinds in DECISION_…). */
exports.DECIDE_WORDS_OFFSET = exports.DECIDE_CANDIDATES_OFFSET + exports.DECIDE_CANDIDATES_BYTES;
exports.DECIDE_WORDS_MAX = 131072;
exports.DECIDE_WORDS_BYTES = exports.DECIDE_WORDS_MAX * 4;
/** Where sockets read into, one for all connections: reads are synchronous. */
exports.LANDING_OFFSET = exports.DECIDE_WORDS_OFFSET + exports.DECIDE_WORDS_BYTES;
exports.LANDING_BYTES = 131072;
/** Largest frame, without its size prefix. */
exports.FRAME_BYTES_MAX = 1114112;
/** Largest event in the bytes in which it is stored, what the host appends included. */
exports.EVENT_BYTES_MAX = 1048576;
/** Where the host puts frames that it made itself (JSON, HTTP, embedded), and arguments of calls. */
exports.STAGE_OFFSET = exports.LANDING_OFFSET + exports.LANDING_BYTES;
exports.STAGE_BYTES = exports.FRAME_BYTES_MAX + 1024;
/** What drain() writes; a slot that a socket still holds is left alone by the host. */
exports.OUT_SLOT_BYTES = 1179648;
exports.OUT_SLOTS = 16;
exports.OUT_OFFSET = exports.STAGE_OFFSET + exports.STAGE_BYTES;
exports.OUT_BYTES = exports.OUT_SLOT_BYTES * exports.OUT_SLOTS;
/** First byte of the page pool, on a page boundary. */
exports.PAGE_BYTES = 65536;
exports.REGIONS_END = ((exports.OUT_OFFSET + exports.OUT_BYTES + exports.PAGE_BYTES - 1) / exports.PAGE_BYTES) * exports.PAGE_BYTES;
// --- Limits that the core itself needs ---
exports.SLAB_BYTES = 262144;
exports.CONNECTIONS_MAX = 1048576;
exports.CHANNELS_MAX = 1048576;
exports.MEMBERS_MAX = 4194304;
exports.ATTRIBUTES_MAX = 64;
exports.ATTRIBUTE_NAME_BYTES_MAX = 64;
exports.MEMBER_ATTRIBUTES_BYTES_MAX = 16384;
exports.TYPES_MAX = 64;
exports.TYPE_BYTES_MAX = 256;
exports.KEY_BYTES_MAX = 1024;
/** Credit of a source, which is the room of its outbox. */
exports.SOURCE_CREDIT_EVENTS = 8192;
exports.SOURCE_CREDIT_BYTES = 4194304;
/** What may wait for one connection besides its inbox: answers of the host. */
exports.CONTROL_BYTES_MAX = 4194304;
// --- Connection kinds ---
/** Size-delimited binary frames both ways. */
exports.CONNECTION_STREAM = 0;
/** WebSocket framing around size-delimited binary frames. */
exports.CONNECTION_WEBSOCKET = 1;
/** WebSocket framing around JSON text inwards; drain() gives plain size-delimited frames, the host renders them. */
exports.CONNECTION_WEBSOCKET_JSON = 2;
/** No socket: HTTP, embedded use. Frames both ways as CONNECTION_STREAM. */
exports.CONNECTION_LOCAL = 3;
// --- Why ingest() returned: RESULT_REASON ---
/** All input is consumed and nothing waits. */
exports.REASON_DONE = 0;
/** A binary ClientFrame for the host lies at RESULT_AT/RESULT_BYTES. */
exports.REASON_CONTROL = 1;
/** A complete JSON text message lies at RESULT_AT/RESULT_BYTES. */
exports.REASON_TEXT = 2;
/** A publish names a channel of which this connection is no source yet. The frame lies at RESULT_AT/RESULT_BYTES
 *  (without size prefix); the host makes the source and calls ingestFrame() with it, or answers a problem. */
exports.REASON_SOURCE = 3;
/** A publish with `ref` is done: RESULT_COUNT records in RECEIPTS. */
exports.REASON_RECEIPT = 4;
/** One event or frame was refused with RESULT_STATUS, RESULT_VALUE, RESULT_LIMIT; the connection lives. */
exports.REASON_PROBLEM = 5;
/** RESULT_COUNT events wait in DECIDE for decide(). */
exports.REASON_DECIDE = 6;
/** The peer broke the protocol: RESULT_STATUS says how. The host tells it and closes. Further input is ignored. */
exports.REASON_CLOSE = 7;
/** The peer sent a WebSocket close frame with code RESULT_VALUE (1005: none); the echo waits in drain(). */
exports.REASON_CLOSED = 8;
/** An update, credit, ack or cancel with `ref` was carried out. */
exports.REASON_ANSWER = 9;
// --- Words of RESULT (index into u32 words) ---
exports.RESULT_REASON = 0;
exports.RESULT_AT = 1;
exports.RESULT_BYTES_AT = 2;
/** 1 where the frame had a `ref`, which then is RESULT_REF. */
exports.RESULT_HAS_REF = 3;
exports.RESULT_REF = 4;
exports.RESULT_STATUS = 5;
exports.RESULT_VALUE = 6;
exports.RESULT_LIMIT = 7;
exports.RESULT_COUNT = 8;
exports.RESULT_CHANNEL = 9;
/** Index of the refused event in its publish. */
exports.RESULT_INDEX = 10;
/** Deliveries in the last drain(), and the number of the first (low and high word). */
exports.RESULT_DELIVERIES = 11;
exports.RESULT_NUMBER_LOW = 12;
exports.RESULT_NUMBER_HIGH = 13;
// --- Record of RECEIPTS (word index) ---
exports.RECEIPT_STATUS = 0;
exports.RECEIPT_SINKS = 1;
exports.RECEIPT_SEQUENCE_LOW = 2;
exports.RECEIPT_SEQUENCE_HIGH = 3;
exports.RECEIPT_VALUE = 4;
exports.RECEIPT_LIMIT = 5;
exports.RECEIPT_REFUSED = 6;
/** Channel number. */
exports.RECEIPT_CHANNEL = 7;
// --- Record of DECIDE (word index) ---
exports.DECIDE_EVENT_AT = 0;
exports.DECIDE_EVENT_BYTES = 1;
exports.DECIDE_CHANNEL = 2;
exports.DECIDE_CONNECTION = 3;
/** Address of the first candidate member number, and how many. */
exports.DECIDE_CANDIDATES_AT = 4;
exports.DECIDE_CANDIDATES = 5;
exports.DECIDE_DECIDER = 6;
// --- Decision words: low 2 bits kind, high 30 bits word index into the variable area ---
exports.DECISION_DROP = 0;
exports.DECISION_ALL = 1;
/** Bitmap over the candidates, ⌈candidates/32⌉ words. */
exports.DECISION_BITMAP = 2;
/** Count, then indexes into the candidates. */
exports.DECISION_LIST = 3;
// --- Status codes: what calls return, and RESULT_STATUS ---
exports.STATUS_OK = 0;
/** Not a sequence of well-formed protobuf fields. VALUE: offset in the frame. */
exports.STATUS_MALFORMED = 1;
/** LIMIT: FRAME_BYTES_MAX. */
exports.STATUS_FRAME_TOO_LARGE = 2;
exports.STATUS_EVENT_TOO_LARGE = 3;
/** A string field is not UTF-8. VALUE: field number. */
exports.STATUS_NOT_UTF8 = 4;
/** The event has no `type`. */
exports.STATUS_TYPE_MISSING = 5;
/** The channel does not take this type. */
exports.STATUS_TYPE_REFUSED = 6;
exports.STATUS_PRIORITY = 7;
exports.STATUS_ATTRIBUTE_NAME = 8;
exports.STATUS_ATTRIBUTES_MANY = 9;
exports.STATUS_KEY_TOO_LONG = 10;
exports.STATUS_TYPE_TOO_LONG = 11;
/** The outbox is full: more was published than credit was granted. LIMIT: credit left. */
exports.STATUS_NO_CREDIT = 12;
/** Every selected inbox refused it. LIMIT: the inbox's capacity in events. */
exports.STATUS_MAILBOX_FULL = 13;
/** No slab can be freed, or a table is full. */
exports.STATUS_STORE_FULL = 14;
/** No such member, or not this connection's. VALUE: the number. */
exports.STATUS_MEMBER_UNKNOWN = 15;
/** No such channel number. VALUE: the number. */
exports.STATUS_CHANNEL_UNKNOWN = 16;
/** The channel is `single` and has a source. */
exports.STATUS_SOURCE_TAKEN = 17;
/** An acknowledged number was never delivered. VALUE: the number. */
exports.STATUS_ACK_UNKNOWN = 18;
/** WebSocket: reserved bits, unknown opcode, unmasked or fragmented control frame, wrong continuation. */
exports.STATUS_WEBSOCKET = 19;
/** A text message on a binary session or the reverse. */
exports.STATUS_WEBSOCKET_KIND = 20;
/** A message ended within a frame. */
exports.STATUS_WEBSOCKET_SPLIT = 21;
/** Two kinds in one frame, none, or a field given with the wrong wire type. */
exports.STATUS_FRAME_KIND = 22;
/** Wrong word or index of a decider; the event went to all candidates. */
exports.STATUS_DECISION = 23;
/** coreInit(): memory too small. LIMIT: bytes needed. */
exports.STATUS_MEMORY = 24;
/** Too many of something. LIMIT says how many. */
exports.STATUS_LIMIT = 25;
/** A moment or duration out of range. VALUE: field number. */
exports.STATUS_TIME = 26;
exports.STATUS_ATTRIBUTES_TOO_LARGE = 27;
/** A text message that is not UTF-8. */
exports.STATUS_WEBSOCKET_UTF8 = 28;
/** A peer that does not read what the host answers. LIMIT: CONTROL_BYTES_MAX. */
exports.STATUS_CONTROL_FULL = 29;
/** The inbox overflowed and its policy is `disconnect`. */
exports.STATUS_DISCONNECT = 30;
/** On CONNECTION_WEBSOCKET_JSON drain() may give a frame that begins with this tag (field 15, bytes): its content is a
 *  WebSocket control frame that goes out as it is. */
exports.FRAME_RAW_TAG = 0x7a;
// --- Member roles (bits) ---
exports.ROLE_SINK = 1;
exports.ROLE_SOURCE = 2;
// --- Channel flags (bits) ---
/** Only one source may be there. */
exports.CHANNEL_SINGLE = 1;
/** The submitting session's own sinks receive too. */
exports.CHANNEL_ECHO = 2;
/** Late events are dropped when they would leave the inbox. */
exports.CHANNEL_LATE_DROP = 4;
// --- Overflow policies of an inbox ---
exports.OVERFLOW_DROP_OLDEST = 0;
exports.OVERFLOW_DROP_NEWEST = 1;
exports.OVERFLOW_REJECT = 2;
exports.OVERFLOW_BLOCK = 3;
exports.OVERFLOW_DISCONNECT = 4;
// --- Why deliveries were dropped (index into a member's counters) ---
exports.DROPPED_OVERFLOW = 0;
exports.DROPPED_LATE = 1;
exports.DROPPED_CANCELLED = 2;
exports.DROPPED_REASONS = 3;
// --- Counters: statistic(index), f64, since coreInit() ---
exports.STATISTIC_EVENTS_IN = 0;
exports.STATISTIC_BYTES_IN = 1;
exports.STATISTIC_DELIVERIES = 2;
exports.STATISTIC_BYTES_OUT = 3;
exports.STATISTIC_REFUSED = 4;
exports.STATISTIC_DROPPED_OVERFLOW = 5;
exports.STATISTIC_DROPPED_LATE = 6;
exports.STATISTIC_DROPPED_CANCELLED = 7;
exports.STATISTIC_EVACUATED_BYTES = 8;
exports.STATISTIC_PAGES_USED = 9;
exports.STATISTIC_PAGES = 10;
exports.STATISTIC_SLABS = 11;
exports.STATISTIC_CONNECTIONS = 12;
exports.STATISTIC_CHANNELS = 13;
exports.STATISTIC_MEMBERS = 14;
exports.STATISTIC_DROPPED_LEFT = 15;
exports.STATISTIC_PARKED = 16;
exports.STATISTICS = 17;
