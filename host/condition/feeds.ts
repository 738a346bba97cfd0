/**
 * What writes conditions, by their kind. A feed has its timers on the service clock and writes the cell; nobody waits for it.
 */
import type { Clock } from "../clock.ts";
import { SluiceError } from "../errors.ts";
import { type Feed, polled, type Write } from "./feed.ts";
import type { HostSampler } from "./host-sampler.ts";
import { type ConditionKinds, kindFeed } from "./kinds.ts";
import { channelFeed, filterFeed, inboxFeed, type Measures } from "./measured.ts";
import { type MonitorSources, monitorFeed } from "./monitor.ts";
import { SlidingQuantile } from "./quantile.ts";
import { type ConditionDefinition, type DefinitionOf, initialOf } from "./schema.ts";
import { SlidingSum } from "./window.ts";

/** What feeds need. */
export interface FeedContext extends Measures {
  readonly sampler: HostSampler;
  /** What monitors may read; absent: nothing. */
  readonly monitors?: MonitorSources | undefined;
  /** Kinds of the application. */
  readonly kinds?: ConditionKinds | undefined;
  /** Hears of what a kind of the application throws where nobody can be told. */
  readonly onKindError?: (kind: string, error: unknown) => void;
}

/**
 * Starts what writes a condition, and writes its first value.
 *
 * @throws {SluiceError} `not_supported` for what this host cannot tell, `forbidden` for what it may not read.
 */
export function createFeed(definition: ConditionDefinition, write: Write, context: FeedContext): Feed {
  switch (definition.kind) {
    case "value":
      return valueFeed(definition, write);
    case "counter":
      return counterFeed(definition, write);
    case "window":
      return windowFeed(definition, (sum) => sum, write, context.clock);
    case "rate":
      return windowFeed(definition, (sum) => (sum * 1_000) / definition.windowMs, write, context.clock);
    case "average":
      return averageFeed(definition, write, context.clock);
    case "quantile":
      return quantileFeed(definition, write, context.clock);
    case "duration":
      return durationFeed(write, context.clock);
    case "time":
      return polled(context.clock, definition.agilityMs, () => write(context.clock.now()));
    case "timer":
      return timerFeed(definition, write, context.clock);
    case "expiring":
      return expiringFeed(definition, write, context.clock);
    case "monitor":
      return monitorFeed(definition, write, context);
    case "host":
      write(undefined);
      return { end: context.sampler.subscribe(definition.metric, write) };
    case "channel":
      return channelFeed(definition, write, context);
    case "inbox":
      return inboxFeed(definition, write, context);
    case "filter":
      return filterFeed(definition, write, context);
    case "members":
      return polled(context.clock, definition.pollMs, () => write(context.channel(definition.channel)?.sinks));
    case "expression":
      return {};
    default:
      return kindFeed(definition, write, context.kinds ?? {}, context.onKindError ?? (() => {}));
  }
}

function valueFeed(definition: DefinitionOf<"value">, write: Write): Feed {
  const initial = initialOf(definition);
  write(initial);
  return { assertTakes: assertType(typeof initial), put: write };
}

function counterFeed({ initial, type }: DefinitionOf<"counter">, write: Write): Feed {
  let value = initial;
  const put = (next: boolean | number | string): void => {
    value = Number(next);
    write(type === "boolean" ? value >= 0 : value);
  };
  put(initial);
  return { assertTakes: assertType("number"), put, add: (amount) => put(value + amount) };
}

function windowFeed(
  { windowMs, agilityMs }: { readonly windowMs: number; readonly agilityMs: number },
  valueFrom: (sum: number) => number,
  write: Write,
  clock: Clock,
): Feed {
  const window = new SlidingSum(windowMs);
  const say = (): void => write(valueFrom(window.sum));
  const { end } = polled(clock, agilityMs, () => {
    window.sweep(clock.now());
    say();
  });
  return {
    add(amount) {
      window.add(amount, clock.now());
      say();
    },
    ...(end === undefined ? {} : { end }),
  };
}

function averageFeed({ tauMs }: DefinitionOf<"average">, write: Write, clock: Clock): Feed {
  let value: number | undefined;
  let at = clock.now();
  write(undefined);
  return {
    add(sample) {
      const now = clock.now();
      // The longer the last sample is ago, the more the new one counts; at the same moment both count half.
      const weight = now === at ? 0.5 : 1 - Math.exp((at - now) / tauMs);
      value = value === undefined ? sample : value + weight * (sample - value);
      at = now;
      write(value);
    },
  };
}

function quantileFeed({ q, windowMs, agilityMs }: DefinitionOf<"quantile">, write: Write, clock: Clock): Feed {
  const samples = new SlidingQuantile(windowMs);
  const say = (): void => write(samples.at(q, clock.now()));
  return {
    ...polled(clock, agilityMs, say),
    add(sample) {
      samples.add(sample, clock.now());
      say();
    },
  };
}

/** One call at a time, as a client's method has it; calls that overlap are measured by whoever makes them, and written. */
function durationFeed(write: Write, clock: Clock): Feed {
  let startedAt: number | undefined;
  write(undefined);
  return {
    assertTakes(value) {
      if (value === "start" || (value === "stop" && startedAt !== undefined)) return;
      if (typeof value === "number" && value >= 0) return;
      const why = value === "stop" ? "no call was started" : `it must be "start", "stop" or milliseconds`;
      throw notTaken(value, why, ["start", "stop"]);
    },
    put(value) {
      if (value === "start") startedAt = clock.now();
      else if (value !== "stop") write(value);
      else if (startedAt !== undefined) {
        write(clock.now() - startedAt);
        startedAt = undefined;
      }
    },
  };
}

function timerFeed({ agilityMs }: DefinitionOf<"timer">, write: Write, clock: Clock): Feed {
  let since = clock.now();
  const feed = polled(clock, agilityMs, () => write(clock.now() - since));
  const put = (elapsedMs: boolean | number | string): void => {
    since = clock.now() - Number(elapsedMs);
    write(Number(elapsedMs));
  };
  return {
    ...feed,
    assertTakes(value) {
      if (typeof value === "number" && value >= 0) return;
      throw notTaken(value, "it must be milliseconds", 0);
    },
    put,
    add: () => put(0),
  };
}

function expiringFeed({ initial, ms, calls }: DefinitionOf<"expiring">, write: Write, clock: Clock): Feed {
  let cancel = (): void => {};
  let left = 0;
  write(initial);
  return {
    assertTakes: assertType(typeof initial),
    put(value) {
      cancel();
      if (ms !== undefined) cancel = clock.setTimer(() => write(initial), ms);
      left = calls ?? 0;
      write(value);
    },
    ...(calls === undefined
      ? {}
      : {
          add(amount) {
            if (left <= 0) return;
            left -= amount;
            if (left <= 0) write(initial);
          },
        }),
    end: () => cancel(),
  };
}

function assertType(type: string): (value: boolean | number | string) => void {
  return (value) => {
    if (typeof value !== type) throw notTaken(value, `it must be a ${type}`, type);
  };
}

function notTaken(value: unknown, why: string, limit: unknown): SluiceError {
  return new SluiceError("invalid_value", `Cannot take value ${JSON.stringify(value)}, ${why}`, { value, limit });
}
