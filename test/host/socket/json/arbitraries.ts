/**
 * Random frames in the form that JSON and protobuf share: what survives JSON → protobuf → JSON and back without a change.
 *
 * Left out is what only one side can say: channel numbers, numbers beyond 2^53, doubles that are whole, NaN.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { codes } from "../../../../host/errors.ts";
import { type Value, ValueSchema } from "../../../../host/gen/sluice/v1/event_pb.ts";
import type { ClientFrameSchema, HostFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import { limits } from "../../../../host/limits.ts";
import type { EventInit } from "../../../core-wasm/frames.ts";
import { eventArbitrary, text } from "../../../property/event-arbitrary.ts";

/** What create() takes for a client frame. */
export type ClientInit = MessageInitShape<typeof ClientFrameSchema>;
/** What create() takes for a host frame. */
export type HostInit = MessageInitShape<typeof HostFrameSchema>;

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const positive32 = fc.integer({ min: 1, max: 0xffff_ffff });
const counter = fc.maxSafeNat().map(BigInt);
const positive = counter.filter((value) => value > 0n);
const duration = fc.integer({ min: 0, max: limits.durationMs }).map(BigInt);
const finite = fc.double({ noDefaultInfinity: true, noNaN: true });

/** A channel's name. */
export const channelName = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._/-]{0,254}$/);
const resourceName = fc.stringMatching(/^[a-z0-9]([a-z0-9._-]{0,40}[a-z0-9])?$/);
const word = text(40).filter((value) => value !== "");
const types = fc.array(word, { maxLength: 4 });

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.boolean().map((value) => create(ValueSchema, { kind: { case: "boolean", value } })),
  text(60).map((value) => create(ValueSchema, { kind: { case: "text", value } })),
  fc.maxSafeInteger().map((value) => create(ValueSchema, { kind: { case: "integer", value: BigInt(value) } })),
  finite
    .filter((value) => !Number.isSafeInteger(value))
    .map((value) => create(ValueSchema, { kind: { case: "number", value } })),
);

/** Attributes that JSON can say. */
export const attributes = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,63}$/), scalar, {
  maxKeys: 8,
  noNullPrototype: true,
});

const payload = fc.oneof(
  fc.json().map((json) => ({ data: new TextEncoder().encode(json) })),
  fc
    .tuple(fc.constantFrom("application/json", "application/vnd.x+json; charset=utf-8", "TEXT/JSON"), fc.json())
    .map(([dataContentType, json]) => ({
      dataContentType,
      data: new TextEncoder().encode(json),
    })),
  fc
    .tuple(fc.constantFrom("text/plain", "application/xml", "image/svg+xml"), text(200))
    .map(([dataContentType, content]) => ({
      dataContentType,
      data: new TextEncoder().encode(content),
    })),
  fc
    .tuple(fc.constantFrom("", "image/png", "text/plain", "application/json"), fc.uint8Array({ maxLength: 100 }))
    .map(([dataContentType, data]) => ({
      dataContentType,
      data,
    })),
  fc.constant({}),
);

/** An event that JSON can say. */
export const event: fc.Arbitrary<EventInit> = fc
  .tuple(eventArbitrary, attributes, payload)
  .map(([init, chosen, content]) => {
    const { data: _data, dataContentType: _type, ...rest } = init;
    if (rest.deliverByUs !== undefined) delete rest.ttlMs;
    return { ...rest, attributes: chosen, ...content } as EventInit;
  });

const select = fc.record(
  { mode: fc.constantFrom("batch", "single"), events: positive32, bytes: positive32, delayMs: uint32 },
  { requiredKeys: [] },
);
const inbox = fc.record(
  {
    ordering: fc.constantFrom("fifo", "lifo", "priority", "deadline", "priority+deadline", "window", "time"),
    capacityEvents: positive,
    capacityBytes: positive,
    overflow: fc.constantFrom(
      "drop-oldest",
      "drop-newest",
      "drop-lowest",
      "reject",
      "block",
      "disconnect",
      "keep-latest",
    ),
    select,
    late: fc.constantFrom("channel", "deliver", "drop", "divert"),
    stallMark: finite,
    releaseMark: finite,
    serviceMs: finite.filter((value) => value >= 0),
    ack: fc.constantFrom("none", "explicit"),
    redeliverMs: duration,
    attempts: uint32,
    deadLetter: channelName,
    idleMs: duration,
    held: fc.boolean(),
  },
  { requiredKeys: [] },
);

