/**
 * What core and host agree on: sizes, codes and the places of fields in shared memory.
 *
 * This file compiles both as AssemblyScript and as TypeScript, so each number stands once. It imports nothing.
 * The functions behind it are described in `host/core/exports.ts`. All integers in memory are little-endian.
 */

/** Refused by the host when the binary says another number. Raise it with any change here or in an export. */
export const ABI_VERSION: u32 = 8;

// --- Fixed regions. Everything beyond REGIONS_END is the page pool. ---
/** Static data of the compiler lies below; checked by coreInit(). */
export const REGION_BASE: u32 = 65536;

/** Results of the last call, u32 words, see RESULT_… below. */
export const RESULT_OFFSET: u32 = REGION_BASE;
export const RESULT_BYTES: u32 = 256;

/** One connection id per word, filled by dirtyTake(). */
export const DIRTY_OFFSET: u32 = RESULT_OFFSET + RESULT_BYTES;
export const DIRTY_COUNT_MAX: u32 = 1024;
export const DIRTY_BYTES: u32 = DIRTY_COUNT_MAX * 4;

/** One record per event of a publish that asked for a receipt, see RECEIPT_… below. */
export const RECEIPTS_OFFSET: u32 = DIRTY_OFFSET + DIRTY_BYTES;
export const PUBLISH_EVENTS_MAX: u32 = 4096;
export const RECEIPT_RECORD_BYTES: u32 = 40;
export const RECEIPTS_BYTES: u32 = PUBLISH_EVENTS_MAX * RECEIPT_RECORD_BYTES;

/** The decision batch: its head (BATCH_…), the records of its events (RECORD_…), then the answer (DECISION_…), see below. */
export const DECIDE_EVENTS_MAX: u32 = 256;
export const DECIDE_OFFSET: u32 = RECEIPTS_OFFSET + RECEIPTS_BYTES;
export const DECIDE_HEAD_BYTES: u32 = 64;
/** The records lie one behind the other, so that they are copied at once. */
export const DECIDE_RECORDS_OFFSET: u32 = DECIDE_OFFSET + DECIDE_HEAD_BYTES;
export const DECIDE_RECORDS_BYTES: u32 = 262144;
/** The decider's words: one per event, then the variable area (kinds in DECISION_…). */
export const DECIDE_WORDS_OFFSET: u32 = DECIDE_RECORDS_OFFSET + DECIDE_RECORDS_BYTES;
export const DECIDE_WORDS_MAX: u32 = 131072;
export const DECIDE_WORDS_BYTES: u32 = DECIDE_WORDS_MAX * 4;

/** Where sockets read into, one for all connections: reads are synchronous. */
export const LANDING_OFFSET: u32 = DECIDE_WORDS_OFFSET + DECIDE_WORDS_BYTES;
export const LANDING_BYTES: u32 = 131072;

/** Largest frame, without its size prefix. */
export const FRAME_BYTES_MAX: u32 = 1114112;
/** Largest event in the bytes in which it is stored, what the host appends included. */
export const EVENT_BYTES_MAX: u32 = 1048576;

/** Where the host puts frames that it made itself (JSON, HTTP, embedded), and arguments of calls. */
export const STAGE_OFFSET: u32 = LANDING_OFFSET + LANDING_BYTES;
export const STAGE_BYTES: u32 = FRAME_BYTES_MAX + 1024;

/** What drain() writes; a slot that a socket still holds is left alone by the host. */
export const OUT_SLOT_BYTES: u32 = 1179648;
export const OUT_SLOTS: u32 = 16;
export const OUT_OFFSET: u32 = STAGE_OFFSET + STAGE_BYTES;
export const OUT_BYTES: u32 = OUT_SLOT_BYTES * OUT_SLOTS;

/** First byte of the page pool, on a page boundary. */
export const PAGE_BYTES: u32 = 65536;
export const REGIONS_END: u32 = ((OUT_OFFSET + OUT_BYTES + PAGE_BYTES - 1) / PAGE_BYTES) * PAGE_BYTES;

