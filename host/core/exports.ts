/**
 * The typed face of the core: what `core-wasm/index.ts` exports, no more and no less (held by test/tidy.test.ts).
 *
 * All addresses and sizes are bytes in `memory`. `now` is the service clock in milliseconds since 1970-01-01T00:00:00Z,
 * with fractions. Calls that return a status give STATUS_OK or a STATUS_… of core-wasm/abi.ts, with RESULT_VALUE and
 * RESULT_LIMIT set where that status says so. No call traps but for a bug in the core.
 */
import type { ConditionExports } from "./condition-exports.ts";

/** See the head of this file. */
export interface CoreExports extends ConditionExports {
  readonly memory: WebAssembly.Memory;

  /** ABI_VERSION of the binary. */
  abiVersion(): number;

  /**
   * Lays out the page pool up to the present end of memory; call once, after the only memory.grow().
   *
   * @param storeBytes Room of the store, rounded down to slabs of SLAB_BYTES; at least 4 of them.
   * @param epoch Incarnation of this core, below 2^53, larger than that of any former one of this host.
   * @param mailboxBytes Room for what inboxes hold beyond the store, all together; absent or more than half of what the store
   *   leaves: that half. An inbox may have four times as much of it as is left.
   * @returns STATUS_OK or STATUS_MEMORY with RESULT_LIMIT.
   */
  coreInit(storeBytes: number, epoch: number, mailboxBytes?: number): number;

  // --- Connections ---

  /**
   * Opens a connection of a CONNECTION_… kind whose implicit `source` lies at `sourceAt` (UTF-8, at most 256 bytes).
   * Its inbox starts as fifo, 65,536 events, 16 MiB, drop-oldest, no explicit credit.
   *
   * @returns Its id, from 1; 0 where the table is full.
   */
  connectionOpen(kind: number, sourceAt: number, sourceBytes: number): number;

  /**
   * Has deliveries to a WebSocket that grants no credit paced: about `bytes` may be on their way, as pings behind them and
   * their pongs tell; more or fewer where that serves the client as well. The first credit frame ends it. No-op on other kinds.
   */
  connectionPace(connection: number, bytes: number): void;

  /** Bytes of input kept because their frame or message has begun and is not complete; 0 between frames. */
  connectionPartial(connection: number): number;

  /** Replaces the implicit `source` of a connection's further events. Returns a status. */
  connectionSource(connection: number, sourceAt: number, sourceBytes: number): number;

  /** Ends its memberships, discards and counts what was queued, frees the id. */
  connectionClose(connection: number): void;

  /**
   * Sets capacity, overflow (OVERFLOW_…) and ordering (ORDERING_…, fifo where absent) of the inbox; what is beyond the new
   * capacity is overflow, what waits is put in the new order. `serviceMs`: how long its client takes for an event; NaN, 0 or
   * absent: unknown. Returns a status: STATUS_LIMIT, or STATUS_STORE_FULL where memory is used up and all is as it was.
   */
  inboxSet(
    connection: number,
    capacityEvents: number,
    capacityBytes: number,
    overflow: number,
    ordering?: number,
    serviceMs?: number,
  ): number;

  /** Sets from which share of its capacity on an inbox of OVERFLOW_BLOCK has publishers wait, and down to which. Returns a status. */
  inboxMarks(connection: number, stall: number, release: number): number;

  /** Sets what becomes of late events in the inbox, LATE_… of mailbox/abi.ts; what waits is looked at by that. Returns a status. */
  inboxLate(connection: number, late: number): number;

  /** Whether delivery `number` waits for its acknowledgement. */
  inboxKeeps(connection: number, number: number): number;

  /** Holds (1) or releases (0) deliveries; answers of the host pass. */
  inboxHold(connection: number, held: number): void;

  /** Events and bytes waiting in the inbox, those that are to be delivered again included; what was withdrawn is not. */
  inboxEvents(connection: number): number;
  inboxBytes(connection: number): number;

  /**
   * Has deliveries wait for acknowledgements (1), or no longer (0). What is not acknowledged within `redeliverMs`, twice as
   * long after each time, is delivered again with its number and `attempt`, `attempts` times in all. Until then it
   * counts against the inbox's capacity. Returns a status.
   */
  inboxAcks(connection: number, explicit: number, redeliverMs: number, attempts: number): number;