const outbox = fc.record(
  {
    ordering: fc.constantFrom("fifo", "lifo", "priority", "deadline", "priority+deadline", "window", "time"),
    capacityEvents: positive,
    capacityBytes: positive,
    overflow: fc.constantFrom("drop-oldest", "drop-newest", "drop-lowest", "reject", "block", "keep-latest"),
    held: fc.boolean(),
  },
  { requiredKeys: [] },
);

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)));
const binding = fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,12}$/), json, { maxKeys: 4, noNullPrototype: true });
const moment = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });

/** One arbitrary for each kind that a client sends. */
export const clientKinds: {
  readonly [Kind in NonNullable<NonNullable<ClientInit["kind"]>["case"]>]: fc.Arbitrary<object>;
} = {
  publish: fc.record({ channel: channelName, events: fc.array(event, { maxLength: 4 }), number: counter }),
  credit: fc.record({ events: counter, bytes: counter }),
  ack: fc.oneof(
    fc.record({ through: counter }),
    fc.record({ numbers: fc.array(counter, { minLength: 1, maxLength: 5 }) }),
  ),
  update: fc.record(
    {
      member: positive32,
      attributes,
      remove: fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 3 }),
      outbox,
    },
    { requiredKeys: ["member", "attributes", "remove"] },
  ),
  cancel: fc.record({ channel: channelName, key: word, atUs: moment }, { requiredKeys: ["channel", "key"] }),
  hello: fc.record(
    { client: text(60), token: text(60), inbox, session: text(60), received: counter, lingerMs: duration },
    { requiredKeys: [] },
  ),
  join: fc.record(
    {
      channel: channelName,
      role: fc.constantFrom("sink", "source", "both"),
      attributes,
      where: text(100),
      types,
      filters: fc.record({ in: binding, out: binding }, { requiredKeys: [] }),
      dialect: fc.constantFrom("", "cesql"),
      misses: fc.boolean(),
      rate: finite.filter((value) => value > 0),
      // Whole counters have no presence in protobuf: both are always written.
      after: fc.record({ epoch: counter, sequence: counter }),
      replay: fc.boolean(),
      outbox,
    },
    { requiredKeys: ["channel"] },
  ),
  leave: fc.record({ member: positive32 }),
  inbox,
  set: fc.record({ values: fc.dictionary(resourceName, scalar, { maxKeys: 4, noNullPrototype: true }) }),
  evaluate: fc.record({ contract: resourceName }),
  observe: fc.record({ contract: resourceName }),
  ping: fc.constant({}),
};

/** A client frame of that kind. */
export function clientFrame(kind: keyof typeof clientKinds): fc.Arbitrary<ClientInit> {
  return fc
    .record({ ref: uint32, value: clientKinds[kind] }, { requiredKeys: ["value"] })
    .map(({ value, ...rest }) => ({ ...rest, kind: { case: kind, value } }) as ClientInit);
}

