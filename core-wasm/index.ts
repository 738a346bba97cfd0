/**
 * The whole ABI of the core. What each function promises stands in host/core/exports.ts; constants stand in abi.ts.
 * Functions here only look up what a number names and hand on.
 */
import {
  ABI_VERSION,
  CHANNEL_LATE_DROP,
  CONNECTION_LOCAL,
  EVENT_BYTES_MAX,
  PAGE_BYTES,
  REASON_CLOSE,
  REASON_DONE,
  REGION_BASE,
  REGIONS_END,
  RESULT_AT,
  RESULT_BYTES_AT,
  RESULT_ERRORS,
  RESULT_NUMBER_HIGH,
  RESULT_NUMBER_LOW,
  RESULT_REASON,
  RESULT_TYPE,
  SLAB_BYTES,
  STATISTIC_CHANNELS,
  STATISTIC_CONNECTIONS,
  STATISTIC_DUE,
  STATISTIC_INDEX_BYTES,
  STATISTIC_KEPT,
  STATISTIC_KEPT_BYTES,
  STATISTIC_MEMBERS,
  STATISTIC_PAGES,
  STATISTIC_PAGES_USED,
  STATISTIC_PARKED,
  STATISTIC_SLABS,
  STATUS_CHANNEL_UNKNOWN,
  STATUS_LIMIT,
  STATUS_MEMBER_UNKNOWN,
  STATUS_MEMORY,
  STATUS_OK,
} from "./abi";
import { Channel, channelAt, channelFind, channelNew, channelsInit, channelTable, OWN_FLAGS } from "./channel/channel";
import { Live } from "./channel/live";
import { lossesOf } from "./channel/losses";
import { Member, memberFind, membersInit, memberTable } from "./channel/member";
import { typeSetMade, typeSetNew, typeSetRelease, typesInit } from "./channel/types";
import { clockSet } from "./clock";
import { cellsInit } from "./condition/cell";
import { passInit } from "./contract/evaluate";
import { orderInit } from "./contract/order";
import { shapesInit } from "./event/shape";
import { namesInit } from "./expression/names";
import { errors } from "./expression/outcome";
import { Program, programRelease, programsInit, programTake } from "./expression/program";
import { programRun } from "./expression/run";
import { scratchInit } from "./expression/scratch";
import { castBoolean, stackAt, typeOf } from "./expression/stack";
import { viewEvent, viewInit, viewSink } from "./expression/view";
import { batchInit } from "./filter/batch";
import { candidatesInit } from "./filter/candidates";
import { heldInit } from "./filter/held";
import { parkedEvents, parkedInit } from "./filter/parked";
import { dueInboxes } from "./mailbox/due";
import { histogramsInit } from "./mailbox/histograms";
import { inboxFree, inboxNew } from "./mailbox/inbox";
import { keptCount, keptInit, keptMemory } from "./mailbox/kept";
import { keysInit } from "./mailbox/keys";
import { Mailbox } from "./mailbox/records";
import { slabsInit, slabsLive } from "./mailbox/slab";
import { sortInit } from "./mailbox/sort";
import { serialNew, startedInit } from "./mailbox/started";
import { collectInit } from "./match/collect";
import { deadlinesInit, lateChanged } from "./match/deadlines";
import { fanOutInit } from "./match/fan-out";
import { indexBytes, indexInit } from "./match/index/file";
import {
  channelEnd,
  connectionLeaveAll,
  memberLeave,
  memberNew,
  membersLeave,
  memberTypesSet,
  memberWhereSet,
} from "./match/membership";
import { pumpInit } from "./match/pump";
import { channelStoreSet, replay } from "./match/replay";
import { hashSeed } from "./memory/bytes";
import { heapCopy, heapGive, heapInit } from "./memory/heap";
import { PAGES_HEAP, PAGES_MAILBOX, PAGES_STORE, pagesInit, pagesQuota, pagesTotal, pagesUsed } from "./memory/pages";
import { randomSeed } from "./memory/random";
import { tableGive, tableTake } from "./memory/table";
import { resultSet, resultStatus } from "./result";
import { memberUpdateFrame } from "./session/attributes";
import {
  Connection,
  connectionAt,
  connectionFind,
  connectionsInit,
  connectionTable,
  dirtyPush,
  dirtyRemove,
  WS_CONTROL_OFFSET,
} from "./session/connection";
import { controlFrame, controlFree, controlWebSocket } from "./session/control";
import { connectionIngest, connectionIngestFrame } from "./session/ingest";
import { awayFree } from "./session/notices";
import { piggybackSet } from "./session/piggyback";
import { sourcesFree } from "./session/sources";
import { carryFree } from "./session/stream";
import { WS_CLOSE, WS_PING } from "./session/websocket-out";
import { statisticGet, statisticsInit } from "./statistics";