  /**
   * Keeps copies of the last deliveries, at most so many events and bytes, for a session that comes back; 0: none. Those that wait
   * for acknowledgements are kept anyway. Returns a status.
   */
  inboxWindow(connection: number, events: number, bytes: number): number;

  /** The last number of a publish that was taken, of those that its publisher has numbered. */
  connectionPublished(connection: number): number;

  /** The carrier is gone and the session stays: forgets cut-off input and unwritten answers, holds the inbox, takes no input. */
  connectionDetach(connection: number): void;

  /**
   * Whether a session can go on behind delivery `received`: STATUS_OK, STATUS_ACK_UNKNOWN where that was never made,
   * STATUS_RESUME_GAP where what came after it is not kept any more.
   */
  connectionResumable(connection: number, received: number): number;

  /**
   * Goes on with a session on the carrier of another connection, which then has none: kind, framing and input under way go over.
   * What came behind `received` is delivered again. Its inbox stays held. Returns a status as connectionResumable().
   */
  connectionResume(connection: number, carrier: number, received: number, now: number): number;

  /**
   * Discards what waits in the inbox, counted as DROPPED_DRAINED. Writes pairs of channel number and count to RECEIPTS.
   *
   * @returns How many pairs; a channel may come more than once.
   */
  inboxDrain(connection: number): number;

  /** Has deliveries wait (1) for more of them, as inboxHold() does without being told to anybody, or no longer (0). */
  inboxGather(connection: number, gathering: number): void;

  /**
   * In how many milliseconds what waits should leave at the latest, for a batch of so many events and bytes: 0 where it is full,
   * credit reaches no further, or something is to be delivered again; the time to the earliest deadline, perhaps Infinity;
   * −1 where nothing waits.
   */
  inboxRipe(connection: number, events: number, bytes: number, now: number): number;

  /**
   * Takes deliveries out of the inbox of a CONNECTION_LOCAL that are of one of so many types (as in memberTypes(), all for 0) and of which
   * expression `where` (0: none) holds, in the order of the inbox, what is to be delivered again first; the rest stays as it is.
   * At most `eventsMax`, and none beyond `bytesMax` but the first. RESULT_… are set as by drain().
   *
   * @returns Bytes written to `out`.
   */
  inboxPick(
    connection: number,
    typesAt: number,
    types: number,
    where: number,
    eventsMax: number,
    out: number,
    bytesMax: number,
    now: number,
  ): number;

  /** Deliveries that wait for an acknowledgement now. */
  inboxKept(connection: number): number;

  /**
   * Moves deliveries that were not acknowledged in time to where they leave again, or to those for inboxDead().
   *
   * @returns In how many milliseconds to call again; −1: nothing waits.
   */
  inboxTick(connection: number, now: number): number;

  /**
   * Writes one delivery that was made as often as it may be to `out`, with its number and attempt, and forgets it.
   *
   * @returns Its bytes, a size-delimited frame; 0 where there is none.
   */
  inboxDead(connection: number, out: number): number;

  /**
   * Takes `bytes` of input of a connection that lie at `at` (usually LANDING_OFFSET). Input may be split anywhere.
   *
   * Stops early with a RESULT_REASON for the host; the host deals with it and calls again with the rest (even with
   * 0 bytes) until the reason is REASON_DONE. Nothing else may happen on this connection in between.
   *
   * @returns Bytes consumed.
   */
  ingest(connection: number, at: number, bytes: number, now: number): number;

  /**
   * Takes one binary ClientFrame (without size prefix) as if it had come over the connection: for JSON, HTTP and embedded
   * use, and to go on after REASON_SOURCE. RESULT_REASON is set as by ingest(); go on with ingest(connection, 0, 0, now).
   */
  ingestFrame(connection: number, at: number, bytes: number, now: number): void;

  /**
   * Presents events that wait for one decider as a batch in DECIDE: its head (BATCH_…), their records (RECORD_…), and its
   * table of sinks. To be called until it returns 0, each time with decide() behind it.
   *
   * @returns How many events, at most DECIDE_EVENTS_MAX; 0: none waits any more.
   */
  decideNext(now: number): number;

  /**
   * Carries out DECIDE_WORDS for that batch, in order, up to the first word that is DECISION_NONE or wrong: then
   * STATUS_DECISION, with its index as RESULT_INDEX and itself as RESULT_VALUE. That event and those behind it wait on.
   * RESULT_REASON is REASON_DECIDE while events wait, else REASON_DONE.
   *
   * @param words How many there are: one per event, then the variable area.
   */
  decide(words: number, now: number): number;

