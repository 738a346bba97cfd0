/**
 * The order of a mailbox: which of its entries leaves first, and which gives way. A mailbox that is plain fifo has none.
 *
 *   priority             ten lists, one a priority, and a word with a bit for each that may hold something:
 *                        adding, taking and removing are a few stores however many wait
 *   deadline, time, …    a ranking by a key of two words (ranking.ts):
 *                          ordering            high                         low
 *                          deadline            moment                       9 − priority │ arrival
 *                          priority+deadline   9 − priority │ moment        arrival
 *                          time                moment of the source         arrival
 *   lifo, fifo           nothing: the mailbox's own list is in the order of arrival
 *   drop-lowest          a second ranking beside any of them:
 *                                              priority │ −moment           −arrival
 *
 * Everything here refers to runs, which stay where they are when the bytes of an entry move to another slab.
 */
import {
  ORDERING_DEADLINE,
  ORDERING_FIFO,
  ORDERING_LIFO,
  ORDERING_PRIORITY,
  ORDERING_PRIORITY_DEADLINE,
  ORDERING_TIME,
  OVERFLOW_DROP_LOWEST,
} from "../abi";
import { factDeliverByUs, factPriority, factsRead, factTimeUs } from "../event/facts";
import { heapGive, heapTakeZero } from "../memory/heap";
import { Ranking, rankingAdd, rankingFirst, rankingFree, rankingRemove, rankingReserve } from "./ranking";
import { Mailbox, Run } from "./records";

/** See the head of this file. */
@unmanaged
export class Order {
  /** Counts arrivals: what came first wins among equals. */
  arrivals: u64;
  /** ORDERING_…. */
  ordering: u32;
  /** Whether the second ranking is kept. */
  drops: u32;
  /** Priorities whose list may hold something: bit 9 − priority. */
  filled: u32;
  main: u32;
  mainCount: u32;
  mainCapacity: u32;
  mainOffset: u32;
  second: u32;
  secondCount: u32;
  secondCapacity: u32;
  secondOffset: u32;
  pad: u32;
  /** The heads of the lists follow: u32 first, u32 last each. */
}
const LISTS: u32 = 10;
const HEADS_OFFSET: u32 = 64;
const ORDER_BYTES: u32 = HEADS_OFFSET + LISTS * 8;
if (offsetof<Order>() > HEADS_OFFSET) ERROR("Order overlaps the heads of its lists");

/** A head stands for a run in its ring, so that nothing has to ask whether a run is the first or last one. */
const LINK_OFFSET: u32 = offsetof<Run>("place");
if (offsetof<Run>("back") !== LINK_OFFSET + 4) ERROR("The links of a run are not side by side");

/** What no moment reaches when it is shifted to be positive: 9999 comes before 2^59. */
const MOMENT_NONE: u64 = 0x0fffffffffffffff;
const MOMENT_SHIFT: i64 = 1 << 57;

function main(order: Order): Ranking {
  return changetype<Ranking>(changetype<u32>(order) + offsetof<Order>("main"));
}

function second(order: Order): Ranking {
  return changetype<Ranking>(changetype<u32>(order) + offsetof<Order>("second"));
}

function headOf(order: Order, list: u32): u32 {
  return changetype<u32>(order) + HEADS_OFFSET + list * 8 - LINK_OFFSET;
}

/** Whether a mailbox with these policies needs an order. */
export function orderNeeded(ordering: u32, overflow: u32): bool {
  return ordering !== ORDERING_FIFO || overflow === OVERFLOW_DROP_LOWEST;
}

/** Makes an order with room for `count` entries at once; 0 where memory is used up. */
export function orderNew(ordering: u32, overflow: u32, count: u32): u32 {
  const at = heapTakeZero(ORDER_BYTES);
  if (at === 0) return 0;
  const order = changetype<Order>(at);
  order.ordering = ordering;
  order.drops = overflow === OVERFLOW_DROP_LOWEST ? 1 : 0;
  order.mainOffset = offsetof<Run>("place");
  order.secondOffset = offsetof<Run>("dropPlace");
  for (let list: u32 = 0; list < LISTS; list++) {
    const head = headOf(order, list);
    changetype<Run>(head).place = changetype<Run>(head).back = head;
  }
  if (
    (!ranks(ordering) || rankingReserve(main(order), count)) &&
    (order.drops === 0 || rankingReserve(second(order), count))
  )
    return at;
  orderFree(order);
  return 0;
}

