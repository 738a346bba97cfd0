/** What the host calls about filter modules; index.ts exports it. Described in host/core/exports.ts. */
import { STATUS_CHANNEL_UNKNOWN, STATUS_MEMBER_UNKNOWN, STATUS_OK } from "../abi";
import { channelAt, channelFind } from "../channel/channel";
import { memberFind } from "../channel/member";
import { clockSet } from "../clock";
import { rangeFlush } from "../match/fan-out";
import { pumpWaiting } from "../match/pump";
import { heldRetry } from "../match/routed";
import { resultStatus } from "../result";
import { resultDeciding } from "../session/calls";
import { channelDecide, channelTextFind, memberDecide } from "./attach";
import { batchDecide, batchNext } from "./batch";
import { Decider, deciderCounter, deciderInterned, deciderLeave, deciderNew } from "./decider";
import { heldWake } from "./held";
import { internedTake } from "./interned";
import { parkedEvents } from "./parked";

/** Keeps what a module wants to see. */
export function deciderAdd(at: u32, bytes: u32): u32 {
  return deciderNew(at, bytes);
}

/** Ends the host's use of a decider. */
export function deciderRelease(decider: u32): void {
  if (decider !== 0) deciderLeave(changetype<Decider>(decider));
}

/** Gives a text of a module its number. */
export function deciderIntern(decider: u32, at: u32, bytes: u32): u32 {
  const number = internedTake(deciderInterned(changetype<Decider>(decider)), at, bytes);
  channelTextFind(changetype<Decider>(decider));
  return number;
}

/** A counter of a decider. */
export function deciderStatistic(decider: u32, stage: u32, counter: u32): f64 {
  return deciderCounter(changetype<Decider>(decider), stage, counter);
}

/** Binds a decider to a stage of a channel. */
export function channelDecider(number: u32, stage: u32, decider: u32): u32 {
  const channel = channelFind(number);
  if (channel === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, number, 0);
  rangeFlush();
  const status = channelDecide(channel, stage, decider);
  if (status === STATUS_OK) heldWake(channel);
  return status;
}

/** Has a source carry a decider. */
export function memberDecider(number: u32, stage: u32, decider: u32): u32 {
  const member = memberFind(number);
  if (member === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  rangeFlush();
  return memberDecide(member, channelAt(member.channel), stage, decider);
}

/** Presents the next batch. */
export function decideNext(now: f64): u32 {
  clockSet(now);
  let events = batchNext();
  // Where nothing was left to ask, what goes on now may have to be decided.
  while (events === 0) {
    rangeFlush();
    goOn();
    if (parkedEvents() === 0) break;
    events = batchNext();
  }
  rangeFlush();
  return events;
}

/** Carries out the words of the batch. */
export function decide(words: u32, now: f64): u32 {
  clockSet(now);
  const status = batchDecide(words);
  rangeFlush();
  goOn();
  resultDeciding();
  return status;
}

/** Outboxes stopped when the batch was full, and held events waited for room in it. */
function goOn(): void {
  pumpWaiting();
  heldRetry();
}
