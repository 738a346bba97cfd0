/**
 * The sinks that an event may go to, while filters choose among them: an array that is made once per event, where a filter
 * needs it. Room for it is kept as channels with filters grow, so that choosing never fails for want of memory.
 */
import { heapGive, heapTake } from "../memory/heap";

/** One sink. Those with a reason are out. */
@unmanaged
export class Candidate {
  /** Address of the Member. */
  member: u32;
  /** EXPLAINED_… of what put it out, 0: it is in. */
  reason: u32;
  badness: f64;
  /** The value by which it is ranked, and how old that is, ms; NaN: none. */
  value: f64;
  ageMs: f64;
  /** Hash of its group, 0: it has none. */
  group: u64;
  freshness: u32;
  selections: u32;
  order: u32;
  /** For explain: its place from 1, routes and whose they are as in EXPLAIN_ROUTE and EXPLAIN_STAGE_OWN; 0: none. */
  rank: u32;
  route: u32;
  own: u32;
  charge: f64;
}
export const CANDIDATE_BYTES: u32 = offsetof<Candidate>();

/** The array, how many are in use and have room. Beside each: an index for sorting and two slots of the groups' table. */
export let candidatesAt: u32 = 0;
export let candidates: u32 = 0;
let capacity: u32 = 0;

/** Indexes of candidates, u32, as the choice puts them in order. */
export let indexesAt: u32 = 0;
/** Table of groups: u64 hash, u32 stamp, u32 count each; a power of two of them, at least twice the candidates. */
export let groupsAt: u32 = 0;
export let groupsMask: u32 = 0;

/** Forgets the array. */
export function candidatesInit(): void {
  candidatesAt = candidates = capacity = indexesAt = groupsAt = groupsMask = 0;
}

/** Makes room for that many sinks. Returns false where memory is used up; then the room there was stays. */
export function candidatesReserve(count: u32): bool {
  if (count <= capacity) return true;
  let wanted: u32 = capacity === 0 ? 64 : capacity;
  while (wanted < count) wanted *= 2;
  const array = heapTake(wanted * CANDIDATE_BYTES);
  const indexes = heapTake(wanted * 4);
  const groups = heapTake(wanted * 2 * GROUP_BYTES);
  if (array === 0 || indexes === 0 || groups === 0) {
    if (array !== 0) heapGive(array, wanted * CANDIDATE_BYTES);
    if (indexes !== 0) heapGive(indexes, wanted * 4);
    if (groups !== 0) heapGive(groups, wanted * 2 * GROUP_BYTES);
    return false;
  }
  if (capacity !== 0) {
    heapGive(candidatesAt, capacity * CANDIDATE_BYTES);
    heapGive(indexesAt, capacity * 4);
    heapGive(groupsAt, capacity * 2 * GROUP_BYTES);
  }
  memory.fill(groups, 0, wanted * 2 * GROUP_BYTES);
  candidatesAt = array;
  indexesAt = indexes;
  groupsAt = groups;
  groupsMask = wanted * 2 - 1;
  capacity = wanted;
  stamp = 0;
  return true;
}

/** The candidate at a place. */
export function candidateAt(index: u32): Candidate {
  return changetype<Candidate>(candidatesAt + index * CANDIDATE_BYTES);
}

/** Empties the array. */
export function candidatesClear(): void {
  candidates = 0;
}

/** Adds a sink that is in. There is room. Nothing else of it is set: many are put out before anybody asks. */
export function candidateAdd(member: u32): Candidate {
  const candidate = candidateAt(candidates++);
  candidate.member = member;
  candidate.reason = 0;
  return candidate;
}

/** Sets what explain tells of a candidate to nothing. */
export function candidateBlank(candidate: Candidate): void {
  candidate.value = candidate.ageMs = NaN;
  candidate.charge = 0;
  candidate.rank = candidate.route = candidate.own = 0;
}

const GROUP_BYTES: u32 = 16;
let stamp: u32 = 0;

/** Begins to count groups anew. */
export function groupsBegin(): void {
  stamp++;
  if (stamp !== 0) return;
  memory.fill(groupsAt, 0, (groupsMask + 1) * GROUP_BYTES);
  stamp = 1;
}

/** Counts one more of a group; returns how many there were. */
export function groupCount(group: u64): u32 {
  let slot = <u32>(group >> 32) & groupsMask;
  while (true) {
    const at = groupsAt + slot * GROUP_BYTES;
    if (load<u32>(at, 8) !== stamp) {
      store<u64>(at, group);
      store<u32>(at, stamp, 8);
      store<u32>(at, 1, 12);
      return 0;
    }
    if (load<u64>(at) === group) {
      const count = load<u32>(at, 12);
      store<u32>(at, count + 1, 12);
      return count;
    }
    slot = (slot + 1) & groupsMask;
  }
}
