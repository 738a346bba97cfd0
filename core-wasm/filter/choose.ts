/**
 * How a route chooses among the sinks that qualify. Two ways that agree: along the tree that is kept in order, where the
 * order depends on sinks only; and over an array of all candidates, for everything else and for explain.
 */
import { CHOOSE_BEST, CHOOSE_HASH, CHOOSE_RANDOM, CHOOSE_TIED, EXPLAINED_ROUTE_CHANCE } from "../abi";
import { Member } from "../channel/member";
import { nowMs } from "../clock";
import { memberTakes } from "../match/select";
import { fraction, mix64, random64 } from "../memory/random";
import {
  Candidate,
  candidateAdd,
  candidateAt,
  candidates,
  candidatesClear,
  groupCount,
  groupsBegin,
  indexesAt,
} from "./candidates";
import {
  badnessOf,
  rankedSetMs,
  rankFreshness,
  rankOf,
  rankSetMs,
  rankValue,
  selectionsOf,
  sinkHolds,
  valueHash,
} from "./questions";
import { Route } from "./route";
import { FRESH, RankNode, STALE, treeFirst, treeFirstStale, treeInsert, treeNext, treeRemove } from "./tree";

/** Makes the first `limit` sinks of the route's tree that take the event the candidates. */
export function chooseOrdered(route: Route, limit: u32, connection: u32, type: u32): void {
  candidatesClear();
  const where = route.whereOfEvent !== 0 ? 0 : route.where;
  let at = treeFirst(route.root);
  while (at !== 0 && candidates < limit) {
    const node = changetype<RankNode>(at);
    let next = treeNext(at);
    if (node.freshness === FRESH && nowMs - node.setMs > route.maxAgeMs) {
      // It has grown old since it was put here: it goes behind the fresh ones, where it is met again.
      node.freshness = STALE;
      route.root = treeInsert(treeRemove(route.root, at), at);
      if (next === 0 || changetype<RankNode>(next).freshness !== FRESH) next = treeFirstStale(route.root);
    } else {
      const member = changetype<Member>(node.member);
      if (member.connection !== connection && memberTakes(member, type) && sinkHolds(where, node.member))
        candidateAdd(node.member);
    }
    at = next;
  }
}

/**
 * Keeps the first `limit` of the candidates that are in, by what the route prefers, and puts the others out.
 *
 * @param key Hash of the event's key, or of its sequence, for `hash`.
 * @param all Whether all are to be put in order, for explain, or only as many as are wanted. A dry run cannot know what
 *   chance will do: where it decides, all are put out with the reason for that.
 * @param reason EXPLAINED_… of those that are put out.
 */
export function chooseAmong(route: Route, limit: u32, key: u64, all: bool, reason: u32): void {
  let count: u32 = 0;
  for (let i: u32 = 0; i < candidates; i++) {
    const candidate = candidateAt(i);
    if (candidate.reason !== 0) continue;
    rank(route, candidate, key, all);
    store<u32>(indexesAt + count++ * 4, i);
  }
  for (let root: i32 = (<i32>count >> 1) - 1; root >= 0; root--) sift(root, count);
  const chance =
    all && (route.choose === CHOOSE_RANDOM || route.choose === CHOOSE_TIED) && (count > limit || route.per !== 0);
  groupsBegin();
  let kept: u32 = 0;
  let place: u32 = 0;
  while (count !== 0) {
    const candidate = candidateAt(load<u32>(indexesAt));
    store<u32>(indexesAt, load<u32>(indexesAt + --count * 4));
    sift(0, count);
    candidate.rank = ++place;
    if (chance) {
      candidate.reason = EXPLAINED_ROUTE_CHANCE;
      candidate.rank = 0;
      continue;
    }
    const before = route.per === 0 ? kept : candidate.group === 0 ? 0 : groupCount(candidate.group);
    // A sink without a group passes, but nobody passes where nobody may.
    if (before < limit || (limit !== 0 && route.per !== 0 && candidate.group === 0)) kept++;
    else candidate.reason = reason;
    if (route.per === 0 && kept === limit && !all) break;
  }
  while (count !== 0) candidateAt(load<u32>(indexesAt + --count * 4)).reason = reason;
}

/** Gives a candidate its place in the order of the route. */
function rank(route: Route, candidate: Candidate, key: u64, all: bool): void {
  const member = changetype<Member>(candidate.member);
  candidate.order = member.order;
  candidate.freshness = FRESH;
  candidate.selections = 0;
  if (route.per !== 0) candidate.group = valueHash(route.per, candidate.member);
  if (route.choose === CHOOSE_HASH) {
    // Rendezvous hashing: a sink that comes or goes moves no key but its own (Thaler and Ravishankar).
    candidate.badness = fraction(mix64(key ^ mix64(member.order)));
    return;
  }
  if (route.choose !== CHOOSE_BEST) {
    candidate.badness = all ? 0 : fraction(random64());
    return;
  }
  rankOf(route, candidate.member);
  candidate.freshness = rankFreshness;
  candidate.selections = selectionsOf(candidate.member);
  candidate.badness = badnessOf(route, rankValue, candidate.selections);
  if (!all) return;
  candidate.charge = route.charge * candidate.selections;
  if (route.orderBy === 0) return;
  candidate.value = rankValue;
  candidate.ageMs = nowMs - (rankSetMs === Infinity ? rankedSetMs(route, candidate.member) : rankSetMs);
}

function preferred(a: u32, b: u32): bool {
  const x = candidateAt(a);
  const y = candidateAt(b);
  if (x.freshness !== y.freshness) return x.freshness < y.freshness;
  if (x.badness !== y.badness) return x.badness < y.badness;
  if (x.selections !== y.selections) return x.selections < y.selections;
  return x.order < y.order;
}

/** Lets the index at a place of the heap sink to where no preferred one is below it. */
function sift(place: u32, count: u32): void {
  const index = load<u32>(indexesAt + place * 4);
  while (true) {
    let child = place * 2 + 1;
    if (child >= count) break;
    if (child + 1 < count && preferred(load<u32>(indexesAt + child * 4 + 4), load<u32>(indexesAt + child * 4))) child++;
    const other = load<u32>(indexesAt + child * 4);
    if (!preferred(other, index)) break;
    store<u32>(indexesAt + place * 4, other);
    place = child;
  }
  store<u32>(indexesAt + place * 4, index);
}