/** Frees an order; the entries are the mailbox's. */
export function orderFree(order: Order): void {
  rankingFree(main(order));
  rankingFree(second(order));
  heapGive(changetype<u32>(order), ORDER_BYTES);
}

/** Whether an ordering keeps its entries in a ranking. */
function ranks(ordering: u32): bool {
  return ordering >= ORDERING_DEADLINE && ordering <= ORDERING_TIME;
}

/** Adds an entry that came after all others. Returns false where memory is used up. */
export function orderAdd(order: Order, run: Run): bool {
  const at = changetype<u32>(run);
  const ordering = order.ordering;
  const arrival = order.arrivals++;
  if (ordering <= ORDERING_LIFO && order.drops === 0) return true;
  factsRead(run.at);
  if (ordering === ORDERING_PRIORITY) listAdd(order, 9 - factPriority, run);
  else if (ranks(ordering) && !rankingAdd(main(order), highOf(ordering), lowOf(ordering, arrival), at)) return false;
  if (
    order.drops === 0 ||
    rankingAdd(second(order), ((<u64>factPriority) << 60) | (MOMENT_NONE - moment(factDeliverByUs)), ~arrival, at)
  )
    return true;
  mainRemove(order, run);
  return false;
}

/** A moment as a number that is never negative and has four bits to spare. */
function moment(us: i64): u64 {
  return us === i64.MAX_VALUE ? MOMENT_NONE : <u64>(us + MOMENT_SHIFT);
}

function highOf(ordering: u32): u64 {
  if (ordering === ORDERING_DEADLINE) return moment(factDeliverByUs);
  if (ordering === ORDERING_PRIORITY_DEADLINE) return ((<u64>(9 - factPriority)) << 60) | moment(factDeliverByUs);
  return moment(factTimeUs);
}

function lowOf(ordering: u32, arrival: u64): u64 {
  return ordering === ORDERING_DEADLINE ? ((<u64>(9 - factPriority)) << 60) | arrival : arrival;
}

/** Puts a run at the end of a list. */
function listAdd(order: Order, list: u32, run: Run): void {
  const head = headOf(order, list);
  const last = changetype<Run>(head).back;
  run.place = head;
  run.back = last;
  changetype<Run>(last).place = changetype<Run>(head).back = changetype<u32>(run);
  order.filled |= 1 << list;
}

/** Address of the entry that leaves next, 0: none. */
export function orderFirst(inbox: Mailbox): u32 {
  const order = changetype<Order>(inbox.order);
  const ordering = order.ordering;
  if (ordering === ORDERING_FIFO) return inbox.head;
  if (ordering === ORDERING_LIFO) return inbox.tail;
  if (ordering !== ORDERING_PRIORITY) return rankingFirst(main(order));
  while (order.filled !== 0) {
    const head = headOf(order, <u32>ctz(order.filled));
    const first = changetype<Run>(head).place;
    if (first !== head) return first;
    // Removing does not know the list: bits of lists that fell empty are cleared here.
    order.filled &= order.filled - 1;
  }
  return 0;
}

/** Address of the entry that gives way where the least urgent one does, 0: none. */
export function orderLowest(inbox: Mailbox): u32 {
  return rankingFirst(second(changetype<Order>(inbox.order)));
}

/** Forgets an entry that leaves the mailbox, however it does. */
export function orderRemove(inbox: Mailbox, run: Run): void {
  const order = changetype<Order>(inbox.order);
  mainRemove(order, run);
  if (order.drops !== 0) rankingRemove(second(order), changetype<u32>(run));
}

function mainRemove(order: Order, run: Run): void {
  if (ranks(order.ordering)) {
    rankingRemove(main(order), changetype<u32>(run));
  } else if (order.ordering === ORDERING_PRIORITY) {
    changetype<Run>(run.back).place = run.place;
    changetype<Run>(run.place).back = run.back;
  }
}
