/**
 * The filters on an event's way, in their order: what its source carries for OUT, the channel's OUT, then the same for IN.
 * Each begins with what the one before has left; the first begins with all sinks that take the event. See
 * docs/adr/0021.
 *
 * The submitter's own sinks are never candidates: they follow the channel's `echo`, unless the event is a duplicate or a
 * response that they have not asked for.
 */
import {
  CHANNEL_ECHO,
  CHOOSE_HASH,
  CHOOSE_TIED,
  EXPLAINED_IN,
  EXPLAINED_ROUTE_LIMIT,
  EXPLAINED_ROUTE_REPLY,
  EXPLAINED_ROUTE_UNIQUE,
  EXPLAINED_ROUTE_WHERE,
  ROLE_SINK,
  ROUTE_HAS_REPLY,
  STAGE_IN,
  STAGE_OUT,
} from "../abi";
import { Channel } from "../channel/channel";
import { Live } from "../channel/live";
import { Member, pairFirst } from "../channel/member";
import { nowMs } from "../clock";
import { collectedAt, collectMatching } from "../match/collect";
import { memberTakes } from "../match/select";
import { mix64 } from "../memory/random";
import { EXPLAIN_BY_DECIDER } from "./abi";
import { filtersIn, filtersOut } from "./bind";
import { candidateAdd, candidateAt, candidates, candidatesClear } from "./candidates";
import { chooseAmong, chooseOrdered } from "./choose";
import { eventHolds, keyHash, limitOf, NO_LIMIT, sinkHolds, valueHash } from "./questions";
import { ranksChosen } from "./ranks";
import { recentAdd, recentFind } from "./recent";
import { Route, Routes, routeAt } from "./route";

/** Whether the candidates stand in their array; where they do not, all sinks that take the event are candidates. */
export let stagesFilled: bool = false;
/** Whether own sinks of the submitter may get the event. */
export let stagesOwn: bool = false;
/** EXPLAINED_… of why they may not, 0 where they may. */
export let stagesOwnReason: u32 = 0;

/** The event under way; whether nothing may change; whether this is a dry run, which tells why and puts all in order. */
let channelUnderWay: u32 = 0;
let connection: u32 = 0;
let type: u32 = 0;
let sequence: u64 = 0;
let quiet = false;
let dry = false;
/** Route and stage under way, for explain. */
let place: u32 = 0;
let own: u32 = 0;
let reasonOffset: u32 = 0;

/** What an accepted event leaves behind: u32 memory, u32 value, u64 key each. At most two per stage. */
const REMEMBERED_MAX: u32 = 8;
const rememberedAt: u32 = <u32>memory.data(128, 8);
if (REMEMBERED_MAX * 16 !== 128) ERROR("rememberedAt has not the size of what it holds");
let remembered: u32 = 0;
/** How much of that is of OUT, and whether IN ran without knowing of any sink. */
let rememberedOut: u32 = 0;
let unsure = false;

/** How an event is run: for real; for real, but nobody may see it yet; to tell what would become of it. */
export const RUN: u32 = 0;
export const RUN_QUIET: u32 = 1;
export const RUN_DRY: u32 = 2;

/** Begins with an event, the one of the view. `submitter`: the number of its connection; `mode`: RUN…. */
export function stagesBegin(channel: Channel, submitter: u32, typeNumber: u32, number: u64, mode: u32): void {
  channelUnderWay = changetype<u32>(channel);
  connection = submitter;
  type = typeNumber;
  sequence = number;
  dry = mode === RUN_DRY;
  quiet = mode !== RUN;
  stagesFilled = false;
  stagesOwn = true;
  stagesOwnReason = 0;
  remembered = rememberedOut = 0;
  unsure = false;
}

/** Says that the candidates stand in their array already. */
export function stagesFill(): void {
  stagesFilled = true;
}

/** Routes that a source carries for a stage, 0: none. `source`: address of the Member, 0: it has gone. */
export function carriedBy(source: u32, stage: u32): u32 {
  const live = source === 0 ? 0 : changetype<Member>(source).live;
  if (live === 0) return 0;
  return stage === STAGE_OUT ? changetype<Live>(live).routesOut : changetype<Live>(live).routesIn;
}

/**
 * Runs the filters of a stage: what the source carries (0: nothing), then the channel's. IN is not asked about an event
 * that OUT has left nobody for.
 */
export function stageRun(stage: u32, carried: u32): void {
  if (stage === STAGE_IN && stagesNobody()) return;
  const channel = changetype<Channel>(channelUnderWay);
  stageEnter(stage);
  stepRun(carried, true);
  stepRun(stage === STAGE_OUT ? filtersOut(channel) : filtersIn(channel), false);
}

