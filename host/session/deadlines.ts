/**
 * What became of the deadlines of one stream: a channel in the inbox of a session.
 */
import { STREAM_DROPPED, STREAM_MET, STREAM_MISSED, STREAM_VIOLATIONS } from "../../core-wasm/abi.ts";
import type { Session } from "./session.ts";

/** Counts since the session joined the channel. */
export interface DeadlineCounts {
  /** Delivered in time. */
  readonly met: number;
  /** Delivered late, or dropped for being late. */
  readonly missed: number;
  /** Those of `missed` that were dropped. */
  readonly dropped: number;
  /** Windows that lost more deadlines than they may. */
  readonly violations: number;
}

/** Reads the counts of a channel, by name; undefined where it has met no deadline yet. */
export function deadlinesOf(session: Session, channel: string): DeadlineCounts | undefined {
  const number = session.engine.channels.get(channel)?.number;
  if (number === undefined) return undefined;
  const { exports } = session.engine.core;
  const count = (index: number): number => exports.streamStatistic(session.id, number, index);
  const counts = {
    met: count(STREAM_MET),
    missed: count(STREAM_MISSED),
    dropped: count(STREAM_DROPPED),
    violations: count(STREAM_VIOLATIONS),
  };
  return Object.values(counts).some((value) => value > 0) ? counts : undefined;
}