export {
  channelLose,
  connectionDetach,
  connectionPace,
  connectionPublished,
  connectionResumable,
  connectionResume,
  inboxAcks,
  inboxBytes,
  inboxDead,
  inboxDrain,
  inboxEvents,
  inboxGather,
  inboxKeeps,
  inboxKept,
  inboxLate,
  inboxMarks,
  inboxPick,
  inboxRipe,
  inboxSet,
  inboxTick,
  inboxWindow,
} from "./mailbox/exports";
export { histogramRead } from "./mailbox/histogram-call";
export { outboxBytes, outboxEvents, outboxSet } from "./match/calls";
export { channelWindow, deadlineNext, deadlineTick, streamStatistic } from "./match/deadlines";
export { explain, explainAnswer, explainForget } from "./match/explain-calls";
export { cancel } from "./session/cancel-call";

/** Pages for tables, index and scratch that must be there beside the store. */
const PAGES_MIN: u32 = 32;
const STORE_SLABS_MIN: u32 = 4;
/** Beside the store's slabs one event of EVENT_BYTES_MAX must fit, however small the store is. */
const JUMBO_PAGES: u32 = EVENT_BYTES_MAX / PAGE_BYTES + 1;
/** Copies for inboxes that fall behind take half of what is not store, and no more than 512 MiB: a million sinks need the rest. */
const MAILBOX_PAGES_MAX: u32 = 8192;
const SOURCE_BYTES_MAX: u32 = 256;

export {
  conditionAdd,
  conditionBoolean,
  conditionExpression,
  conditionMissing,
  conditionNumber,
  conditionRead,
  conditionRemove,
  conditionText,
} from "./condition/calls";
export {
  contractAdd,
  contractCounter,
  contractMark,
  contractRemove,
  contractsNext,
  contractValue,
} from "./contract/calls";
export { channelEmpty, channelRoutes, memberRoutes, routesAdd, routesRelease, routesStatistic } from "./filter/calls";
export {
  channelDecider,
  decide,
  decideNext,
  deciderAdd,
  deciderIntern,
  deciderRelease,
  deciderStatistic,
  memberDecider,
} from "./filter/decider-calls";
export { dirtyTake, drain, flushDue } from "./session/calls";

export function abiVersion(): u32 {
  return ABI_VERSION;
}

export function coreInit(storeBytes: u32, epoch: f64, mailboxBytes: u32): u32 {
  assert(__heap_base <= REGION_BASE);
  if (storeBytes < STORE_SLABS_MIN * SLAB_BYTES)
    return resultStatus(STATUS_MEMORY, storeBytes, STORE_SLABS_MIN * SLAB_BYTES);
  const storePages = (storeBytes / SLAB_BYTES) * (SLAB_BYTES / PAGE_BYTES);
  const memoryPages = <u32>memory.size();
  const needPages = REGIONS_END / PAGE_BYTES + 2 + storePages + JUMBO_PAGES + PAGES_MIN;
  if (memoryPages < needPages) return resultStatus(STATUS_MEMORY, memoryPages, needPages * PAGE_BYTES);
  const pages = pagesInit(memoryPages - REGIONS_END / PAGE_BYTES);
  pagesQuota(PAGES_STORE, storePages + JUMBO_PAGES);
  const mailboxPagesMax = min<u32>((pages - storePages) / 2, MAILBOX_PAGES_MAX);
  const mailboxPages = mailboxBytes === 0 ? mailboxPagesMax : min<u32>(mailboxBytes / PAGE_BYTES, mailboxPagesMax);
  pagesQuota(PAGES_MAILBOX, mailboxPages);
  pagesQuota(PAGES_HEAP, pages - storePages - mailboxPagesMax);
  heapInit();
  hashSeed(<u64>epoch);
  statisticsInit();
  histogramsInit();
  shapesInit();
  slabsInit(storeBytes / SLAB_BYTES);
  fanOutInit();
  collectInit();
  parkedInit();
  batchInit();
  pumpInit();
  candidatesInit();
  heldInit();
  randomSeed(<u64>epoch);
  viewInit();
  scratchInit();
  sortInit();
  startedInit();
  cellsInit();
  orderInit();
  passInit();
  const ok =
    keysInit() &&
    keptInit((((pages - storePages) / 2) * PAGE_BYTES) / 2) &&
    deadlinesInit() &&
    connectionsInit() &&
    channelsInit() &&
    membersInit() &&
    typesInit() &&
    namesInit() &&
    programsInit() &&
    indexInit();
  return ok ? STATUS_OK : resultStatus(STATUS_MEMORY, memoryPages, needPages * PAGE_BYTES);
}