  /** Queues one HostFrame (without size prefix) before all deliveries. Returns STATUS_OK or STATUS_CONTROL_FULL. */
  controlPush(connection: number, at: number, bytes: number): number;

  /** Queues a WebSocket close frame with a code and a UTF-8 reason of at most 123 bytes. No-op on other kinds. */
  closePush(connection: number, code: number, reasonAt: number, reasonBytes: number): void;

  /** Queues a WebSocket ping. No-op on other kinds. */
  pingPush(connection: number): void;

  /** 1 where dirtyTake() would do anything: connections have something to send, events wait to be tried again or decided. */
  flushDue(): number;

  /**
   * Ids of connections that may have something to send, at most DIRTY_COUNT_MAX, into DIRTY. Returns how many.
   * RESULT_REASON is REASON_DECIDE where a change outside of ingest() left events that wait for decideNext(), else REASON_DONE.
   */
  dirtyTake(): number;

  /**
   * Writes what the connection may send now to `out`: answers first, then notices of drops, then deliveries.
   * Takes whole frames up to `bytesMax`; one frame larger than that comes alone (it fits OUT_SLOT_BYTES).
   * RESULT_DELIVERIES and RESULT_NUMBER_… tell the deliveries in it. RESULT_VALUE is 1 where more may go that did not fit: the
   * connection is not marked dirty for it. RESULT_STATUS is STATUS_OK, or STATUS_DISCONNECT or
   * STATUS_CONTROL_FULL: the host closes the connection. RESULT_REASON is REASON_DONE, or REASON_DECIDE where draining let
   * events of a blocked channel go on that wait for decide().
   *
   * @returns Bytes written; 0 when there is nothing, it is held, or out of credit.
   */
  drain(connection: number, out: number, bytesMax: number, now: number): number;

  // --- Channels ---

  /**
   * Adds a channel whose name lies at `nameAt`.
   *
   * @returns Its number, from 1; 0 where it exists or the table is full.
   */
  channelAdd(nameAt: number, nameBytes: number, flags: number): number;

  /** Removes a channel and its members, as memberRemove() does each. Returns a status. */
  channelRemove(channel: number): number;

  /** Sets flags (CHANNEL_…), priority, and time to live of events that do not say theirs; `ttlMs` 0: none. Returns a status. */
  channelSet(channel: number, flags: number, priority: number, ttlMs: number): number;

  /** Sets the types a channel takes: at `typesAt` u16 length + bytes each. 0 of them: any. */
  channelTypes(channel: number, typesAt: number, count: number): number;

  /**
   * Has the channel keep its last events for replays, as far as both capacities allow; 0 events: none. What it keeps stays
   * when capacities change. Returns a status.
   */
  channelStore(channel: number, capacityEvents: number, capacityBytes: number): number;

  /**
   * Sets the delivery window of a channel: of `size` consecutive deadlines, `periodMs` apart, `lose` may be missed; `size` 0:
   * none. It counts in inboxes with ORDERING_WINDOW. Returns a status.
   */
  channelWindow(channel: number, lose: number, size: number, periodMs: number): number;

  /** What became of the deadlines of a channel in a connection's inbox since it joined: STREAM_…. */
  streamStatistic(connection: number, channel: number, index: number): number;

  /** When the next deadline of any inbox passes, ms on the service clock; it may be too early. 0: at once; −1: there is none. */
  deadlineNext(): number;

  /**
   * Deals with deadlines that have passed, of a bounded number of inboxes: misses are told, late events dropped or diverted.
   * Returns what deadlineNext() says then.
   */
  deadlineTick(now: number): number;

  /** Events that the channel keeps now. */
  channelStored(channel: number): number;

  /** Events that sinks of the channel lost, by DROPPED_… reason. */
  channelLost(channel: number, reason: number): number;

  /** Counts events that the host itself has given up for a sink. */
  channelLose(channel: number, reason: number, events: number): void;

  /** Next sequence − 1: the number of events sequenced, where the channel's number was nobody's before. */
  channelSequence(channel: number): number;
  channelSinks(channel: number): number;
  channelSources(channel: number): number;

  // --- Routes: channel filters that the core evaluates, see ROUTE_… ---