// --- Limits that the core itself needs ---
export const SLAB_BYTES: u32 = 262144;
export const CONNECTIONS_MAX: u32 = 1048576;
export const CHANNELS_MAX: u32 = 1048576;
export const MEMBERS_MAX: u32 = 4194304;
export const ATTRIBUTES_MAX: u32 = 64;
export const ATTRIBUTE_NAME_BYTES_MAX: u32 = 64;
export const MEMBER_ATTRIBUTES_BYTES_MAX: u32 = 16384;
export const TYPES_MAX: u32 = 64;
export const TYPE_BYTES_MAX: u32 = 256;
export const KEY_BYTES_MAX: u32 = 1024;
/** Deliveries with a key that are remembered for cancels: so many of channels on which cancels are used, and again of others. */
export const STARTED_RECORDS: u32 = 32768;
/** Credit of a source, which is the room of its outbox. */
export const SOURCE_CREDIT_EVENTS: u32 = 8192;
export const SOURCE_CREDIT_BYTES: u32 = 4194304;
/** What may wait for one connection besides its inbox: answers of the host. */
export const CONTROL_BYTES_MAX: u32 = 4194304;

// --- Connection kinds ---
/** Size-delimited binary frames both ways. */
export const CONNECTION_STREAM: u32 = 0;
/** WebSocket framing around size-delimited binary frames. */
export const CONNECTION_WEBSOCKET: u32 = 1;
/** WebSocket framing around JSON text inwards; drain() gives plain size-delimited frames, the host renders them. */
export const CONNECTION_WEBSOCKET_JSON: u32 = 2;
/** No socket: HTTP, embedded use. Frames both ways as CONNECTION_STREAM. */
export const CONNECTION_LOCAL: u32 = 3;

// --- Why ingest() returned: RESULT_REASON ---
/** All input is consumed and nothing waits. */
export const REASON_DONE: u32 = 0;
/** A binary ClientFrame for the host lies at RESULT_AT/RESULT_BYTES. */
export const REASON_CONTROL: u32 = 1;
/** A complete JSON text message lies at RESULT_AT/RESULT_BYTES. */
export const REASON_TEXT: u32 = 2;
/** A publish names a channel of which this connection is no source yet. The frame lies at RESULT_AT/RESULT_BYTES
 *  (without size prefix); the host makes the source and calls ingestFrame() with it, or answers a problem. */
export const REASON_SOURCE: u32 = 3;
/** A publish with `ref` is done: RESULT_COUNT records in RECEIPTS. */
export const REASON_RECEIPT: u32 = 4;
/** One event or frame was refused with RESULT_STATUS, RESULT_VALUE, RESULT_LIMIT; the connection lives. */
export const REASON_PROBLEM: u32 = 5;
/** RESULT_COUNT events wait for decideNext() and decide(). */
export const REASON_DECIDE: u32 = 6;
/** The peer broke the protocol: RESULT_STATUS says how. The host tells it and closes. Further input is ignored. */
export const REASON_CLOSE: u32 = 7;
/** The peer sent a WebSocket close frame with code RESULT_VALUE (1005: none); the echo waits in drain(). */
export const REASON_CLOSED: u32 = 8;
/** An update, credit or ack with `ref` was carried out. */
export const REASON_ANSWER: u32 = 9;
/** A cancel with `ref` was carried out: RESULT_COUNT deliveries were withdrawn, RESULT_INDEX sinks are told. */
export const REASON_CANCELLED: u32 = 10;

// --- Words of RESULT (index into u32 words) ---
export const RESULT_REASON: u32 = 0;
export const RESULT_AT: u32 = 1;
export const RESULT_BYTES_AT: u32 = 2;
/** 1 where the frame had a `ref`, which then is RESULT_REF. */
export const RESULT_HAS_REF: u32 = 3;
export const RESULT_REF: u32 = 4;
export const RESULT_STATUS: u32 = 5;
export const RESULT_VALUE: u32 = 6;
export const RESULT_LIMIT: u32 = 7;
export const RESULT_COUNT: u32 = 8;
export const RESULT_CHANNEL: u32 = 9;
/** Index of the refused event in its publish. */
export const RESULT_INDEX: u32 = 10;
/** Deliveries in the last drain(), and the number of the first (low and high word). */
export const RESULT_DELIVERIES: u32 = 11;
export const RESULT_NUMBER_LOW: u32 = 12;
export const RESULT_NUMBER_HIGH: u32 = 13;
/** What expressionTest() found: ERROR_… bits, TYPE_… of the value; its payload is in RESULT_NUMBER_…, a text at RESULT_AT. */
export const RESULT_ERRORS: u32 = 14;
export const RESULT_TYPE: u32 = 15;

