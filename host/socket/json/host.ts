/**
 * Host frames: JSON ↔ protobuf, kind by kind. Deliveries on the way to a socket are rendered by render.ts from the
 * core's bytes; both give the same text, which a test holds.
 *
 * JSON tells what binary leaves for both sides to know: the number of a delivery, the member it is for, the name of a
 * channel, the epoch, the attempt, and the id that is derived where the source gave none.
 */
import {
  create,
  fromJson,
  type JsonObject,
  type MessageInitShape,
  type JsonValue as ProtobufJson,
  toJson,
} from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { checkWith } from "../../check.ts";
import { sluiceErrorFrom } from "../../errors.ts";
import {
  type Credit,
  type Delivery,
  type HostFrame,
  HostFrameSchema,
  type Problem,
  type ProblemSchema,
  type Result,
} from "../../gen/sluice/v1/frame_pb.ts";
import { given, narrow, some, wide } from "./client.ts";
import { eventFromChecked, treeFromEvent } from "./event.ts";
import { type RawAt, type Read, readJson } from "./reader.ts";
import { type HostFrameJson, hostFrameSchema } from "./schema/host.ts";
import { memberNumber } from "./schema/parts.ts";
import { integerFromBigint } from "./value.ts";
import { type JsonTree, textFromTree } from "./write.ts";

/** What the host must know to write its frames as JSON, where binary frames have numbers or leave things out. */
export interface HostNames {
  /** The name of a channel number of this epoch; undefined where it was removed, which is written as "". */
  channelName(channelNumber: number): string | undefined;
  /** The id of an event whose source gave none. */
  derivedId(channelNumber: number, sequence: number, epoch: number): string;
  /** Incarnation of the core. */
  epoch(): number;
}

/** What differs from session to session. */
export interface SessionNames {
  /** Number of the first delivery in the frame. */
  readonly firstNumber?: number;
  /** The member of this session that gets the events of a channel, where there is just one. */
  memberOf(channelNumber: number): number | undefined;
}

type FrameInit = MessageInitShape<typeof HostFrameSchema>;
type Problems = NonNullable<HostFrameJson["problem"]>;

const rawAt: RawAt = (path) => path.length === 5 && path[4] === "data" && path[3] === "event" && path[0] === "deliver";

/** Writes a host frame as JSON. */
export function jsonFromHostFrame(frame: HostFrame, names: HostNames, session: SessionNames): string {
  return textFromTree(treeFromKind(frame.kind, names, session));
}

/**
 * Reads one JSON frame of a host, as a client does. Channels come by name; numbers of channels exist in binary only.
 *
 * @returns The frame, or the first thing that is wrong with it.
 */
export function hostFrameFromJson(text: string | Uint8Array): Read<HostFrame> {
  const read = readJson(text, rawAt);
  if (!read.ok) return read;
  try {
    return {
      ok: true,
      value: create(HostFrameSchema, { kind: kindFromChecked(checkWith(hostFrameSchema, read.value)) }),
    };
  } catch (thrown) {
    return { ok: false, error: sluiceErrorFrom(thrown) };
  }
}

