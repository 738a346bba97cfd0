/**
 * Why a sink does not get an event, in one table: `explain`, the counters of drops and `dropped` notices read it, and
 * docs/explain.md is generated from it. Who brings a stage adds its rows here, in the order in which they are looked at.
 */
import * as abi from "../../core-wasm/abi.ts";
import { EXPLAINED_DECIDER_FAILED, EXPLAINED_DECIDER_UNASKED } from "../../core-wasm/filter/abi.ts";

/** Where it is decided, in the order of the stages. */
export const stages = Object.freeze(["submit", "match", "out", "in", "inbox"] as const);

/** One of {@link stages}. */
export type Stage = (typeof stages)[number];

/** What becomes of events that were taken and are lost to a sink all the same: counted and told. */
export interface Loss {
  /** The word in `dropped` notices, and in the names of counters: `dropped<Word>Total`, `sluice_dropped_<word>_total`. */
  readonly word: string;
  /** STATISTIC_… of the core that counts it. */
  readonly statistic: number;
  /** DROPPED_… with which the core counts it by channel. */
  readonly dropped: number;
}

/** One row. */
export interface Reason {
  readonly stage: Stage;
  /** The word in `explain`. */
  readonly reason: string;
  /** About the sink, as the end of a sentence: what `explain` tells as `detail`. */
  readonly meaning: string;
  /** EXPLAINED_… with which the core says it; absent: the host finds it out, or a dry run cannot come to it. */
  readonly explained?: number;
  /** Absent: the event was not the sink's to lose. */
  readonly loss?: Loss;
}

function loss(word: string, statistic: number, dropped: number): Loss {
  return { word, statistic, dropped };
}

/** The table. A word never changes its meaning. */
export const reasons: readonly Reason[] = Object.freeze([
  {
    stage: "submit",
    reason: "blocked",
    meaning: "a sink that blocks is beyond its mark: the event waits in the outbox of its source",
    explained: abi.EXPLAINED_BLOCKED,
  },
  {
    stage: "match",
    reason: "echo",
    meaning: "it is the submitter's own, and the channel has no echo",
    explained: abi.EXPLAINED_ECHO,
  },
  { stage: "match", reason: "type", meaning: "its types do not have the event's type", explained: abi.EXPLAINED_TYPE },
  {
    stage: "match",
    reason: "where",
    meaning: "its expression does not hold; `expression` has the very words that decided",
    explained: abi.EXPLAINED_WHERE,
  },
  {
    stage: "match",
    reason: "missing",
    meaning: "its expression does not hold and asks for what is not there, which `expression.missing` names",
  },
  ...filterReasons("out", 0),
  ...filterReasons("in", abi.EXPLAINED_IN),
  {
    stage: "inbox",
    reason: "capacity",
    meaning: "its inbox has no room, and its policy lets nothing else give way",
    explained: abi.EXPLAINED_CAPACITY,
    loss: loss("overflow", abi.STATISTIC_DROPPED_OVERFLOW, abi.DROPPED_OVERFLOW),
  },
  {
    stage: "inbox",
    reason: "late",
    meaning: "the event's moment has passed, and the channel drops late events",
    explained: abi.EXPLAINED_LATE,
    loss: loss("late", abi.STATISTIC_DROPPED_LATE, abi.DROPPED_LATE),
  },
  {
    stage: "inbox",
    reason: "cancelled",
    meaning: "it was withdrawn by `cancel` while it waited",
    loss: loss("cancelled", abi.STATISTIC_DROPPED_CANCELLED, abi.DROPPED_CANCELLED),
  },
  {
    stage: "inbox",
    reason: "left",
    meaning: "the membership ended while it waited",
    loss: loss("left", abi.STATISTIC_DROPPED_LEFT, abi.DROPPED_LEFT),
  },
  {
    stage: "inbox",
    reason: "attempts",
    meaning: "it was delivered as often as it may be and never acknowledged, and its inbox has no dead-letter channel",
    loss: loss("attempts", abi.STATISTIC_DROPPED_ATTEMPTS, abi.DROPPED_ATTEMPTS),
  },
  {
    stage: "inbox",
    reason: "drained",
    meaning: "an operator emptied its inbox",
    loss: loss("drained", abi.STATISTIC_DROPPED_DRAINED, abi.DROPPED_DRAINED),
  },
  {
    stage: "inbox",
    reason: "conflated",
    meaning: "a newer event of its key has taken its place while it waited",
    loss: loss("conflated", abi.STATISTIC_DROPPED_CONFLATED, abi.DROPPED_CONFLATED),
  },
  { stage: "inbox", reason: "held", meaning: "somebody holds its inbox", explained: abi.EXPLAINED_HELD },
] satisfies readonly Reason[]);

/** The rows of a filter, which are the same before the links and before the inboxes. */
function filterReasons(stage: "out" | "in", offset: number): Reason[] {
  return [
    {
      stage,
      reason: "module",
      meaning: "the filter module left it out",
      explained: abi.EXPLAINED_DECIDER + offset,
    },
    {
      stage,
      reason: "module.failed",
      meaning: "the filter module failed or was let alone, and its `onError` drops or diverts the event",
      explained: EXPLAINED_DECIDER_FAILED + offset,
    },
    {
      stage,
      reason: "module.unasked",
      meaning: "a filter module has the word, and could not be asked; `modules` says why",
      explained: EXPLAINED_DECIDER_UNASKED + offset,
    },
    {
      stage,
      reason: "route.unique",
      meaning: "an event with that key went through already",
      explained: abi.EXPLAINED_ROUTE_UNIQUE + offset,
    },
    {
      stage,
      reason: "route.reply",
      meaning: "it is a response, and this sink has not asked",
      explained: abi.EXPLAINED_ROUTE_REPLY + offset,
    },
    {
      stage,
      reason: "route.where",
      meaning: "the route's `where` does not hold of it",
      explained: abi.EXPLAINED_ROUTE_WHERE + offset,
    },
    {
      stage,
      reason: "route.limit",
      meaning: "others rank before it, and the route's limit is reached",
      explained: abi.EXPLAINED_ROUTE_LIMIT + offset,
    },
    {
      stage,
      reason: "route.chance",
      meaning: "chance decides among more sinks than the route takes",
      explained: abi.EXPLAINED_ROUTE_CHANCE + offset,
    },
  ];
}

const byCode: ReadonlyMap<number, Reason> = new Map(
  reasons.flatMap((row) => (row.explained === undefined ? [] : [[row.explained, row] as const])),
);

/** The row for an EXPLAINED_… of the core; undefined for what is delivered, or a code that this host does not know. */
export function reasonOf(explained: number): Reason | undefined {
  return byCode.get(explained);
}

/** The row with that word. @throws {RangeError} for a word that is not in the table: a bug. */
export function reasonNamed(word: string): Reason {
  const row = reasons.find(({ reason }) => reason === word);
  if (row === undefined) throw new RangeError(`There is no reason "${word}"`);
  return row;
}

/** All losses, in the order of the table. */
export const losses: readonly Loss[] = Object.freeze(
  reasons.flatMap((row) => (row.loss === undefined ? [] : [row.loss])),
);

/** The name under which a loss is counted in statistics: `overflow` is `droppedOverflowTotal`. */
export function lossTotal({ word }: Loss): string {
  return `dropped${word.slice(0, 1).toUpperCase()}${word.slice(1)}Total`;
}