// --- Record of RECEIPTS (word index) ---
export const RECEIPT_STATUS: u32 = 0;
export const RECEIPT_SINKS: u32 = 1;
export const RECEIPT_SEQUENCE_LOW: u32 = 2;
export const RECEIPT_SEQUENCE_HIGH: u32 = 3;
export const RECEIPT_VALUE: u32 = 4;
export const RECEIPT_LIMIT: u32 = 5;
export const RECEIPT_REFUSED: u32 = 6;
/** Channel number. */
export const RECEIPT_CHANNEL: u32 = 7;
/** Where the id that the publisher gave lies (UTF-8), and its size; 0 bytes: it gave none. Valid until the next call. */
export const RECEIPT_ID_AT: u32 = 8;
export const RECEIPT_ID_BYTES: u32 = 9;

// --- Status codes: what calls return, and RESULT_STATUS ---
export const STATUS_OK: u32 = 0;
/** Not a sequence of well-formed protobuf fields. VALUE: offset in the frame. */
export const STATUS_MALFORMED: u32 = 1;
/** LIMIT: FRAME_BYTES_MAX. */
export const STATUS_FRAME_TOO_LARGE: u32 = 2;
export const STATUS_EVENT_TOO_LARGE: u32 = 3;
/** A string field is not UTF-8. VALUE: field number. */
export const STATUS_NOT_UTF8: u32 = 4;
/** The event has no `type`. */
export const STATUS_TYPE_MISSING: u32 = 5;
/** The channel does not take this type. */
export const STATUS_TYPE_REFUSED: u32 = 6;
export const STATUS_PRIORITY: u32 = 7;
export const STATUS_ATTRIBUTE_NAME: u32 = 8;
export const STATUS_ATTRIBUTES_MANY: u32 = 9;
export const STATUS_KEY_TOO_LONG: u32 = 10;
export const STATUS_TYPE_TOO_LONG: u32 = 11;
/** The outbox is full: more was published than credit was granted. LIMIT: credit left. */
export const STATUS_NO_CREDIT: u32 = 12;
/** Every selected inbox refused it. LIMIT: the inbox's capacity in events. */
export const STATUS_MAILBOX_FULL: u32 = 13;
/** No slab can be freed, or a table is full. */
export const STATUS_STORE_FULL: u32 = 14;
/** No such member, or not this connection's. VALUE: the number. */
export const STATUS_MEMBER_UNKNOWN: u32 = 15;
/** No such channel number. VALUE: the number. */
export const STATUS_CHANNEL_UNKNOWN: u32 = 16;
/** The channel is `single` and has a source. */
export const STATUS_SOURCE_TAKEN: u32 = 17;
/** An acknowledged number was never delivered. VALUE: the number. */
export const STATUS_ACK_UNKNOWN: u32 = 18;
/** WebSocket: reserved bits, unknown opcode, unmasked or fragmented control frame, wrong continuation. */
export const STATUS_WEBSOCKET: u32 = 19;
/** A text message on a binary session or the reverse. */
export const STATUS_WEBSOCKET_KIND: u32 = 20;
/** A message ended within a frame. */
export const STATUS_WEBSOCKET_SPLIT: u32 = 21;
/** Two kinds in one frame, none, or a field given with the wrong wire type. */
export const STATUS_FRAME_KIND: u32 = 22;
/** A word is wrong or missing: RESULT_INDEX is its event's, VALUE the word. That event and all behind it wait. */
export const STATUS_DECISION: u32 = 23;
/** coreInit(): memory too small. LIMIT: bytes needed. */
export const STATUS_MEMORY: u32 = 24;
/** Too many of something. LIMIT says how many. */
export const STATUS_LIMIT: u32 = 25;
/** A moment or duration out of range. VALUE: field number. */
export const STATUS_TIME: u32 = 26;
export const STATUS_ATTRIBUTES_TOO_LARGE: u32 = 27;
/** A text message that is not UTF-8. */
export const STATUS_WEBSOCKET_UTF8: u32 = 28;
/** A peer that does not read what the host answers. LIMIT: CONTROL_BYTES_MAX. */
export const STATUS_CONTROL_FULL: u32 = 29;
/** The inbox overflowed and its policy is `disconnect`. */
export const STATUS_DISCONNECT: u32 = 30;
/** A program that is none: it does not pass the verifier. VALUE: what is wrong, see expression/verify.ts. */
export const STATUS_EXPRESSION: u32 = 31;
/** In a receipt: the publisher has numbered this event, and it was taken before. Nothing has happened now. */
export const STATUS_PUBLISHED: u32 = 32;
/** The publisher's numbers have a gap. VALUE: the number, LIMIT: the one that comes next. */
export const STATUS_PUBLISH_NUMBER: u32 = 33;
/** What a session that comes back has not received is not kept any more. VALUE: what it has, LIMIT: the last that is lost. */
export const STATUS_RESUME_GAP: u32 = 34;
/** A cancel by a session that is no member of the channel. VALUE: the channel's number. */
export const STATUS_NOT_MEMBER: u32 = 35;
/** A cancel without a key. */
export const STATUS_KEY_MISSING: u32 = 36;
/** Another sink that got the key has cancelled it before: what that one does stands. */
export const STATUS_CANCELLED: u32 = 37;
/** More sinks than a module may see. LIMIT: DECIDER_SINKS_MAX. */
export const STATUS_DECIDER_SINKS: u32 = 38;

