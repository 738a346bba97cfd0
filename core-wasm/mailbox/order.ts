/**
 * The order of a mailbox: which of its entries leaves first, and which gives way. A mailbox that is plain fifo has none.
 *
 *   priority             ten lists, one a priority, and a word with a bit for each that may hold something:
 *                        adding, taking and removing are a few stores however many wait
 *   deadline, time, …    a heap by a key of one word, those with equal keys as they came (order-heap.ts):
 *                          ordering            key
 *                          deadline            moment │ 9 − priority
 *                          priority+deadline   9 − priority │ moment
 *                          time                moment of the source
 *   window               streams, each a list of its own (window.ts)
 *   lifo, fifo           nothing: the mailbox's own list is in the order of arrival
 *   drop-lowest          a ranking beside any of them, from which any may be taken out (ranking.ts):
 *                          priority │ −moment, −arrival
 *   keep-latest          a map from keys to runs beside any of them (latest.ts)
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
  ORDERING_WINDOW,
  OVERFLOW_DROP_LOWEST,
  OVERFLOW_KEEP_LATEST,
} from "../abi";
import { factDeliverByUs, factPriority, factsForget, factsRead, factTimeUs } from "../event/facts";
import { heapGive, heapTakeZero } from "../memory/heap";
import { arrivalAfter } from "./histograms";
import { latestForget, latestFree, latestNote } from "./latest";
import {
  OrderHeap,
  orderHeapAdd,
  orderHeapAhead,
  orderHeapFirst,
  orderHeapFree,
  orderHeapInit,
  orderHeapRemove,
  orderHeapReserve,
} from "./order-heap";
import { Ranking, rankingAdd, rankingFirst, rankingFree, rankingRemove, rankingReserve, rankingRoom } from "./ranking";
import {
  DROPS_LATEST,
  DROPS_LOWEST,
  DROPS_NONE,
  listAdd,
  listCount,
  listFirst,
  listInit,
  listRemove,
  Mailbox,
  ORDER_HEADS_OFFSET,
  Order,
  orderHead,
  Run,
} from "./records";
import {
  windowAdd,
  windowAhead,
  windowFirst,
  windowForget,
  windowFree,
  windowLate,
  windowRebuild,
  windowRemove,
  windowServed,
} from "./window";

/** What no moment reaches when it is shifted to be positive: 9999 comes before 2^59. */
const MOMENT_NONE: u64 = 0x0fffffffffffffff;
const MOMENT_SHIFT: i64 = 1 << 57;
const LISTS: u32 = 10;
const ORDER_BYTES: u32 = ORDER_HEADS_OFFSET + LISTS * 8;

function main(order: Order): OrderHeap {
  return changetype<OrderHeap>(changetype<u32>(order) + offsetof<Order>("main"));
}

function second(order: Order): Ranking {
  return changetype<Ranking>(changetype<u32>(order) + offsetof<Order>("second"));
}

/** Whether a mailbox with these policies needs an order. */
export function orderNeeded(ordering: u32, overflow: u32): bool {
  return ordering !== ORDERING_FIFO || dropsOf(overflow) !== DROPS_NONE;
}

/** What a policy needs beside an order. */
function dropsOf(overflow: u32): u32 {
  if (overflow === OVERFLOW_KEEP_LATEST) return DROPS_LATEST;
  return overflow === OVERFLOW_DROP_LOWEST ? DROPS_LOWEST : DROPS_NONE;
}

/** Makes an order with room for `count` entries at once; 0 where memory is used up. */
export function orderNew(ordering: u32, overflow: u32, count: u32): u32 {
  const at = heapTakeZero(ORDER_BYTES);
  if (at === 0) return 0;
  const order = changetype<Order>(at);
  order.ordering = ordering;
  order.drops = dropsOf(overflow);
  orderHeapInit(main(order), count);
  order.secondOffset = offsetof<Run>("dropPlace");
  for (let list: u32 = 0; list < LISTS; list++) {
    listInit(orderHead(order, list));
  }
  if (
    (!ranks(ordering) || orderHeapReserve(main(order), count)) &&
    (order.drops !== DROPS_LOWEST || rankingReserve(second(order), count))
  )
    return at;
  orderFree(order);
  return 0;
}

/** Frees an order; the entries are the mailbox's. */
export function orderFree(order: Order): void {
  windowFree(order);
  latestFree(order);
  orderHeapFree(main(order));
  rankingFree(second(order));
  heapGive(changetype<u32>(order), ORDER_BYTES);
}

/** Whether an ordering keeps its entries in a heap. */
function ranks(ordering: u32): bool {
  return ordering >= ORDERING_DEADLINE && ordering <= ORDERING_TIME;
}