/** Whether it is known already that nobody gets the event. */
export function stagesNobody(): bool {
  return stagesFilled && !anyLeft() && stagesOwnSinks() === 0;
}

/** Begins with a stage. */
export function stageEnter(stage: u32): void {
  reasonOffset = stage === STAGE_IN ? EXPLAINED_IN : 0;
  if (stage === STAGE_OUT) return;
  rememberedOut = remembered;
  unsure = !stagesFilled;
}

/** Runs one list of routes, 0: none. `carried`: it is the source's. */
export function stepRun(routes: u32, carried: bool): void {
  if (routes === 0) return;
  own = carried ? 1 : 0;
  routesRun(changetype<Routes>(routes));
  own = 0;
}

/** Remembers what the event leaves behind in the memories of its routes, now that it is accepted by `selected` sinks. */
export function stagesAccept(selected: u32): void {
  // Whether IN had anybody to select from is found out only where it matters.
  if (selected === 0 && unsure && remembered !== rememberedOut && stagesOwnSinks() === 0) {
    if (collectMatching(changetype<Channel>(channelUnderWay), connection, type) === 0) remembered = rememberedOut;
  }
  for (let i: u32 = 0; i < remembered; i++) {
    const at = rememberedAt + i * 16;
    recentAdd(load<u32>(at), load<u64>(at, 8), load<u32>(at, 4), nowMs);
  }
  remembered = 0;
}

function remember(recent: u32, key: u64, value: u32): void {
  if (quiet || remembered === REMEMBERED_MAX) return;
  const at = rememberedAt + remembered++ * 16;
  store<u32>(at, recent);
  store<u32>(at, value, 4);
  store<u64>(at, key, 8);
}

/** The first route whose `when` holds decides; one with a reply decides for every response. */
function routesRun(routes: Routes): void {
  for (let i: u32 = 0; i < routes.count; i++) {
    const route = routeAt(routes, i);
    const isResponse = (route.flags & ROUTE_HAS_REPLY) !== 0 && eventHolds(route.response);
    if (!isResponse && !eventHolds(route.when)) continue;
    place = i + 1;
    if (dry) mark();
    if (!quiet) route.events++;
    if (isResponse) answer(route);
    else narrow(route);
    return;
  }
}

/** For explain: a decider has the word about those that are in. `carried`: the source brought it. */
export function stagesMark(carried: bool): void {
  place = EXPLAIN_BY_DECIDER;
  own = carried ? 1 : 0;
  mark();
  own = 0;
}

/** For explain: which route has the word about those that are in. */
function mark(): void {
  for (let i: u32 = 0; i < candidates; i++) {
    const candidate = candidateAt(i);
    if (candidate.reason !== 0) continue;
    // Each stage keeps its own last word: of a sink that both let through, people want to know how OUT chose it.
    if (reasonOffset === 0) {
      candidate.route = (candidate.route & 0xffff0000) | place;
      candidate.own = (candidate.own & 2) | own;
    } else {
      candidate.route = (candidate.route & 0xffff) | (place << 16);
      candidate.own = (candidate.own & 1) | (own << 1);
    }
  }
}

/** Own sinks of the submitter do not get it either. */
function ownOut(reason: u32): void {
  if (stagesOwn) stagesOwnOut(reason + reasonOffset);
}

/** The same, for an EXPLAINED_… as it is told. */
export function stagesOwnOut(reason: u32): void {
  stagesOwnReason = reason;
  stagesOwn = false;
}

/** A response goes to those that asked with its key. */
function answer(route: Route): void {
  const key = keyHash();
  const asker = key === 0 ? 0 : recentFind(route.replies, key, nowMs);
  if (asker !== connection || asker === 0) ownOut(EXPLAINED_ROUTE_REPLY);
  fill();
  let left: u32 = 0;
  for (let i: u32 = 0; i < candidates; i++) {
    const candidate = candidateAt(i);
    if (candidate.reason !== 0) continue;
    if (asker !== 0 && changetype<Member>(candidate.member).connection === asker) left++;
    else candidate.reason = EXPLAINED_ROUTE_REPLY + reasonOffset;
  }
  if (quiet) return;
  route.sinks += left;
  if (asker === 0) route.unanswered++;
  if (left === 0) route.nobody++;
}