/** On CONNECTION_WEBSOCKET_JSON drain() may give a frame that begins with this tag (field 15, bytes): its content is a
 *  WebSocket control frame that goes out as it is. */
export const FRAME_RAW_TAG: u32 = 0x7a;

// --- Record of explain(), which lies in RECEIPTS (word index) ---
export const EXPLAIN_MEMBER: u32 = 0;
export const EXPLAIN_CONNECTION: u32 = 1;
export const EXPLAIN_VERDICT: u32 = 2;
export const EXPLAIN_REASON: u32 = 3;
/** Events and bytes that wait in its inbox before this one. */
export const EXPLAIN_EVENTS: u32 = 4;
export const EXPLAIN_BYTES: u32 = 5;
/** The last route that decided on OUT, from 1; 0: none did; EXPLAIN_BY_DECIDER. That on IN in the high half. */
export const EXPLAIN_ROUTE: u32 = 6;
/** 1: that on OUT is of the source's own filter, 0: of the channel's; 2: that on IN is. */
export const EXPLAIN_STAGE_OWN: u32 = 7;
/** Place among the sinks that qualify for that route, from 1; 0: it has none. */
export const EXPLAIN_RANK: u32 = 8;
/** How often routes have chosen the sink since its last update. */
export const EXPLAIN_SELECTIONS: u32 = 9;
/** f64 (index of its low word): the value by which it is ranked, the charge added to it, and its age in ms; NaN: none. */
export const EXPLAIN_VALUE: u32 = 10;
export const EXPLAIN_CHARGE: u32 = 12;
export const EXPLAIN_AGE: u32 = 14;
export const EXPLAIN_POSITION: u32 = 16;
export const EXPLAIN_RECORD_BYTES: u32 = 72;
export const EXPLAIN_RECORDS_MAX: u32 = RECEIPTS_BYTES / EXPLAIN_RECORD_BYTES;

export const VERDICT_DELIVERED: u32 = 1;
export const VERDICT_REJECTED: u32 = 2;
export const VERDICT_HELD: u32 = 3;
export const VERDICT_DROPPED: u32 = 4;
/** Chance has the word, or a decider that cannot be asked. */
export const VERDICT_UNKNOWN: u32 = 5;

