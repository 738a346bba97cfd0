/**
 * The streams of a mailbox ordered by windows, in plain TypeScript: the rules as docs/mailboxes.md has them, one list of streams that is
 * searched whole. Which events a stream has is its owner's business, which tells when the first of them came.
 */

/** Of `of` deadlines, `periodMs` apart, `lose` may be missed. */
export interface Window {
  readonly lose: number;
  readonly of: number;
  readonly periodMs: number;
}

/** One stream. */
export interface Stream {
  /** Of its first event; where it has none, of the next one at the earliest. */
  deadline: number;
  /** Arrival of the event that missed last. */
  missed: number | undefined;
  x: number;
  y: number;
  tag: boolean;
  window: Window;
}

/** A stream without a past. */
export function createStream(window: Window): Stream {
  return {
    deadline: Number.NEGATIVE_INFINITY,
    missed: undefined,
    x: window.lose,
    y: window.of,
    tag: false,
    window,
  };
}

/** Puts another window in force, from its beginning; nothing happens where it is the same. */
export function changeWindow(stream: Stream, window: Window): void {
  const { lose, of, periodMs } = stream.window;
  if (lose === window.lose && of === window.of && periodMs === window.periodMs) return;
  stream.window = window;
  begin(stream);
}

/** Its first event leaves in time, or late where it may. */
export function served(stream: Stream): void {
  if (stream.y > stream.x) stream.y--;
  else if (stream.x > 0) {
    stream.x--;
    stream.y--;
  }
  if ((stream.x === 0 && stream.y === 0) || stream.tag) begin(stream);
  stream.deadline += stream.window.periodMs;
}

/** Its first event misses a deadline. Returns whether the window is violated by that. */
export function missed(stream: Stream): boolean {
  stream.deadline += stream.window.periodMs;
  if (stream.x > 0) {
    stream.x--;
    stream.y--;
    if (stream.x === 0 && stream.y === 0) begin(stream);
    return false;
  }
  stream.y++;
  stream.tag = true;
  return true;
}

/** Whether one stream goes before another: less than 0, or more. `arrivals`: those of their first events. */
export function precedence(one: Stream, other: Stream, arrivals: readonly [number, number]): number {
  if (one.deadline !== other.deadline) return one.deadline - other.deadline;
  const left = one.x * other.y - other.x * one.y;
  if (left !== 0) return left;
  if (one.x === 0 && one.y !== other.y) return other.y - one.y;
  if (one.x !== 0 && one.x !== other.x) return one.x - other.x;
  return arrivals[0] - arrivals[1];
}

function begin(stream: Stream): void {
  stream.x = stream.window.lose;
  stream.y = stream.window.of;
  stream.tag = false;
}