export function connectionOpen(kind: u32, sourceAt: u32, sourceBytes: u32): u32 {
  if (kind > CONNECTION_LOCAL || sourceBytes > SOURCE_BYTES_MAX) return 0;
  const number = tableTake(connectionTable());
  if (number === 0) return 0;
  const connection = connectionAt(number);
  connection.kind = kind;
  connection.serial = serialNew();
  connection.inbox = inboxNew(connection);
  connection.sourceAt = heapCopy(sourceAt, sourceBytes);
  connection.sourceBytes = connection.sourceAt === 0 ? 0 : sourceBytes;
  if (connection.inbox !== 0) return number;
  tableGive(connectionTable(), number);
  return 0;
}

export function connectionSource(number: u32, sourceAt: u32, sourceBytes: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null || sourceBytes > SOURCE_BYTES_MAX) return STATUS_LIMIT;
  const at = heapCopy(sourceAt, sourceBytes);
  if (connection.sourceAt !== 0) heapGive(connection.sourceAt, connection.sourceBytes);
  connection.sourceAt = at;
  connection.sourceBytes = at === 0 ? 0 : sourceBytes;
  return STATUS_OK;
}

export function connectionClose(number: u32): void {
  const found = connectionFind(number);
  if (found === null) return;
  const connection = found as Connection;
  connectionLeaveAll(connection);
  dirtyRemove(connection);
  carryFree(connection);
  controlFree(connection);
  awayFree(connection);
  sourcesFree(connection);
  if (connection.sourceAt !== 0) heapGive(connection.sourceAt, connection.sourceBytes);
  inboxFree(changetype<Mailbox>(connection.inbox));
  tableGive(connectionTable(), number);
}

export function connectionPartial(number: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return 0;
  return connection.carryBytes + connection.wsHeaderBytes + (connection.wsState | connection.wsMessage ? 1 : 0);
}

export function inboxHold(number: u32, held: u32): void {
  const connection = connectionFind(number);
  if (connection === null) return;
  connection.held = held;
  if (held === 0) dirtyPush(connection);
}

export function ingest(number: u32, at: u32, bytes: u32, now: f64): u32 {
  const connection = connectionFind(number);
  if (connection === null) {
    resultSet(RESULT_REASON, REASON_DONE);
    return bytes;
  }
  clockSet(now);
  return connectionIngest(connection, at, bytes);
}

export function ingestFrame(number: u32, at: u32, bytes: u32, now: f64): void {
  const connection = connectionFind(number);
  if (connection === null) {
    resultSet(RESULT_REASON, REASON_CLOSE);
    return;
  }
  clockSet(now);
  connectionIngestFrame(connection, at, bytes);
}

export function controlPush(number: u32, at: u32, bytes: u32): u32 {
  const connection = connectionFind(number);
  return connection === null ? STATUS_MEMBER_UNKNOWN : controlFrame(connection, at, bytes);
}

export function closePush(number: u32, code: u32, reasonAt: u32, reasonBytes: u32): void {
  const connection = connectionFind(number);
  if (connection === null || reasonBytes > 123) return;
  // The buffer of incoming control frames is free between inputs.
  const at = changetype<u32>(connection) + WS_CONTROL_OFFSET;
  store<u16>(at, bswap<u16>(<u16>code));
  memory.copy(at + 2, reasonAt, reasonBytes);
  controlWebSocket(connection, WS_CLOSE, at, 2 + reasonBytes);
}

export function pingPush(number: u32): void {
  const connection = connectionFind(number);
  if (connection !== null) controlWebSocket(connection, WS_PING, 0, 0);
}

export function channelAdd(nameAt: u32, nameBytes: u32, flags: u32): u32 {
  return channelNew(nameAt, nameBytes, flags);
}

export function channelRemove(number: u32): u32 {
  const channel = channelFind(number);
  if (channel === null) return STATUS_CHANNEL_UNKNOWN;
  channelEnd(channel);
  return STATUS_OK;
}

export function channelSet(number: u32, flags: u32, priority: u32, ttlMs: f64): u32 {
  const found = channelFind(number);
  if (found === null) return STATUS_CHANNEL_UNKNOWN;
  const channel = found as Channel;
  const late = (channel.flags ^ flags) & CHANNEL_LATE_DROP;
  channel.flags = (flags & ~OWN_FLAGS) | (channel.flags & OWN_FLAGS);
  if (late !== 0) lateChanged(channel);
  channel.priority = priority;
  channel.ttlMs = ttlMs;
  return STATUS_OK;
}

export function channelTypes(number: u32, typesAt: u32, count: u32): u32 {
  const found = channelFind(number);
  if (found === null) return STATUS_CHANNEL_UNKNOWN;
  const channel = found as Channel;
  const status = typeSetNew(typesAt, count);
  if (status !== STATUS_OK) return status;
  typeSetRelease(channel.types);
  channel.types = typeSetMade;
  return STATUS_OK;
}

