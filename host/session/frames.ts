/**
 * The frames that the host itself says, as protobuf messages. Deliveries, credit and drops are the core's.
 */
import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { codes, type SluiceError } from "../errors.ts";
import {
  DrainSchema,
  DroppedSchema,
  type HostFrame,
  HostFrameSchema,
  LeftSchema,
  type Problem,
  ProblemSchema,
} from "../gen/sluice/v1/frame_pb.ts";

/** Longest text in `problem.value`: a refusal quotes what was wrong, it does not send it all back. */
const VALUE_CHARACTERS_MAX = 256;

/** Echoed in an answer where the question had one. */
export type Ref = number | undefined;

/** `ref` as a field of a message, absent where there is none. */
export function refField(ref: Ref): { ref?: number } {
  return ref === undefined ? {} : { ref };
}

/** A problem as a message, for a frame of its own or inside a receipt. */
export function problemFrom(error: SluiceError, ref: Ref): Problem {
  const value = protobufValue(error.value);
  const limit = protobufValue(error.limit);
  return create(ProblemSchema, {
    ...refField(ref),
    code: error.code,
    title: codes[error.code].title,
    detail: error.message,
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
    ...(error.line === undefined ? {} : { line: error.line }),
    ...(error.column === undefined ? {} : { column: error.column }),
    expected: [...(error.expected ?? [])],
    ...(error.u === undefined ? {} : { u: error.u }),
  });
}

/** A problem frame. */
export function problemFrame(error: SluiceError, ref: Ref): HostFrame {
  return create(HostFrameSchema, { kind: { case: "problem", value: problemFrom(error, ref) } });
}

/** A drain frame: this host goes away, come back after `retryMs`. */
export function drainFrame(retryMs: number): HostFrame {
  return create(HostFrameSchema, { kind: { case: "drain", value: create(DrainSchema, { retryMs: BigInt(retryMs) }) } });
}

/** Deliveries that the session will not get, for a reason that the host itself has. */
export function droppedFrame(channelNumber: number, count: number, reason: "attempts" | "drained"): HostFrame {
  const value = create(DroppedSchema, { channelNumber, count: BigInt(count), reason });
  return create(HostFrameSchema, { kind: { case: "dropped", value } });
}

/** One of the session's memberships is over. */
export function leftFrame(member: number, reason: "left" | "channel_deleted", ref: Ref): HostFrame {
  return create(HostFrameSchema, {
    kind: { case: "left", value: create(LeftSchema, { ...refField(ref), member, reason }) },
  });
}

/** What JSON can hold as google.protobuf.Value; undefined where there is nothing to tell. */
function protobufValue(value: unknown): Value | undefined {
  if (value === undefined) return undefined;
  return fromJson(ValueSchema, jsonFrom(value));
}

function jsonFrom(value: unknown): JsonValue {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return Number(value);
  const text = typeof value === "string" ? value : undefined;
  if (text !== undefined) return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
  if (Array.isArray(value)) return value.slice(0, 16).map(jsonFrom);
  return String(value).slice(0, VALUE_CHARACTERS_MAX);
}
