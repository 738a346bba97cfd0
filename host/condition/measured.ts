/** Conditions that the host measures: channels, inboxes and filter modules, looked at every so often. */
import type { Clock } from "../clock.ts";
import { type Feed, polled, type Write } from "./feed.ts";
import type { DefinitionOf } from "./schema.ts";

/** What is told of a channel. */
export interface ChannelFigures {
  readonly sinks: number;
  /** Events sequenced so far; less than before where the channel is another one. */
  readonly events: number;
  /** Events that its sinks lost so far. */
  readonly dropped: number;
}

/** What is told of an inbox. */
export interface InboxFigures {
  readonly id: string;
  /** What waits in it. */
  readonly events: number;
  readonly bytes: number;
  readonly unacknowledged: number;
  /** Deadlines missed so far. */
  readonly missed: number;
  /** By bucket, how long its deliveries had waited so far. */
  readonly waits: readonly number[];
}

/** What is told of a filter module, so far. */
export interface FilterFigures {
  readonly faults: number;
  /** Events of which it was asked, and the time that took. */
  readonly events: number;
  readonly us: number;
}

/** Where measures come from; undefined for what is not there. */
export interface Measures {
  readonly clock: Clock;
  channel(name: string): ChannelFigures | undefined;
  /** Inboxes that have joined a channel. */
  inboxesOf(channel: string): Iterable<InboxFigures>;
  inbox(id: string): InboxFigures | undefined;
  filter(name: string): FilterFigures | undefined;
  /** Below which wait that part of counted ones lies, in ms. */
  waitQuantile(counts: readonly number[], part: number): number;
}

/** Tells of a channel, and of the inboxes of its sinks. */
export function channelFeed(definition: DefinitionOf<"channel">, write: Write, measures: Measures): Feed {
  const { clock, channel } = measures;
  const { metric } = definition;
  if (metric === "rate") return rateFeed(definition, write, measures);
  const waits = new Waits(measures);
  return polled(clock, definition.pollMs, () => {
    const figures = channel(definition.channel);
    if (figures === undefined) write(undefined);
    else if (metric === "dropped") write(figures.dropped);
    else tell(metric, [...measures.inboxesOf(definition.channel)], waits, write);
  });
}

function rateFeed(definition: DefinitionOf<"channel">, write: Write, { clock, channel }: Measures): Feed {
  let before: number | undefined;
  let at = clock.now();
  return polled(clock, definition.pollMs, () => {
    const figures = channel(definition.channel);
    const now = clock.now();
    const known = before !== undefined && figures !== undefined && figures.events >= before;
    // A rate needs two looks.
    if (known && now > at) write(((figures.events - (before ?? 0)) * 1_000) / (now - at));
    else if (!known) write(figures === undefined ? undefined : 0);
    before = figures?.events;
    at = now;
  });
}

/** Tells of one inbox. */
export function inboxFeed(definition: DefinitionOf<"inbox">, write: Write, measures: Measures): Feed {
  const waits = new Waits(measures);
  return polled(measures.clock, definition.pollMs, () => {
    const figures = measures.inbox(definition.inbox);
    if (figures === undefined) write(undefined);
    else tell(definition.metric, [figures], waits, write);
  });
}

/** Tells of one filter module. */
export function filterFeed(definition: DefinitionOf<"filter">, write: Write, { clock, filter }: Measures): Feed {
  let before: FilterFigures | undefined;
  return polled(clock, definition.pollMs, () => {
    const figures = filter(definition.filter);
    if (figures === undefined) write(undefined);
    else if (definition.metric === "traps") write(figures.faults);
    else if (before === undefined || figures.events < before.events) write(undefined);
    // Where nobody asked it, it takes as long as it did.
    else if (figures.events > before.events) write((figures.us - before.us) / (figures.events - before.events));
    before = figures;
  });
}

type WaitMetric = DefinitionOf<"inbox">["metric"] | "depth" | "missed" | "waitP99";

function tell(metric: WaitMetric, inboxes: readonly InboxFigures[], waits: Waits, write: Write): void {
  const sum = (read: (figures: InboxFigures) => number): number => inboxes.reduce((all, one) => all + read(one), 0);
  if (metric === "depth") write(sum(({ events }) => events));
  else if (metric === "bytes") write(sum(({ bytes }) => bytes));
  else if (metric === "unacknowledged") write(sum(({ unacknowledged }) => unacknowledged));
  else if (metric === "missed") write(sum(({ missed }) => missed));
  else {
    const p99 = waits.p99Since(inboxes);
    if (p99 !== undefined) write(p99);
    // Where nothing was delivered nothing waited, unless something waits still: that is known when it is delivered.
    else if (inboxes.every(({ events }) => events === 0)) write(0);
  }
}

/** How long deliveries waited since the last look. */
class Waits {
  readonly #measures: Measures;
  #before = new Map<string, readonly number[]>();

  constructor(measures: Measures) {
    this.#measures = measures;
  }

  /** Of all inboxes together, in ms; undefined where nothing was delivered. */
  p99Since(inboxes: readonly InboxFigures[]): number | undefined {
    const counts: number[] = [];
    const seen = new Map<string, readonly number[]>();
    for (const { id, waits } of inboxes) {
      const before = this.#before.get(id) ?? [];
      waits.forEach((count, bucket) => {
        // After a restart of the core counts begin anew.
        const more = Math.max(0, count - (before[bucket] ?? 0));
        counts[bucket] = (counts[bucket] ?? 0) + more;
      });
      seen.set(id, waits);
    }
    this.#before = seen;
    return counts.some((count) => count > 0) ? this.#measures.waitQuantile(counts, 0.99) : undefined;
  }
}
