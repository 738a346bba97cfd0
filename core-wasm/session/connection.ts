/**
 * One connection: a session's way in and out. Its inbox is a Mailbox; see mailbox/inbox.ts.
 *
 * The record has 512 bytes. Input that ends within a frame waits in `carry`; answers wait in `control`. Both are heap
 * blocks that an idle connection does not have.
 */
import { CONNECTIONS_MAX } from "../abi";
import { Table, tableAt, tableFind, tableNew } from "../memory/table";

/** A connection's record; see the head of this file. */
@unmanaged
export class Connection {
  /** Own number; 0 when free. */
  number: u32;
  tableNext: u32;
  kind: u32;
  inbox: u32;
  /** Doubly linked list of connections with something to send; `dirty` tells whether this is in it (DIRTY…). */
  dirtyNext: u32;
  dirtyPrevious: u32;
  dirty: u32;
  /** Input is ignored: the peer broke the protocol or closed. */
  closing: u32;
  /** What drain() reports as RESULT_STATUS. */
  fault: u32;
  held: u32;

  /** First member of this connection (list through Member.nextOfConnection). */
  members: u32;
  /** Members with drops to tell (list through Member.nextNotice). */
  notices: u32;
  /** Sources to tell credit (list through Member.nextGrant). */
  grants: u32;
  /** The implicit `source` of its events. */
  sourceAt: u32;
  sourceBytes: u32;
  /** Last channel published to, and the source member for it. */
  cacheChannel: u32;
  cacheSource: u32;
  /** Source members by channel number, see session/sources.ts. */
  sourcesAt: u32;
  sourcesCapacity: u32;
  sourceMisses: u32;

  carryAt: u32;
  carryBytes: u32;
  carryCapacity: u32;
  /** Size of the frame in carry with its prefix, 0 while unknown. */
  carryNeed: u32;

  controlAt: u32;
  controlBytes: u32;
  controlCapacity: u32;
  controlRead: u32;

  /** A publish that stopped in the middle: next event, end, and its context. */
  resumeAt: u32;
  resumeEnd: u32;
  resumeSource: u32;
  resumeHasRef: u32;
  resumeRef: u32;
  resumeIndex: u32;

  /** CREDIT_…: what bounds its deliveries, where anything does. */
  credit: u32;
  creditEvents: i64;
  creditBytes: i64;
  /** Deliveries so far: the number of the last one. */
  delivered: u64;
  /** The last event that its publisher has numbered, and that was taken. */
  published: u64;
  /** Deliveries wait for more of them; answers pass. */
  gathering: u32;
  /** Address of the Pending record, 0: deliveries are over once they have left (mailbox/pending.ts). */
  pending: u32;
  /** Tells this connection from others that have had its number. */
  serial: u32;
  /** Number of the last cancel that looked at it, see match/cancel.ts. */
  cancelStamp: u32;
  /** Its carrier is gone (session/move.ts). */
  away: u32;
  /** What was to be told before there was another one, in the form of `control` (session/notices.ts). */
  awayAt: u32;
  awayBytes: u32;
  awayCapacity: u32;

  /** WebSocket: bytes left of the frame's payload, and how many of those lie unmasked already. */
  wsRemaining: u64;
  /** Its window where it grants no credit, see session/pace.ts: begin of this epoch, rate to compare with, moment of the last ping. */
  paceEpochMs: f64;
  paceRate: f64;
  pacePingMs: f64;
  wsState: u32;
  wsClear: u32;
  wsMask: u32;
  wsPhase: u32;
  wsOpcode: u32;
  wsFinal: u32;
  /** Opcode of the message under way, 0 between messages. */
  wsMessage: u32;
  wsHeaderBytes: u32;
  wsControlBytes: u32;
  /** Size of the window, bytes; what was sent before the ping under way (0: none is), and since; number of the last ping. */
  paceWindow: u32;
  paceRound: u32;
  paceSince: u32;
  pacePing: u32;
  /** Events waited for room in it; rounds and bytes of this epoch; what is being tried (PACE_…), and epochs until the next try. */
  paceLimited: u32;
  paceRounds: u32;
  paceBytes: u32;
  paceMode: u32;
  pacePatience: u32;
  /** The fastest answer to a ping, ms; whether one of this epoch was slow beside it. */
  paceLeastMs: f32;
  paceSlow: u32;
  /** Deliveries of paceRound; whether a first grant was smaller than that, see pace.ts. */
  paceRoundEvents: u32;
  paceOwed: u32;
  /** 14 bytes of header and 125 of control payload follow at wsHeaderOffset and wsControlOffset. */
  wsPad: u32;
}