export const EXPLAINED_NONE: u32 = 0;
/** The sink's types. */
export const EXPLAINED_TYPE: u32 = 1;
/** The sink's expression. */
export const EXPLAINED_WHERE: u32 = 2;
/** It is the submitter's own and the channel does not echo. */
export const EXPLAINED_ECHO: u32 = 3;
/** Its inbox is full, and its policy lets nothing else give way. */
export const EXPLAINED_CAPACITY: u32 = 4;
/** Its moment has passed. */
export const EXPLAINED_LATE: u32 = 5;
/** Somebody holds the inbox. */
export const EXPLAINED_HELD: u32 = 6;
/** An inbox that blocks keeps it in the outbox of its source. */
export const EXPLAINED_BLOCKED: u32 = 7;
/** A decider leaves it out; more of deciders is in filter/abi.ts. Here, too, EXPLAINED_IN more on IN. */
export const EXPLAINED_DECIDER: u32 = 8;
/** The `where` of the route that decided, on OUT. */
export const EXPLAINED_ROUTE_WHERE: u32 = 9;
/** Others rank before it, and the route's limit is reached. */
export const EXPLAINED_ROUTE_LIMIT: u32 = 10;
/** An event with that key went through already. */
export const EXPLAINED_ROUTE_UNIQUE: u32 = 11;
/** It is a response, and this sink has not asked. */
export const EXPLAINED_ROUTE_REPLY: u32 = 12;
/** Chance decides among more sinks than the route takes (choose: random, tied). */
export const EXPLAINED_ROUTE_CHANCE: u32 = 13;
/** Added to a reason of a filter on IN. */
export const EXPLAINED_IN: u32 = 16;

// --- Routes: channel filters that the core evaluates. A list of them is u32 count, u32 0, then the records. ---
/** Where a filter stands: before the links to other hosts, or before the inboxes of this one. */
export const STAGE_OUT: u32 = 0;
export const STAGE_IN: u32 = 1;

export const ROUTES_MAX: u32 = 64;
export const ROUTE_RECORD_BYTES: u32 = 96;
/** Word indexes of a record. Programs are handles of expressionAdd(), 0: none. */
export const ROUTE_FLAGS: u32 = 0;
export const ROUTE_CHOOSE: u32 = 1;
export const ROUTE_WHEN: u32 = 2;
export const ROUTE_WHERE: u32 = 3;
export const ROUTE_ORDER_BY: u32 = 4;
/** Program of the limit; where there is none ROUTE_LIMIT_NUMBER counts. */
export const ROUTE_LIMIT: u32 = 5;
export const ROUTE_PER: u32 = 6;
export const ROUTE_UNIQUE_BY: u32 = 7;
export const ROUTE_RESPONSE: u32 = 8;
export const ROUTE_LIMIT_NUMBER: u32 = 9;
export const ROUTE_UNIQUE_KEYS: u32 = 10;
export const ROUTE_REPLY_KEYS: u32 = 11;
/** f64, index of the low word. */
export const ROUTE_CHARGE: u32 = 12;
/** f64 ms; Infinity: any age will do. */
export const ROUTE_MAX_AGE_MS: u32 = 14;
export const ROUTE_UNIQUE_MS: u32 = 16;
export const ROUTE_REPLY_MS: u32 = 18;

/** Flags of a route. */
export const ROUTE_DESCENDING: u32 = 1;
export const ROUTE_HAS_UNIQUE: u32 = 2;
export const ROUTE_HAS_REPLY: u32 = 4;
export const ROUTE_NO_LIMIT: u32 = 0xffffffff;
/** Keys that `unique` or `reply` may keep. */
export const ROUTE_KEYS_MAX: u32 = 1000000;

/** How a route chooses among the sinks that qualify. */
export const CHOOSE_BEST: u32 = 0;
export const CHOOSE_RANDOM: u32 = 1;
export const CHOOSE_TIED: u32 = 2;
export const CHOOSE_HASH: u32 = 3;

