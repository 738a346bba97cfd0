/**
 * The places of a channel's sinks in the trees of its routes: made when a filter is bound or a sink joins, moved when a
 * sink updates its attributes or is chosen, gone when either goes.
 */
import { Channel } from "../channel/channel";
import { Live, liveTake } from "../channel/live";
import { Member } from "../channel/member";
import { joinedSink } from "../channel/sinks";
import { heapGive, heapTakeZero } from "../memory/heap";
import { badnessOf, rankFreshness, rankOf, rankSetMs, rankValue } from "./questions";
import { Route, Routes, routeAt } from "./route";
import { RankNode, treeFallen, treeInsert, treeMoved, treeRemove } from "./tree";

const NODE_BYTES: u32 = offsetof<RankNode>();

/** Gives a sink its places in the trees of a channel's routes. Returns false where memory is used up; ranksLeave() undoes it. */
export function ranksJoin(routes: u32, member: Member): bool {
  if (routes === 0) return true;
  const list = changetype<Routes>(routes);
  for (let i: u32 = 0; i < list.count; i++) {
    if (routeAt(list, i).ordered !== 0 && !nodeAdd(routeAt(list, i), member)) return false;
  }
  return true;
}

function nodeAdd(route: Route, member: Member): bool {
  const address = liveTake(member);
  const at = address === 0 ? 0 : heapTakeZero(NODE_BYTES);
  if (at === 0) return false;
  const live = changetype<Live>(address);
  const node = changetype<RankNode>(at);
  node.order = member.order;
  node.member = changetype<u32>(member);
  node.route = changetype<u32>(route);
  rankRead(node, live);
  route.root = treeInsert(route.root, at);
  node.nextOfMember = live.nodes;
  live.nodes = at;
  return true;
}

/** Asks the route anew about the sink of a node. */
function rankRead(node: RankNode, live: Live): void {
  const route = changetype<Route>(node.route);
  rankOf(route, node.member);
  node.value = rankValue;
  node.setMs = rankSetMs;
  node.freshness = rankFreshness;
  node.selections = live.selections;
  node.badness = badnessOf(route, node.value, node.selections);
}

/** Takes a sink off all trees, or off those of some routes only. */
export function ranksLeave(member: Member, routes: u32): void {
  if (member.live === 0) return;
  const live = changetype<Live>(member.live);
  let kept: u32 = 0;
  for (let at = live.nodes; at !== 0; ) {
    const node = changetype<RankNode>(at);
    const next = node.nextOfMember;
    if (routes === 0 || owns(changetype<Routes>(routes), node.route)) {
      const route = changetype<Route>(node.route);
      route.root = treeRemove(route.root, at);
      heapGive(at, NODE_BYTES);
    } else {
      node.nextOfMember = kept;
      kept = at;
    }
    at = next;
  }
  live.nodes = kept;
}

function owns(routes: Routes, route: u32): bool {
  return (
    routes.count !== 0 &&
    route >= changetype<u32>(routeAt(routes, 0)) &&
    route <= changetype<u32>(routeAt(routes, routes.count - 1))
  );
}

/** Gives all sinks of a channel their places in the trees of routes; false where memory is used up, and then none has any. */
export function ranksBind(routes: u32, channel: Channel): bool {
  for (let place: u32 = 0; place < channel.joined; place++) {
    const at = joinedSink(channel, place);
    if (at === 0 || ranksJoin(routes, changetype<Member>(at))) continue;
    ranksUnbind(routes, channel);
    return false;
  }
  return true;
}

/** Takes all sinks of a channel off the trees of routes. */
export function ranksUnbind(routes: u32, channel: Channel): void {
  if (routes === 0) return;
  for (let place: u32 = 0; place < channel.joined; place++) {
    const at = joinedSink(channel, place);
    if (at !== 0) ranksLeave(changetype<Member>(at), routes);
  }
}

/** A sink has updated its live attributes: whatever it was chosen for before no longer counts. */
export function ranksUpdate(member: Member): void {
  const live = changetype<Live>(member.live);
  live.selections = 0;
  for (let at = live.nodes; at !== 0; at = changetype<RankNode>(at).nextOfMember) {
    const node = changetype<RankNode>(at);
    const route = changetype<Route>(node.route);
    rankRead(node, live);
    route.root = treeMoved(route.root, at);
  }
}

/** A route with a limit has chosen a sink. */
export function ranksChosen(member: Member): void {
  const address = liveTake(member);
  // Without memory the choice is made all the same; only the next one will not know of it.
  if (address === 0) return;
  const live = changetype<Live>(address);
  if (live.selections !== u32.MAX_VALUE) live.selections++;
  for (let at = live.nodes; at !== 0; at = changetype<RankNode>(at).nextOfMember) {
    const node = changetype<RankNode>(at);
    const route = changetype<Route>(node.route);
    node.selections = live.selections;
    node.badness = badnessOf(route, node.value, node.selections);
    route.root = treeFallen(route.root, at);
  }
}