  /**
   * Takes a list of routes that lies at [at, at + bytes). It owns the uses of its programs then, unless it is refused.
   *
   * @returns Its handle; 0 with RESULT_STATUS: STATUS_LIMIT, STATUS_MALFORMED, STATUS_STORE_FULL.
   */
  routesAdd(at: number, bytes: number): number;

  /** Gives one use of a list back; 0 is none. */
  routesRelease(routes: number): void;

  /** A counter of the route with that index: ROUTE_EVENTS and what follows it. Counts since routesAdd(). */
  routesStatistic(routes: number, route: number, counter: number): number;

  /**
   * Binds routes to STAGE_OUT or STAGE_IN of a channel, 0: none. The channel owns the use that routesAdd() counted, unless the
   * status is not STATUS_OK, and gives back that of what was bound before. Memories of keys are handed on to routes
   * that remember alike. Returns a status.
   */
  channelRoutes(channel: number, stage: number, routes: number): number;

  /** Has a source carry routes for its own events, which run before the channel's; as channelRoutes(). */
  memberRoutes(member: number, stage: number, routes: number): number;

  // --- Deciders: filter modules, see BATCH_… and DECIDER_… ---

  /**
   * Takes what a module wants to see, which lies at [at, at + bytes). The host has one use of it, each binding another.
   *
   * @returns Its handle; 0 with RESULT_STATUS: STATUS_LIMIT, STATUS_MALFORMED, STATUS_STORE_FULL.
   */
  deciderAdd(at: number, bytes: number): number;

  /** Ends the host's use; the decider goes with its last one. 0 is none. */
  deciderRelease(decider: number): void;

  /** The number of a constant of a module, UTF-8: 1, 2, … as they come, the same for the same text; 0: there are too many. */
  deciderIntern(decider: number, at: number, bytes: number): number;

  /** A counter of a decider at STAGE_…: DECIDER_EVENTS and what follows it. Counts since deciderAdd(). */
  deciderStatistic(decider: number, stage: number, counter: number): number;

  /**
   * Binds a decider to a stage of a channel, in place of its routes there, 0: none; binding routes ends it, too. It may stand
   * at both stages of one channel, and with sources of it. What waits should be decided first: it meets the new one.
   *
   * @returns A status: STATUS_DECIDER_SINKS, STATUS_LIMIT (another channel's, or too many of them), STATUS_STORE_FULL.
   */
  channelDecider(channel: number, stage: number, decider: number): number;

  /** Has a source carry a decider for its own events, which is asked before the channel's; as channelDecider(). */
  memberDecider(member: number, stage: number, decider: number): number;

  /** What becomes of events that nobody is selected for: EMPTY_…. `divertTo`: number of a channel, also that of late events. Returns a status. */
  channelEmpty(channel: number, policy: number, divertTo: number): number;

  // --- Members ---

  /** Adds a member with ROLE_… bits. Returns its number, from 1; 0 with RESULT_STATUS set where it cannot be. */
  memberAdd(connection: number, channel: number, role: number): number;

  /** Types this sink wants, as channelTypes(). */
  memberTypes(member: number, typesAt: number, count: number): number;

  /**
   * Sets the expression that must hold of what this sink gets, 0: none. It goes with the member, which takes over the use
   * that expressionAdd() counted, unless the status is not STATUS_OK. Returns a status.
   */
  memberWhere(member: number, expression: number): number;

  /**
   * Hands a sink, within its types and its `where`, what its channel keeps of the events behind the sequence `after`, in order. To be called
   * when its types are set and before anything else happens, so that nothing comes between.
   *
   * @returns 1 where nothing behind `after` is missing, 0 where something is gone or never was.
   */
  memberReplay(member: number, after: number, now: number): number;

  /** Removes a member of that connection; events already in its inbox are discarded and counted. Returns a status. */
  memberRemove(connection: number, member: number): number;

  /** The same for `count` members, u32 each at `at`: the inbox is gone through once. Returns the first status that is not OK. */
  membersRemove(connection: number, at: number, count: number): number;

  /**
   * Sets the outbox of a source: how much it holds, what gives way (OVERFLOW_…), what leaves first (ORDERING_…), whether it is held
   * (1). What waits is put in the new order. Returns a status: STATUS_LIMIT, or STATUS_STORE_FULL where all is as it was.
   */
  outboxSet(
    member: number,
    events: number,
    bytes: number,
    overflow: number,
    ordering: number,
    held: number,
    now: number,
  ): number;