/** Counters of a route: routesStatistic(). Events that it decided; sinks that it selected; events that went to nobody. */
export const ROUTE_EVENTS: u32 = 0;
export const ROUTE_SINKS: u32 = 1;
export const ROUTE_NOBODY: u32 = 2;
export const ROUTE_DUPLICATES: u32 = 3;
/** Keys that `unique` or `reply` forgot for want of room. */
export const ROUTE_EVICTED: u32 = 4;
/** Responses to what nobody is known to have asked. */
export const ROUTE_UNANSWERED: u32 = 5;
/** Keys kept now. */
export const ROUTE_KEYS: u32 = 6;

/** What becomes of an event that nobody is selected for: channelEmpty(). Its channel to divert to is that of late events, too. */
export const EMPTY_DROP: u32 = 0;
export const EMPTY_HOLD: u32 = 1;
export const EMPTY_DIVERT: u32 = 2;
/** Events of one channel that may wait for a sink. */
export const EMPTY_HELD_MAX: u32 = 1024;

/** From here on numbers of members are the host's own: they stand for all members of a pattern, and the core has none of them. */
export const MEMBER_PATTERN_MIN: u32 = 0x80000000;

// --- Member roles (bits) ---
export const ROLE_SINK: u32 = 1;
export const ROLE_SOURCE: u32 = 2;
/** Set by the core: a source whose own events go through filters that it carries. */
export const ROLE_FILTERED: u32 = 4;
/** Set by the core: attributes of its own events become its live ones. */
export const ROLE_PIGGYBACK: u32 = 8;
/** Given with ROLE_SOURCE: it is told of its events that sinks get late, or not. */
export const ROLE_MISSES: u32 = 16;

// --- Channel flags (bits) ---
/** Only one source may be there. */
export const CHANNEL_SINGLE: u32 = 1;
/** The submitting session's own sinks receive too. */
export const CHANNEL_ECHO: u32 = 2;
/** Late events are not delivered. */
export const CHANNEL_LATE_DROP: u32 = 4;
/** Those that are late and not delivered go to the channel of channelEmpty(); only with CHANNEL_LATE_DROP. */
export const CHANNEL_LATE_DIVERT: u32 = 128;
/** It keeps its last events. Set by channelStore(), whatever channelSet() is given. */
export const CHANNEL_STORES: u32 = 8;
/** A diagnostic: every sink is asked for itself, and the index of what they want is left aside. Nobody gets more or less. */
export const CHANNEL_SCANNED: u32 = 16;
/** Filters are bound, or events wait for a sink. Set by the core, whatever channelSet() is given. */
export const CHANNEL_FILTERED: u32 = 32;
/** Cancels are to be expected on it: who gets which key is remembered apart from other channels. */
export const CHANNEL_CANCELS: u32 = 64;

// --- Overflow policies of an inbox ---
export const OVERFLOW_DROP_OLDEST: u32 = 0;
export const OVERFLOW_DROP_NEWEST: u32 = 1;
export const OVERFLOW_REJECT: u32 = 2;
export const OVERFLOW_BLOCK: u32 = 3;
export const OVERFLOW_DISCONNECT: u32 = 4;
export const OVERFLOW_DROP_LOWEST: u32 = 5;
/** A newer event of a key takes the place of the one that waits; where that makes no room the oldest gives way. */
export const OVERFLOW_KEEP_LATEST: u32 = 6;

// --- Orderings of an inbox: which entry leaves first. Among equals the one that came first, but for lifo ---
export const ORDERING_FIFO: u32 = 0;
export const ORDERING_LIFO: u32 = 1;
export const ORDERING_PRIORITY: u32 = 2;
/** Earliest deadline first, then priority; no deadline last. */
export const ORDERING_DEADLINE: u32 = 3;
export const ORDERING_PRIORITY_DEADLINE: u32 = 4;
/** By `time` of the event. */
export const ORDERING_TIME: u32 = 5;
/** Dynamic window-constrained scheduling of channels that have a window. */
export const ORDERING_WINDOW: u32 = 6;