/** Adds an entry that came after all others, at `cameMs`. Returns false where memory is used up. */
export function orderAdd(order: Order, inbox: Mailbox, run: Run, cameMs: f64): bool {
  const ordering = order.ordering;
  if (order.drops === DROPS_LOWEST && !rankingRoom(second(order))) return false;
  run.deadline = order.arrivals = arrivalAfter(order.arrivals, cameMs);
  if (ordering === ORDERING_WINDOW) {
    windowAdd(order, inbox, run);
  } else if (ordering > ORDERING_LIFO) {
    factsRead(run.at);
    if (ordering === ORDERING_PRIORITY) {
      listAdd(orderHead(order, 9 - factPriority), run);
      order.filled |= 1 << (9 - factPriority);
    } else if (!orderHeapAdd(main(order), inbox, orderKey(ordering, 0), run)) {
      return false;
    }
  }
  if (order.drops === DROPS_LATEST) latestNote(order, run);
  else if (order.drops === DROPS_LOWEST) secondAdd(order, run);
  return true;
}

/** Whether an entry may stand in the very place of another, which came before: nothing but their arrival tells them apart. */
export function orderSame(order: Order, oneAt: u32, otherAt: u32): bool {
  const ordering = order.ordering;
  if (ordering === ORDERING_FIFO || ordering === ORDERING_WINDOW) return true;
  // What came last leaves first: that is never where an older one stands.
  if (ordering === ORDERING_LIFO) return false;
  factsRead(oneAt);
  const key = orderKey(ordering, 0);
  factsRead(otherAt);
  return orderKey(ordering, 0) === key;
}

/** Adds an entry to the ranking of those that give way, which has room for it. */
function secondAdd(order: Order, run: Run): void {
  factsRead(run.at);
  const high = ((<u64>factPriority) << 60) | (MOMENT_NONE - moment(factDeliverByUs));
  rankingAdd(second(order), high, ~(<u64>run.deadline), changetype<u32>(run));
}

/** Keeps beside the order what another overflow policy needs. Returns false where memory is used up; the former one is gone then. */
export function orderDrops(order: Order, inbox: Mailbox, overflow: u32): bool {
  const drops = dropsOf(overflow);
  if (drops === order.drops) return true;
  order.drops = DROPS_NONE;
  rankingFree(second(order));
  latestFree(order);
  if (drops === DROPS_LOWEST && !rankingReserve(second(order), inbox.events)) return false;
  factsForget();
  for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) {
    if (drops === DROPS_LOWEST) secondAdd(order, changetype<Run>(at));
    else if (drops === DROPS_LATEST) latestNote(order, changetype<Run>(at));
  }
  order.drops = drops;
  return true;
}

/** A moment as a number that is never negative and has four bits to spare. */
function moment(us: i64): u64 {
  return us === i64.MAX_VALUE ? MOMENT_NONE : <u64>(us + MOMENT_SHIFT);
}

/**
 * One word by which entries of an ordering that may be put off are sorted, those with equal ones by arrival: of the entry whose
 * facts were read last, which is the `arrival`-th.
 */
export function orderKey(ordering: u32, arrival: u32): u64 {
  if (ordering === ORDERING_DEADLINE) return (moment(factDeliverByUs) << 4) | (9 - factPriority);
  if (ordering === ORDERING_PRIORITY_DEADLINE) return ((<u64>(9 - factPriority)) << 60) | moment(factDeliverByUs);
  if (ordering === ORDERING_TIME) return moment(factTimeUs);
  return ordering === ORDERING_LIFO ? ~(<u64>arrival) : 9 - factPriority;
}

/**
 * Whether an order may be put off while everything that waits can leave at once (reorder.ts): nothing else depends on it, and
 * it depends on nothing but the entries.
 */
export function orderPutsOff(ordering: u32, overflow: u32): bool {
  return ordering !== ORDERING_FIFO && ordering !== ORDERING_WINDOW && dropsOf(overflow) === DROPS_NONE;
}

/** Whether what orderFirst() found has missed the deadline of its stream, and is to be dropped. */
export let orderLate: bool = false;

/** Address of the entry that leaves next, 0: none. */
export function orderFirst(inbox: Mailbox): u32 {
  const order = changetype<Order>(inbox.order);
  const ordering = order.ordering;
  orderLate = false;
  if (ordering === ORDERING_FIFO) return inbox.head;
  if (ordering === ORDERING_LIFO) return inbox.tail;
  if (ordering === ORDERING_WINDOW) {
    const stream = windowFirst(order, inbox);
    orderLate = windowLate;
    return stream;
  }
  if (ordering !== ORDERING_PRIORITY) return orderHeapFirst(main(order));
  while (order.filled !== 0) {
    const first = listFirst(orderHead(order, <u32>ctz(order.filled)));
    if (first !== 0) return first;
    // Removing does not know the list: bits of lists that fell empty are cleared here.
    order.filled &= order.filled - 1;
  }
  return 0;
}

