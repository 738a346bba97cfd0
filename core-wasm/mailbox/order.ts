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
 *   window               streams, each a list of its own (window.ts)
 *   lifo, fifo           nothing: the mailbox's own list is in the order of arrival
 *   drop-lowest          a second ranking beside any of them:
 *                                              priority │ −moment           −arrival
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
  Ranking,
  rankingAdd,
  rankingAhead,
  rankingCopy,
  rankingFirst,
  rankingFree,
  rankingRemove,
  rankingReserve,
} from "./ranking";
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

function main(order: Order): Ranking {
  return changetype<Ranking>(changetype<u32>(order) + offsetof<Order>("main"));
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
  order.mainOffset = offsetof<Run>("place");
  order.secondOffset = offsetof<Run>("dropPlace");
  for (let list: u32 = 0; list < LISTS; list++) {
    listInit(orderHead(order, list));
  }
  if (
    (!ranks(ordering) || rankingReserve(main(order), count)) &&
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
  rankingFree(main(order));
  rankingFree(second(order));
  heapGive(changetype<u32>(order), ORDER_BYTES);
}

/** Whether an ordering keeps its entries in a ranking. */
function ranks(ordering: u32): bool {
  return ordering >= ORDERING_DEADLINE && ordering <= ORDERING_TIME;
}

/** Adds an entry that came after all others, at `cameMs`. Returns false where memory is used up. */
export function orderAdd(order: Order, inbox: Mailbox, run: Run, cameMs: f64): bool {
  const at = changetype<u32>(run);
  const ordering = order.ordering;
  run.deadline = order.arrivals = arrivalAfter(order.arrivals, cameMs);
  if (ordering === ORDERING_WINDOW) {
    windowAdd(order, inbox, run);
  } else if (ordering > ORDERING_LIFO) {
    factsRead(run.at);
    if (ordering === ORDERING_PRIORITY) {
      listAdd(orderHead(order, 9 - factPriority), run);
      order.filled |= 1 << (9 - factPriority);
    } else if (!rankingAdd(main(order), highOf(ordering), lowOf(ordering, <u64>run.deadline), at)) {
      return false;
    }
  }
  if (order.drops === DROPS_LATEST) latestNote(order, run);
  else if (order.drops === DROPS_LOWEST && !secondAdd(order, run)) {
    mainRemove(order, run);
    return false;
  }
  return true;
}

/** Whether an entry may stand in the very place of another, which came before: nothing but their arrival tells them apart. */
export function orderSame(order: Order, oneAt: u32, otherAt: u32): bool {
  const ordering = order.ordering;
  if (ordering === ORDERING_FIFO || ordering === ORDERING_WINDOW) return true;
  // What came last leaves first: that is never where an older one stands.
  if (ordering === ORDERING_LIFO) return false;
  factsRead(oneAt);
  const priority = factPriority;
  const high = highOf(ordering);
  factsRead(otherAt);
  if (ordering === ORDERING_PRIORITY) return factPriority === priority;
  return highOf(ordering) === high && (ordering !== ORDERING_DEADLINE || factPriority === priority);
}

function secondAdd(order: Order, run: Run): bool {
  factsRead(run.at);
  const high = ((<u64>factPriority) << 60) | (MOMENT_NONE - moment(factDeliverByUs));
  return rankingAdd(second(order), high, ~(<u64>run.deadline), changetype<u32>(run));
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

function highOf(ordering: u32): u64 {
  if (ordering === ORDERING_DEADLINE) return moment(factDeliverByUs);
  if (ordering === ORDERING_PRIORITY_DEADLINE) return ((<u64>(9 - factPriority)) << 60) | moment(factDeliverByUs);
  return moment(factTimeUs);
}

/**
 * One word by which entries of an ordering that may be put off are sorted, those with equal ones by arrival: of the entry whose
 * facts were read last, which is the `arrival`-th.
 */
export function orderKey(ordering: u32, arrival: u32): u64 {
  if (ordering === ORDERING_LIFO) return ~(<u64>arrival);
  if (ordering === ORDERING_PRIORITY) return 9 - factPriority;
  if (ordering === ORDERING_DEADLINE) return (moment(factDeliverByUs) << 4) | (9 - factPriority);
  return highOf(ordering);
}

/**
 * Whether an order may be put off while everything that waits can leave at once (reorder.ts): nothing else depends on it, and
 * it depends on nothing but the entries.
 */
export function orderPutsOff(ordering: u32, overflow: u32): bool {
  return ordering !== ORDERING_FIFO && ordering !== ORDERING_WINDOW && dropsOf(overflow) === DROPS_NONE;
}

function lowOf(ordering: u32, arrival: u64): u64 {
  return ordering === ORDERING_DEADLINE ? ((<u64>(9 - factPriority)) << 60) | arrival : arrival;
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
  if (ordering !== ORDERING_PRIORITY) return rankingFirst(main(order));
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

/** Forgets an entry that leaves the mailbox, however it does. */
export function orderRemove(inbox: Mailbox, run: Run): void {
  const order = changetype<Order>(inbox.order);
  mainRemove(order, run);
  if (order.drops === DROPS_LOWEST) rankingRemove(second(order), changetype<u32>(run));
  else if (order.drops === DROPS_LATEST) latestForget(order, run);
}

function mainRemove(order: Order, run: Run): void {
  if (ranks(order.ordering)) {
    rankingRemove(main(order), changetype<u32>(run));
  } else if (order.ordering === ORDERING_PRIORITY) {
    listRemove(run);
  } else if (order.ordering === ORDERING_WINDOW) {
    windowRemove(order, run);
  }
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
 * Puts all entries of a mailbox of which `wanted` says so into another ranking, by the keys that they have here; only where the
 * ordering keeps one. Their place there is noted in `back`, which such orderings leave free. Returns false where memory is used up.
 */
export function orderRanked(inbox: Mailbox, into: Ranking, wanted: (run: Run) => bool): bool {
  const from = main(changetype<Order>(inbox.order));
  into.placeOffset = offsetof<Run>("back");
  for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) {
    if (wanted(changetype<Run>(at)) && !rankingCopy(into, from, at)) return false;
  }
  return true;
}

/** Whether the entries of a mailbox are in a ranking. */
export function orderRanks(inbox: Mailbox): bool {
  return ranks(changetype<Order>(inbox.order).ordering);
}

/**
 * Address of the run behind one in an order without a ranking, or of the first for 0; 0: there is none. Streams of windows are
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
  if (ordering !== ORDERING_PRIORITY)
    return rankingAhead(main(order), highOf(ordering), lowOf(ordering, <u64>order.arrivals));
  let ahead: u32 = 0;
  for (let list: u32 = 0; list <= 9 - factPriority; list++) ahead += listCount(orderHead(order, list));
  return ahead;
}