const problem = fc.record(
  {
    ref: uint32,
    code: fc.constantFrom(...Object.keys(codes)),
    title: word,
    detail: word,
    value: json.map(protobufValue),
    limit: json.map(protobufValue),
    line: uint32,
    column: uint32,
    expected: fc.array(word, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ["code", "title"] },
);
const credit = fc.record({ events: counter, bytes: counter });
const ref = { ref: uint32 };

/** One arbitrary for each kind that a host sends. */
export const hostKinds: {
  readonly [Kind in NonNullable<NonNullable<HostInit["kind"]>["case"]>]: fc.Arbitrary<object>;
} = {
  deliver: fc.record({
    events: fc.array(
      fc.record(
        {
          channel: channelName,
          sequence: counter,
          number: counter,
          member: positive32,
          epoch: counter,
          attempt: fc.integer({ min: 2, max: 0xffff_ffff }),
          event: fc.tuple(event, word).map(([init, id]) => ({ ...init, id })),
        },
        { requiredKeys: ["channel", "sequence", "number", "epoch", "event"] },
      ),
      { maxLength: 3 },
    ),
  }),
  credit: fc.record({ channel: channelName, events: counter, bytes: counter }),
  receipt: fc.record(
    {
      ...ref,
      results: fc.array(
        fc.oneof(
          fc.record(
            { id: word, sequence: counter, epoch: counter, sinks: uint32, hosts: uint32, refused: uint32 },
            { requiredKeys: ["epoch", "sinks", "hosts"] },
          ),
          fc.record({ problem }),
        ),
        { maxLength: 3 },
      ),
      withdrawn: uint32,
      forwarded: uint32,
    },
    { requiredKeys: ["results"] },
  ),
  dropped: fc.record({
    channel: channelName,
    count: counter,
    reason: fc.constantFrom("overflow", "late", "cancelled", "left"),
  }),
  missed: fc.record(
    { channel: channelName, number: counter, id: word, by: finite.filter((by) => !Object.is(by, -0)) },
    { requiredKeys: ["channel", "by"] },
  ),
  welcome: fc.record(
    {
      ...ref,
      host: text(20),
      session: text(40),
      resumed: fc.boolean(),
      epoch: counter,
      limits: fc.record({ frameBytes: counter, eventBytes: counter, publishEvents: uint32, joins: uint32 }),
    },
    { requiredKeys: ["host", "resumed", "epoch"] },
  ),
  joined: fc.record(
    { ...ref, member: positive32, channel: channelName, epoch: counter, credit, recovered: fc.boolean() },
    { requiredKeys: ["member", "channel", "epoch"] },
  ),
  left: fc.record({ ...ref, member: positive32, reason: text(20) }, { requiredKeys: ["member", "reason"] }),
  problem,
  region: fc.record({ contract: text(20), path: fc.array(text(10)), handlers: fc.array(text(10)), callback: text(10) }),
  pong: fc.record(ref, { requiredKeys: [] }),
  drain: fc.record({ retryMs: counter }),
};

/** A host frame of that kind. */
export function hostFrame(kind: keyof typeof hostKinds): fc.Arbitrary<HostInit> {
  return hostKinds[kind].map((value) => ({ kind: { case: kind, value } }) as HostInit);
}

/** JSON as google.protobuf.Value's init shape. */
function protobufValue(value: unknown): object {
  if (value === null) return { kind: { case: "nullValue", value: 0 } };
  if (typeof value === "boolean") return { kind: { case: "boolValue", value } };
  if (typeof value === "number") return { kind: { case: "numberValue", value } };
  if (typeof value === "string") return { kind: { case: "stringValue", value } };
  if (Array.isArray(value)) return { kind: { case: "listValue", value: { values: value.map(protobufValue) } } };
  const fields = Object.entries(value as object).map(([name, inner]) => [name, protobufValue(inner)]);
  return { kind: { case: "structValue", value: { fields: Object.fromEntries(fields) } } };
}

/** Changes to a text: characters that matter to JSON are put in, others taken out or doubled. */
export const mutations = fc.array(
  fc.record({
    at: fc.nat(),
    what: fc.constantFrom(
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "0",
      "-",
      ".",
      "e",
      "1e999",
      "null",
      "true",
      " ",
      "\n",
      "\u0001",
      "\\ud800",
      "\\udc00",
      "\\u0041",
      "é",
      "😀",
      '"x":1,',
      '"type":"y",',
      "",
    ),
    cut: fc.nat({ max: 3 }),
  }),
  { minLength: 1, maxLength: 3 },
);

/** Applies {@link mutations}. */
export function mutated(original: string, changes: readonly { at: number; what: string; cut: number }[]): string {
  const characters = [...original];
  for (const { at, what, cut } of changes) characters.splice(at % (characters.length + 1), cut, what);
  return characters.join("");
}