/** Address of the entry that gives way where the least urgent one does, 0: none. */
export function orderLowest(inbox: Mailbox): u32 {
  return rankingFirst(second(changetype<Order>(inbox.order)));
}

/** Forgets an entry that leaves the mailbox, however it does. Returns whether its run stays as a husk (order-heap.ts). */
export function orderRemove(inbox: Mailbox, run: Run): bool {
  const order = changetype<Order>(inbox.order);
  if (order.drops === DROPS_LOWEST) rankingRemove(second(order), changetype<u32>(run));
  else if (order.drops === DROPS_LATEST) latestForget(order, run);
  const ordering = order.ordering;
  if (ordering === ORDERING_PRIORITY) listRemove(run);
  else if (ordering === ORDERING_WINDOW) windowRemove(order, run);
  else if (ordering > ORDERING_PRIORITY) return orderHeapRemove(main(order), run);
  return false;
}

/** Notes that an entry is being delivered; it is removed after that. Returns whether its stream has counted it. */
export function orderServed(inbox: Mailbox, run: Run): bool {
  const order = changetype<Order>(inbox.order);
  return order.ordering === ORDERING_WINDOW && windowServed(order, inbox, run);
}

/** Members have left this mailbox, and their entries. */
export function orderForget(inbox: Mailbox): void {
  const order = changetype<Order>(inbox.order);
  if (order.ordering === ORDERING_WINDOW) windowForget(order);
}

/** The window of a channel has changed: puts every entry where it belongs now. */
export function orderWindows(inbox: Mailbox): void {
  if (inbox.order === 0) return;
  const order = changetype<Order>(inbox.order);
  if (order.ordering === ORDERING_WINDOW) windowRebuild(order, inbox);
}

/**
 * Puts all entries of a mailbox of which `wanted` says so into a ranking by its order; only where that is a heap. Their place there
 * is noted in `back`, which such orderings leave free. Returns false where memory is used up.
 */
export function orderRanked(inbox: Mailbox, into: Ranking, wanted: (run: Run) => bool): bool {
  const ordering = changetype<Order>(inbox.order).ordering;
  into.placeOffset = offsetof<Run>("back");
  factsForget();
  for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) {
    const run = changetype<Run>(at);
    if (!wanted(run)) continue;
    factsRead(run.at);
    if (!rankingAdd(into, orderKey(ordering, 0), <u64>run.deadline, at)) return false;
  }
  return true;
}

/** Whether the entries of a mailbox are in a heap. */
export function orderRanks(inbox: Mailbox): bool {
  return ranks(changetype<Order>(inbox.order).ordering);
}

/**
 * Address of the run behind one in an order without a heap, or of the first for 0; 0: there is none. Streams of windows are
 * left aside: their events come as they arrived.
 */
export function orderNext(inbox: Mailbox, at: u32): u32 {
  const order = changetype<Order>(inbox.order);
  if (order.ordering === ORDERING_LIFO) return at === 0 ? inbox.tail : changetype<Run>(at).previous;
  if (order.ordering !== ORDERING_PRIORITY) return at === 0 ? inbox.head : changetype<Run>(at).next;
  let list: u32 = 0;
  if (at !== 0) {
    const next = changetype<Run>(at).place;
    const headsAt = orderHead(order, 0);
    // A place among the heads is the end of a list.
    if (next < headsAt || next > orderHead(order, LISTS - 1)) return next;
    list = (next - headsAt) / (orderHead(order, 1) - headsAt) + 1;
  }
  for (; list < LISTS; list++) {
    const first = listFirst(orderHead(order, list));
    if (first !== 0) return first;
  }
  return 0;
}

/**
 * How many entries of a mailbox would leave before one of a channel that came now, with the facts that were noted last: for explain.
 * Of a stream of a window, those of the stream: when its turn comes depends on all others.
 */
export function orderAhead(inbox: Mailbox, channel: u32): u32 {
  if (inbox.order === 0) return inbox.events;
  const order = changetype<Order>(inbox.order);
  const ordering = order.ordering;
  if (ordering === ORDERING_FIFO) return inbox.events;
  if (ordering === ORDERING_LIFO) return 0;
  if (ordering === ORDERING_WINDOW) return windowAhead(order, inbox, channel);
  if (ordering !== ORDERING_PRIORITY) return orderHeapAhead(main(order), orderKey(ordering, 0));
  let ahead: u32 = 0;
  for (let list: u32 = 0; list <= 9 - factPriority; list++) ahead += listCount(orderHead(order, list));
  return ahead;
}