/** The longest window, and the longest time between two of its deadlines: a day. Products of two windows must fit 64 bits. */
export const WINDOW_EVENTS_MAX: u32 = 65536;
export const WINDOW_PERIOD_MS_MAX: u32 = 86400000;

// --- What became of the deadlines of a stream, which is a channel in an inbox: streamStatistic() ---
/** Delivered in time. */
export const STREAM_MET: u32 = 0;
/** Not delivered in time: delivered later, or dropped. */
export const STREAM_MISSED: u32 = 1;
/** Dropped because it was late; it is missed, too. */
export const STREAM_DROPPED: u32 = 2;
/** Windows that lost more than they may. */
export const STREAM_VIOLATIONS: u32 = 3;

// --- Why deliveries were dropped (index into a member's counters) ---
export const DROPPED_OVERFLOW: u32 = 0;
export const DROPPED_LATE: u32 = 1;
export const DROPPED_CANCELLED: u32 = 2;
/** The membership ended; nobody is told, since `left` says it. */
export const DROPPED_LEFT: u32 = 3;
/** Delivered as often as it may be, and acknowledged never. */
export const DROPPED_ATTEMPTS: u32 = 4;
/** An operator has emptied the inbox. */
export const DROPPED_DRAINED: u32 = 5;
/** A newer event of its key has taken its place. */
export const DROPPED_CONFLATED: u32 = 6;
export const DROPPED_REASONS: u32 = 7;

// --- Counters: statistic(index), f64, since coreInit() ---
export const STATISTIC_EVENTS_IN: u32 = 0;
export const STATISTIC_BYTES_IN: u32 = 1;
export const STATISTIC_DELIVERIES: u32 = 2;
export const STATISTIC_BYTES_OUT: u32 = 3;
export const STATISTIC_REFUSED: u32 = 4;
export const STATISTIC_DROPPED_OVERFLOW: u32 = 5;
export const STATISTIC_DROPPED_LATE: u32 = 6;
export const STATISTIC_DROPPED_CANCELLED: u32 = 7;
export const STATISTIC_EVACUATED_BYTES: u32 = 8;
export const STATISTIC_PAGES_USED: u32 = 9;
export const STATISTIC_PAGES: u32 = 10;
export const STATISTIC_SLABS: u32 = 11;
export const STATISTIC_CONNECTIONS: u32 = 12;
export const STATISTIC_CHANNELS: u32 = 13;
export const STATISTIC_MEMBERS: u32 = 14;
export const STATISTIC_DROPPED_LEFT: u32 = 15;
/** Events that wait for a decision now. */
export const STATISTIC_PARKED: u32 = 16;
/** Bytes that the indexes of what sinks want take now, beside their expressions. */
export const STATISTIC_INDEX_BYTES: u32 = 17;
export const STATISTIC_DROPPED_ATTEMPTS: u32 = 18;
export const STATISTIC_DROPPED_DRAINED: u32 = 19;
/** Deliveries that were made again; STATISTIC_DELIVERIES counts each once. */
export const STATISTIC_REDELIVERIES: u32 = 20;
/** Deliveries that are kept now, until they are acknowledged or for sessions that come back, and their memory. */
export const STATISTIC_KEPT: u32 = 21;
export const STATISTIC_KEPT_BYTES: u32 = 22;
/** Deliveries with a key that were forgotten although cancels are used on their channel. */
export const STATISTIC_STARTED_EVICTED: u32 = 23;
/** Cancels that withdrew or told anything, and deliveries of cancels to those who had begun. */
export const STATISTIC_CANCELS: u32 = 24;
export const STATISTIC_CANCELS_FORWARDED: u32 = 25;
export const STATISTIC_DROPPED_CONFLATED: u32 = 26;
/** Events that went to another channel: nobody was selected for them, or they were late. */
export const STATISTIC_DIVERTED: u32 = 27;
/** Deadlines that were missed, once for each event and sink. */
export const STATISTIC_MISSED: u32 = 28;
/** Inboxes that have a deadline to look at. */
export const STATISTIC_DUE: u32 = 29;
export const STATISTICS: u32 = 30;