  /** Events that wait in the outbox of a source, because a sink blocks or somebody holds it. */
  outboxEvents(member: number): number;

  /** Their bytes as they were published. */
  outboxBytes(member: number): number;

  /** Copies the live attributes (fields 2 of an encoded Update) to `out`; returns their bytes. */
  memberAttributes(member: number, out: number): number;

  /** Writes when each of them was set, f64 ms, to `out`, in the same order; returns how many there are. */
  memberAges(member: number, out: number): number;

  /** Names attributes of this member's own events that become its live ones; names as in memberTypes(). Returns a status. */
  memberPiggyback(member: number, namesAt: number, count: number): number;

  /** Merges an encoded Update's attributes and removals into the member's. Returns a status. */
  memberUpdate(connection: number, at: number, bytes: number, now: number): number;

  /**
   * Cancels a key, which lies at `keyAt` (UTF-8), for a connection: a Cancel frame without the frame, and on a connection
   * without a socket without being a member. What waits for decide() must have been decided.
   *
   * @param atUs Events that happened up to this moment, µs since 1970; Infinity: all so far, and its own moment is now.
   * @returns STATUS_OK with RESULT_COUNT deliveries withdrawn and RESULT_INDEX sinks told, or a status.
   */
  cancel(connection: number, channel: number, keyAt: number, keyBytes: number, atUs: number, now: number): number;

  /**
   * What would become of an encoded Event at the sinks of a channel, without doing anything: records of EXPLAIN_… in
   * RECEIPTS, RESULT_COUNT of them, in join order.
   *
   * Where a decider has the word RESULT_REASON is REASON_DECIDE instead of REASON_DONE, and there are no records: the event is
   * presented as decideNext() presents a batch, and explain() is to be called again, with the same event, behind
   * explainAnswer(). No decider is asked twice, so there are STEPS of core-wasm/filter/parked.ts such calls at most. What waits for
   * decide(), and what deciders have yet to be told of their tables, stays as it is. Not between decideNext() and decide().
   *
   * @param submitter Connection whose own sinks `echo` is about; 0: none.
   * @param from Sinks to leave out at the beginning; there are more where as many records as fit were written.
   * @returns STATUS_OK, or why the channel would not take the event.
   */
  explain(channel: number, submitter: number, at: number, bytes: number, from: number, now: number): number;

  /**
   * Answers in the place of the decider that explain() asks for, with words as decide() takes them.
   *
   * @param how ANSWER_…; ANSWER_UNASKED needs no words.
   * @returns STATUS_OK, or STATUS_DECISION where the word is wrong, or nobody is asked for; nothing is answered then.
   */
  explainAnswer(words: number, how: number): number;

  /** Forgets all answers: before another event, or another moment, is explained. */
  explainForget(): void;

  // --- Expressions: programs of core-wasm/expression/code.ts ---

  /**
   * Verifies a program that lies at [at, at + bytes) and keeps it; the same bytes are kept once and counted.
   *
   * @returns Its handle; 0 with RESULT_STATUS: STATUS_EXPRESSION, STATUS_LIMIT, STATUS_STORE_FULL.
   */
  expressionAdd(at: number, bytes: number): number;

  /** Gives one use of a program back; 0 is none. */
  expressionRelease(expression: number): void;

  /**
   * Runs a program on an encoded, valid Event and, for `sink.NAME`, a member (0: none).
   *
   * @returns 1 where it holds. RESULT_ERRORS, RESULT_TYPE, RESULT_NUMBER_… and RESULT_AT/RESULT_BYTES_AT have its value.
   */
  expressionTest(expression: number, eventAt: number, eventBytes: number, member: number): number;

  // --- Of the core as a whole ---

  /**
   * Copies a HISTOGRAM_… to `out`: HISTOGRAM_BUCKETS counts and their sum, f64 each. Waits and lateness are in quarters of a
   * millisecond; the sum of a single inbox is 0.
   *
   * @param connection Whose inbox; 0: all of them. One inbox has none of lateness.
   * @returns 0 where there is none, because nothing was delivered yet.
   */
  histogramRead(connection: number, histogram: number, out: number): number;

  /** Since coreInit(): STATISTIC_…. */
  statistic(index: number): number;
}