/** The member of the JSON frame that is its kind. */
function treeFromKind(kind: HostFrame["kind"], names: HostNames, session: SessionNames): { [name: string]: JsonTree } {
  const channelOf = (of: { channel: string; channelNumber: number }) =>
    of.channel || (names.channelName(of.channelNumber) ?? "");
  switch (kind.case) {
    case "deliver":
      return {
        deliver: { events: kind.value.events.map((entry, index) => treeFromDelivery(entry, index, names, session)) },
      };
    case "credit":
      return { credit: { channel: channelOf(kind.value) || undefined, ...treeFromCredit(kind.value) } };
    case "receipt": {
      const { ref, results, withdrawn, forwarded } = kind.value;
      return { receipt: { ref, results: results.map(treeFromResult), withdrawn, forwarded } };
    }
    case "dropped":
      return {
        dropped: {
          channel: channelOf(kind.value),
          count: integerFromBigint(kind.value.count),
          reason: kind.value.reason,
        },
      };
    case "missed": {
      const { number, id, by, sequence, sinks, reason } = kind.value;
      const event = {
        id: id || undefined,
        by,
        sequence: sequence === 0n ? undefined : integerFromBigint(sequence),
        sinks: sinks || undefined,
        reason: reason || undefined,
      };
      return { missed: { channel: channelOf(kind.value), number: narrow(number), ...event } };
    }
    case "welcome": {
      const { host, session: secret, resumed, limits, epoch, ref, published } = kind.value;
      const told = limits && {
        frameBytes: integerFromBigint(limits.frameBytes),
        eventBytes: integerFromBigint(limits.eventBytes),
        publishEvents: limits.publishEvents,
        joins: limits.joins,
      };
      return {
        welcome: {
          ref,
          host,
          session: secret || undefined,
          resumed,
          limits: told,
          epoch: integerFromBigint(epoch),
          published: narrow(published),
        },
      };
    }
    case "joined": {
      const { ref, member, epoch, credit, recovered, pattern, admission } = kind.value;
      const rest = {
        epoch: integerFromBigint(epoch),
        credit: credit && treeFromCredit(credit),
        recovered,
        pattern: pattern === undefined ? undefined : `m${pattern}`,
        admission: admission && { verdict: admission.verdict, u: admission.u },
      };
      return { joined: { ref, member: `m${member}`, channel: channelOf(kind.value), ...rest } };
    }
    case "left":
      return { left: { ref: kind.value.ref, member: `m${kind.value.member}`, reason: kind.value.reason } };
    case "problem":
      return { problem: treeFromProblem(kind.value) };
    case "region": {
      const { contract, path, handlers, callback, ref, status, skipped, data } = kind.value;
      const rest = {
        callback: callback || undefined,
        ref,
        status: status || undefined,
        skipped: skipped || undefined,
        data,
      };
      return { region: { contract, path, handlers, ...rest } };
    }
    case "pong":
      return { pong: { ref: kind.value.ref } };
    case "drain":
      return { drain: { retryMs: integerFromBigint(kind.value.retryMs) } };
    default:
      return {};
  }
}

/** One entry of a deliver frame, in the order of members in which render.ts writes it. */
function treeFromDelivery(entry: Delivery, index: number, names: HostNames, session: SessionNames): JsonTree {
  const { channelNumber, event } = entry;
  const sequence = integerFromBigint(entry.sequence);
  const epoch = entry.epoch === undefined ? names.epoch() : integerFromBigint(entry.epoch);
  const member = entry.member || session.memberOf(channelNumber);
  const first = session.firstNumber;
  const number = narrow(entry.number) ?? (first === undefined ? undefined : first + index);
  const derived = () => names.derivedId(channelNumber, Number(sequence), Number(epoch));
  return {
    number,
    attempt: entry.attempt ?? 1,
    member: member === undefined ? undefined : `m${member}`,
    channel: entry.channel || (names.channelName(channelNumber) ?? ""),
    sequence,
    epoch,
    event: event && { ...(treeFromEvent(event) as object), id: event.id || derived() },
  };
}

function treeFromCredit(credit: Credit): { [name: string]: JsonTree } {
  return { events: some(credit.events), bytes: some(credit.bytes) };
}

/** A refused event has its problem and nothing else. */
function treeFromResult(result: Result): JsonTree {
  if (result.problem !== undefined) return { problem: treeFromProblem(result.problem) };
  const { id, sequence, epoch, sinks, hosts, refused, duplicate } = result;
  const counted = { sequence: narrow(sequence), epoch: integerFromBigint(epoch) };
  return {
    id: id || undefined,
    ...counted,
    sinks,
    hosts,
    refused: refused || undefined,
    duplicate: duplicate || undefined,
  };
}

/** RFC 9457 in small. */
function treeFromProblem(problem: Problem): JsonTree {
  const { ref, code, title, detail, value, limit, line, column, u } = problem;
  const expected = problem.expected.length === 0 ? undefined : problem.expected;
  const refused = { value: treeFromValue(value), limit: treeFromValue(limit), line, column, expected, u };
  return { ref, code, title, detail: detail || undefined, ...refused };
}