/** What a route leaves of the candidates. */
function narrow(route: Route): void {
  if (route.replies !== 0) {
    const key = keyHash();
    if (key !== 0) remember(route.replies, key, connection);
  }
  if (route.unique !== 0) {
    const key = route.uniqueBy === 0 ? keyHash() : valueHash(route.uniqueBy, 0);
    if (key !== 0) {
      if (recentFind(route.unique, key, nowMs) !== 0) {
        ownOut(EXPLAINED_ROUTE_UNIQUE);
        dropAll(EXPLAINED_ROUTE_UNIQUE);
        if (quiet) return;
        route.duplicates++;
        route.nobody++;
        return;
      }
      remember(route.unique, key, 1);
    }
  }
  const limit = limitOrDefault(route);
  const where = route.whereOfEvent !== 0 ? 0 : route.where;
  if (route.whereOfEvent !== 0 && !eventHolds(route.where)) dropAll(EXPLAINED_ROUTE_WHERE);
  else if (limit === 0) dropAll(EXPLAINED_ROUTE_LIMIT);
  else if (route.ordered !== 0 && own === 0 && !stagesFilled && !dry) {
    chooseOrdered(route, limit, connection, type);
    stagesFilled = true;
  } else if (limit !== NO_LIMIT || where !== 0 || (dry && route.orderBy !== 0)) {
    fill();
    if (where !== 0) askAll(route);
    if (limit !== NO_LIMIT || dry) choose(route, limit);
  }
  if (!quiet) tell(route, limit !== NO_LIMIT);
}

/** Counts, and notes who was chosen. */
function tell(route: Route, chosen: bool): void {
  // Who gets an event that nobody has narrowed is counted by nobody: it would cost a look at each.
  if (!stagesFilled) return;
  let left: u32 = 0;
  for (let i: u32 = 0; i < candidates; i++) {
    const candidate = candidateAt(i);
    if (candidate.reason !== 0) continue;
    left++;
    if (chosen) ranksChosen(changetype<Member>(candidate.member));
  }
  route.sinks += left;
  if (left === 0) route.nobody++;
}

function limitOrDefault(route: Route): u32 {
  const limit = limitOf(route);
  if (limit !== NO_LIMIT || route.limit !== 0) return limit;
  return route.choose === CHOOSE_TIED ? 2 : route.choose === CHOOSE_HASH ? 1 : NO_LIMIT;
}

function choose(route: Route, limit: u32): void {
  let key = keyHash();
  if (key === 0) key = mix64(sequence);
  chooseAmong(route, limit, key, dry, EXPLAINED_ROUTE_LIMIT + reasonOffset);
}

function askAll(route: Route): void {
  for (let i: u32 = 0; i < candidates; i++) {
    const candidate = candidateAt(i);
    if (candidate.reason === 0 && !sinkHolds(route.where, candidate.member))
      candidate.reason = EXPLAINED_ROUTE_WHERE + reasonOffset;
  }
}

function dropAll(reason: u32): void {
  if (!stagesFilled) candidatesClear();
  stagesFilled = true;
  for (let i: u32 = 0; i < candidates; i++) {
    if (candidateAt(i).reason === 0) candidateAt(i).reason = reason + reasonOffset;
  }
}

/** Puts all sinks that take the event into the array, unless they stand there. */
function fill(): void {
  if (stagesFilled) return;
  stagesFilled = true;
  candidatesClear();
  const count = collectMatching(changetype<Channel>(channelUnderWay), connection, type);
  for (let i: u32 = 0; i < count; i++) candidateAdd(load<u32>(collectedAt + i * 4));
}

/** Whether nobody is selected. */
export function stagesEmpty(): bool {
  fill();
  return !anyLeft();
}

function anyLeft(): bool {
  for (let i: u32 = 0; i < candidates; i++) if (candidateAt(i).reason === 0) return true;
  return false;
}

/** How many are selected. */
export function stagesLeft(): u32 {
  let left: u32 = 0;
  for (let i: u32 = 0; i < candidates; i++) if (candidateAt(i).reason === 0) left++;
  return left;
}

/** How many sinks of the submitter's own get the event beside the selection. */
export function stagesOwnSinks(): u32 {
  const channel = changetype<Channel>(channelUnderWay);
  if (!stagesOwn || (channel.flags & CHANNEL_ECHO) === 0) return 0;
  let sinks: u32 = 0;
  for (let at = pairFirst(connection, channel.number); at !== 0; at = changetype<Member>(at).nextOfPair) {
    const member = changetype<Member>(at);
    if ((member.role & ROLE_SINK) !== 0 && memberTakes(member, type)) sinks++;
  }
  return sinks;
}
