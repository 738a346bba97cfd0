/**
 * Random steps for the engine and its model, small numbers that World takes modulo what there is.
 */
import fc from "fast-check";
import * as abi from "../../core-wasm/abi.ts";
import type { EventInit } from "../core-wasm/frames.ts";

/** An event in few words, so that a counterexample can be read. */
export interface SmallEvent {
  readonly type: string;
  readonly key: string;
  readonly ttlMs: number | undefined;
  /** Size and beginning of its data. */
  readonly bytes: number;
  readonly fill: number;
}

/** Long enough for the largest event at the last beginning. */
const PATTERN = new Uint8Array(400_000).map((_, index) => (index * 7 + (index >> 8)) & 255);

/** The event itself. Its bytes differ along the way, so that a copy that is shifted shows. */
export function eventOf({ type: name, key: correlation, ttlMs, bytes, fill }: SmallEvent): EventInit {
  return {
    type: name,
    key: correlation,
    ...(ttlMs === undefined ? {} : { ttlMs: BigInt(ttlMs) }),
    data: PATTERN.slice(fill, fill + bytes),
  };
}

/** One frame of a burst: publishes on a channel. */
export interface Burst {
  readonly channel: number;
  readonly events: readonly SmallEvent[];
}

/** One step. */
export type Command =
  | {
      readonly do: "join";
      readonly connection: number;
      readonly channel: number;
      readonly role: number;
      readonly types: readonly string[];
    }
  | { readonly do: "leave"; readonly member: number }
  | { readonly do: "types"; readonly member: number; readonly types: readonly string[] }
  | {
      readonly do: "publish";
      readonly connection: number;
      readonly channel: number;
      readonly events: readonly SmallEvent[];
      readonly receipt: boolean;
    }
  | { readonly do: "credit"; readonly connection: number; readonly events: number; readonly bytes: number }
  | {
      readonly do: "cancel";
      readonly connection: number;
      readonly channel: number;
      readonly key: string;
      /** Its moment before now; undefined: it does not say. */
      readonly agoMs: number | undefined;
      readonly ref: boolean;
    }
  | { readonly do: "drain"; readonly connection: number; readonly bytesMax: number }
  | { readonly do: "burst"; readonly connection: number; readonly parts: readonly Burst[] }
  | { readonly do: "flush" }
  | { readonly do: "flood"; readonly channel: number; readonly bytes: number }
  | { readonly do: "hold"; readonly connection: number; readonly held: boolean }
  | {
      readonly do: "inbox";
      readonly connection: number;
      readonly events: number;
      readonly bytes: number;
      readonly overflow: number;
    }
  | { readonly do: "clock"; readonly ms: number }
  | { readonly do: "reopen"; readonly connection: number };

/** Connections and channels of a world. */
export const CONNECTIONS = 4;
export const CHANNELS = 4;

const connection = fc.nat({ max: CONNECTIONS - 1 });
const channel = fc.nat({ max: CHANNELS - 1 });
const type = fc.constantFrom("a", "b", "c");
const types = fc.oneof(fc.constant([]), fc.uniqueArray(type, { minLength: 1, maxLength: 2 }));
const key = fc.constantFrom("k", "l", "kk");

/** Sizes that turn four slabs over within a few publishes, small ones between. */
const dataBytes = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: 200 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(131_072, 262_000, 262_144, 300_000) },
);

const event: fc.Arbitrary<SmallEvent> = fc.record({
  type,
  key: fc.option(key, { nil: "", freq: 2 }),
  ttlMs: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 2 }),
  bytes: dataBytes,
  fill: fc.nat({ max: 255 }),
});

const policy = fc.constantFrom(
  abi.OVERFLOW_DROP_OLDEST,
  abi.OVERFLOW_DROP_OLDEST,
  abi.OVERFLOW_DROP_NEWEST,
  abi.OVERFLOW_REJECT,
);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("join" as const),
      connection,
      channel,
      role: fc.constantFrom(abi.ROLE_SINK, abi.ROLE_SINK, abi.ROLE_SOURCE, abi.ROLE_SINK | abi.ROLE_SOURCE),
      types,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), member: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("types" as const), member: fc.nat({ max: 20 }), types }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      connection,
      channel,
      events: fc.array(event, { minLength: 1, maxLength: 5 }),
      receipt: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("credit" as const),
      connection,
      events: fc.integer({ min: 1, max: 6 }),
      bytes: fc.constantFrom(300, 70_000, 2 ** 40),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("cancel" as const),
      connection,
      channel,
      key,
      agoMs: fc.option(fc.integer({ min: -5, max: 30 }), { nil: undefined, freq: 2 }),
      ref: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("drain" as const),
      connection,
      bytesMax: fc.constantFrom(1, 200, 5000, 100_000, abi.OUT_SLOT_BYTES),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("burst" as const),
      connection,
      // Not the decided channel: what is parked there is overtaken by what follows on others.
      parts: fc.array(
        fc.record({ channel: fc.nat({ max: 2 }), events: fc.array(event, { minLength: 1, maxLength: 3 }) }),
        {
          minLength: 2,
          maxLength: 6,
        },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("flood" as const),
      channel,
      bytes: fc.constantFrom(20_000, 50_000, 200_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hold" as const), connection, held: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("inbox" as const),
      connection,
      events: fc.constantFrom(1, 2, 5, 20, 65_536),
      bytes: fc.constantFrom(400_000, 700_000, 2_000_000),
      overflow: policy,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("clock" as const), ms: fc.integer({ min: 1, max: 25 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("reopen" as const), connection: fc.nat({ max: 3 * CONNECTIONS }) }),
  },
);

/** Sequences of steps. */
export const commandsArbitrary: fc.Arbitrary<Command[]> = fc.array(command, {
  minLength: 1,
  maxLength: 80,
  size: "max",
});