export function channelStore(number: u32, capacityEvents: u32, capacityBytes: u32): u32 {
  const found = channelFind(number);
  if (found === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, number, 0);
  return channelStoreSet(found as Channel, capacityEvents, capacityBytes);
}

export function channelStored(number: u32): u32 {
  const channel = channelFind(number);
  return channel === null || channel.ring === 0 ? 0 : changetype<Mailbox>(channel.ring).events;
}

export function channelLost(number: u32, reason: u32): f64 {
  const channel = channelFind(number);
  return channel === null ? 0 : lossesOf(channel as Channel, reason);
}

export function channelSequence(number: u32): f64 {
  return channelFind(number) === null ? 0 : <f64>channelAt(number).sequence;
}

export function channelSinks(number: u32): u32 {
  return channelFind(number) === null ? 0 : channelAt(number).sinks;
}

export function channelSources(number: u32): u32 {
  return channelFind(number) === null ? 0 : channelAt(number).sources;
}

export function memberAdd(number: u32, channel: u32, role: u32): u32 {
  const connection = connectionFind(number);
  if (connection !== null) return memberNew(connection, channel, role);
  resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  return 0;
}

export function memberTypes(member: u32, typesAt: u32, count: u32): u32 {
  return memberTypesSet(member, typesAt, count);
}

export function memberWhere(member: u32, expression: u32): u32 {
  return memberWhereSet(member, expression);
}

export function memberReplay(number: u32, after: f64, now: f64): u32 {
  const found = memberFind(number);
  if (found === null) return 0;
  clockSet(now);
  const member = found as Member;
  return replay(channelAt(member.channel), member, <u64>after) ? 1 : 0;
}

export function memberRemove(number: u32, member: u32): u32 {
  const connection = connectionFind(number);
  return connection === null ? STATUS_MEMBER_UNKNOWN : memberLeave(connection, member);
}

export function membersRemove(number: u32, at: u32, count: u32): u32 {
  const connection = connectionFind(number);
  return connection === null ? STATUS_MEMBER_UNKNOWN : membersLeave(connection, at, count);
}

export function memberAttributes(number: u32, out: u32): u32 {
  const member = memberFind(number);
  if (member === null || member.live === 0) return 0;
  const live = changetype<Live>(member.live);
  memory.copy(out, live.attributesAt, live.attributesBytes);
  return live.attributesBytes;
}

export function memberAges(number: u32, out: u32): u32 {
  const member = memberFind(number);
  if (member === null || member.live === 0) return 0;
  const live = changetype<Live>(member.live);
  memory.copy(out, live.agesAt, live.count * 8);
  return live.count;
}

export function memberPiggyback(number: u32, namesAt: u32, count: u32): u32 {
  const member = memberFind(number);
  return member === null ? STATUS_MEMBER_UNKNOWN : piggybackSet(member, namesAt, count);
}

export function memberUpdate(number: u32, at: u32, bytes: u32, now: f64): u32 {
  clockSet(now);
  const connection = connectionFind(number);
  return connection === null ? STATUS_MEMBER_UNKNOWN : memberUpdateFrame(connection, at, bytes);
}

export function expressionAdd(at: u32, bytes: u32): u32 {
  return programTake(at, bytes);
}

export function expressionRelease(expression: u32): void {
  programRelease(expression);
}

export function expressionTest(expression: u32, eventAt: u32, eventBytes: u32, member: u32): u32 {
  viewEvent(eventAt, eventBytes);
  viewSink(memberFind(member));
  const program = changetype<Program>(expression);
  programRun(program);
  resultSet(RESULT_ERRORS, errors);
  resultSet(RESULT_TYPE, typeOf(stackAt));
  resultSet(RESULT_NUMBER_LOW, load<u32>(stackAt, 8));
  resultSet(RESULT_NUMBER_HIGH, load<u32>(stackAt, 12));
  resultSet(RESULT_AT, load<u32>(stackAt, 8));
  resultSet(RESULT_BYTES_AT, load<u32>(stackAt, 4));
  return castBoolean(stackAt) ? 1 : 0;
}

export function statistic(index: u32): f64 {
  if (index === STATISTIC_PAGES_USED) return pagesUsed();
  if (index === STATISTIC_PAGES) return pagesTotal();
  if (index === STATISTIC_PARKED) return parkedEvents();
  if (index === STATISTIC_SLABS) return slabsLive();
  if (index === STATISTIC_CONNECTIONS) return connectionTable().live;
  if (index === STATISTIC_CHANNELS) return channelTable().live;
  if (index === STATISTIC_KEPT) return keptCount();
  if (index === STATISTIC_KEPT_BYTES) return keptMemory();
  if (index === STATISTIC_MEMBERS) return memberTable().live;
  if (index === STATISTIC_DUE) return dueInboxes();
  if (index === STATISTIC_INDEX_BYTES) return indexBytes();
  return statisticGet(index);
}