function treeFromValue(value: Value | undefined): JsonTree {
  // A Value without kind, which is no JSON, cannot be written by toJson().
  return value?.kind.case === undefined ? undefined : toJson(ValueSchema, value);
}

function kindFromChecked(json: HostFrameJson): NonNullable<FrameInit["kind"]> {
  if (json.deliver !== undefined)
    return { case: "deliver", value: { events: json.deliver.events.map(deliveryFromChecked) } };
  if (json.credit !== undefined) {
    const { channel, ...credit } = json.credit;
    return { case: "credit", value: { ...given({ channel }), ...creditFromChecked(credit) } };
  }
  if (json.receipt !== undefined) {
    const { ref, results, withdrawn, forwarded } = json.receipt;
    const counts = given({ ref, withdrawn, forwarded });
    return { case: "receipt", value: { ...counts, results: results.map(resultFromChecked) } };
  }
  if (json.dropped !== undefined)
    return { case: "dropped", value: { ...json.dropped, count: BigInt(json.dropped.count) } };
  if (json.missed !== undefined) {
    const { number, sequence, ...missed } = json.missed;
    return { case: "missed", value: given({ ...missed, number: wide(number), sequence: wide(sequence) }) };
  }
  if (json.problem !== undefined) return { case: "problem", value: problemFromChecked(json.problem) };
  return rareKindFromChecked(json);
}

function rareKindFromChecked(json: HostFrameJson): NonNullable<FrameInit["kind"]> {
  if (json.welcome !== undefined) {
    const { limits, epoch, published, ...welcome } = json.welcome;
    const told = limits && { ...limits, frameBytes: BigInt(limits.frameBytes), eventBytes: BigInt(limits.eventBytes) };
    return {
      case: "welcome",
      value: given({ ...welcome, epoch: BigInt(epoch), limits: told, published: wide(published) }),
    };
  }
  if (json.joined !== undefined) {
    const { member, epoch, credit, pattern, admission, ...joined } = json.joined;
    const rest = {
      pattern: pattern === undefined ? undefined : memberNumber(pattern),
      member: memberNumber(member) as number,
      epoch: BigInt(epoch),
      credit: credit && creditFromChecked(credit),
      admission: admission && given(admission),
    };
    return { case: "joined", value: given({ ...joined, ...rest }) };
  }
  if (json.left !== undefined) {
    const { member, ...left } = json.left;
    return { case: "left", value: given({ ...left, member: memberNumber(member) as number }) };
  }
  if (json.region !== undefined) {
    const { data, ...region } = json.region;
    return { case: "region", value: given({ ...region, data: data as JsonObject | undefined }) };
  }
  if (json.pong !== undefined) return { case: "pong", value: given(json.pong) };
  return { case: "drain", value: { retryMs: BigInt(json.drain?.retryMs ?? 0) } };
}

/** The first attempt is absent in binary and 1 in JSON. */
function deliveryFromChecked(entry: NonNullable<HostFrameJson["deliver"]>["events"][number]) {
  const { number, channel, member, sequence, epoch, attempt, event } = entry;
  const rest = { number: wide(number), epoch: wide(epoch), attempt: attempt === 1 ? undefined : attempt };
  return {
    channel,
    sequence: BigInt(sequence),
    event: eventFromChecked(event),
    ...given({ ...rest, member: member === undefined ? undefined : memberNumber(member) }),
  };
}

function creditFromChecked(credit: { events?: number | undefined; bytes?: number | undefined }) {
  return given({ events: wide(credit.events), bytes: wide(credit.bytes) });
}

function resultFromChecked(result: NonNullable<HostFrameJson["receipt"]>["results"][number]) {
  if ("problem" in result) return { problem: problemFromChecked(result.problem) };
  const { sequence, epoch, ...rest } = result;
  return given({ ...rest, sequence: wide(sequence), epoch: BigInt(epoch) });
}

function problemFromChecked(problem: Problems): MessageInitShape<typeof ProblemSchema> {
  const { value, limit, ...rest } = problem;
  return given({ ...rest, value: valueFromJson(value), limit: valueFromJson(limit) });
}

function valueFromJson(value: unknown): Value | undefined {
  return value === undefined ? undefined : fromJson(ValueSchema, value as ProtobufJson | JsonObject);
}
