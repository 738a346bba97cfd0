/** The calls of a dry run; index.ts exports them. Described in host/core/exports.ts. */
import {
  REASON_DECIDE,
  REASON_DONE,
  RESULT_COUNT,
  RESULT_REASON,
  STATUS_CHANNEL_UNKNOWN,
  STATUS_OK,
  STATUS_TYPE_REFUSED,
} from "../abi";
import { Channel, channelFind } from "../channel/channel";
import { typeLookup, typeSetTakes } from "../channel/types";
import { clockSet } from "../clock";
import { scanEvent, scanTypeAt, scanTypeBytes } from "../event/scan";
import { resultSet, resultStatus } from "../result";
import { EXPLAIN_ASKS, explainEvent } from "./explain";
import { answersForget, answerTake } from "./explain-way";
import { deadlineMsOf } from "./publish";

/** Begins a dry run. */
export function explainForget(): void {
  answersForget();
}

/** Explains one event. */
export function explain(number: u32, submitter: u32, at: u32, bytes: u32, from: u32, now: f64): u32 {
  clockSet(now);
  const found = channelFind(number);
  if (found === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, number, 0);
  const channel = found as Channel;
  const status = scanEvent(at, bytes);
  if (status !== STATUS_OK) return status;
  if (channel.types !== 0 && !typeSetTakes(channel.types, typeLookup(scanTypeAt, scanTypeBytes)))
    return resultStatus(STATUS_TYPE_REFUSED, 0, 0);
  const count = explainEvent(channel, submitter, at, bytes, deadlineMsOf(channel, now), from);
  resultSet(RESULT_REASON, count === EXPLAIN_ASKS ? REASON_DECIDE : REASON_DONE);
  resultSet(RESULT_COUNT, count === EXPLAIN_ASKS ? 0 : count);
  return STATUS_OK;
}

/** Answers in the place of a decider. */
export function explainAnswer(words: u32, how: u32): u32 {
  return answerTake(words, how);
}
