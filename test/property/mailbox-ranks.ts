/** What stands in a mailbox, and what comes before what: the orderings of docs/mailboxes.md but for windows, as comparisons. */

/** The orderings. */
export type Ordering = "fifo" | "lifo" | "priority" | "deadline" | "priority+deadline" | "time" | "window";

/** One event. */
export interface Item {
  readonly id: string;
  readonly type: string;
  readonly channel: number;
  /** "": none. */
  readonly key: string;
  readonly priority: number;
  /** Infinity: none. */
  readonly deadline: number;
  readonly time: number;
  /** It tells of a cancel. */
  readonly control?: boolean;
}

/** One that waits. */
export interface Waiting extends Item {
  arrival: number;
  /** Its miss was told. */
  told: boolean;
  /** The newest of its key, by which a newer one finds it. */
  newest: boolean;
}

type Compare = (one: Waiting, other: Waiting) => number;

/** Two infinities are equal. */
const difference = (one: number, other: number): number => (one === other ? 0 : one - other);
/** What came first. */
export const first: Compare = (one, other) => one.arrival - other.arrival;
const urgent: Compare = (one, other) => other.priority - one.priority;
const soon: Compare = (one, other) => difference(one.deadline, other.deadline);

/** What leaves first, but for arrival. */
export const ranks: Readonly<Record<Ordering, Compare>> = {
  fifo: () => 0,
  window: () => 0,
  lifo: (one, other) => other.arrival - one.arrival,
  priority: urgent,
  deadline: (one, other) => soon(one, other) || urgent(one, other),
  "priority+deadline": (one, other) => urgent(one, other) || soon(one, other),
  time: (one, other) => one.time - other.time,
};
/** What gives way first under `drop-lowest`. */
export const lowest: Compare = (one, other) => one.priority - other.priority || -soon(one, other) || -first(one, other);