/** Deliveries go as fast as the carrier takes them; as the client grants it; as its pongs come. */
export const CREDIT_NONE: u32 = 0;
export const CREDIT_GRANTED: u32 = 1;
export const CREDIT_PACED: u32 = 2;
/** More than this is as good as endless, and sums of it do not overflow. */
export const CREDIT_MAX: i64 = 9007199254740991;

export const WS_HEADER_OFFSET: u32 = 368;
export const WS_CONTROL_OFFSET: u32 = 384;
const RECORD_BITS: u32 = 9;

if (offsetof<Connection>() > WS_HEADER_OFFSET) ERROR("Connection overlaps its WebSocket buffers");

let table: u32 = 0;
let dirtyHead: u32 = 0;
let dirtyTail: u32 = 0;
/** The last of those with urgent mail, which stand before all others; 0: there is none. */
let urgentTail: u32 = 0;
/** In `dirty`. */
const DIRTY: u32 = 1;
const DIRTY_URGENT: u32 = 2;

/** Makes the table anew. Returns false where memory is too small. */
export function connectionsInit(): bool {
  dirtyHead = dirtyTail = urgentTail = 0;
  table = tableNew(RECORD_BITS, CONNECTIONS_MAX);
  return table !== 0;
}

/** The table of connections. */
export function connectionTable(): Table {
  return changetype<Table>(table);
}

/** The connection of that number, which is live. */
export function connectionAt(number: u32): Connection {
  return changetype<Connection>(tableAt(connectionTable(), number));
}

/** The connection of that number, null where there is none. */
export function connectionFind(number: u32): Connection | null {
  return changetype<Connection | null>(tableFind(connectionTable(), number));
}

/** Notes that a connection may have something to send. */
export function dirtyPush(connection: Connection): void {
  if (connection.dirty !== 0) return;
  connection.dirty = DIRTY;
  dirtyInsert(connection, dirtyTail);
}

/**
 * The same where what it may send is urgent: it is drained before those without, after others like it. With the drain that is over,
 * so that nobody stays ahead by what was.
 */
export function dirtyUrge(connection: Connection): void {
  if (connection.dirty === DIRTY_URGENT) return;
  dirtyRemove(connection);
  connection.dirty = DIRTY_URGENT;
  dirtyInsert(connection, urgentTail);
  urgentTail = changetype<u32>(connection);
}

/** Enters a connection behind another one, 0: as the first. */
function dirtyInsert(connection: Connection, previous: u32): void {
  const at = changetype<u32>(connection);
  const next = previous === 0 ? dirtyHead : changetype<Connection>(previous).dirtyNext;
  connection.dirtyPrevious = previous;
  connection.dirtyNext = next;
  if (previous === 0) dirtyHead = at;
  else changetype<Connection>(previous).dirtyNext = at;
  if (next === 0) dirtyTail = at;
  else changetype<Connection>(next).dirtyPrevious = at;
}

/** Takes a connection out of the list of those with something to send. */
export function dirtyRemove(connection: Connection): void {
  if (connection.dirty === 0) return;
  connection.dirty = 0;
  const next = connection.dirtyNext;
  const previous = connection.dirtyPrevious;
  // Whoever stands before an urgent one is urgent, too.
  if (urgentTail === changetype<u32>(connection)) urgentTail = previous;
  if (previous === 0) dirtyHead = next;
  else changetype<Connection>(previous).dirtyNext = next;
  if (next === 0) dirtyTail = previous;
  else changetype<Connection>(next).dirtyPrevious = previous;
}

/** The first connection with something to send, null if none. */
export function dirtyFirst(): Connection | null {
  return changetype<Connection | null>(dirtyHead);
}
