/**
 * Client frames: JSON ↔ protobuf, kind by kind. The fast way of a publish is in publish.ts; this one takes everything.
 *
 * Absence: a text that is empty, a list without entries and a counter of 0 are absent in protobuf fields without presence,
 * and are not written to JSON. Where a field has presence (`optional`), 0 and absent stay two things.
 */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, type JsonObject } from "@bufbuild/protobuf";
import { checkWith } from "../../check.ts";
import type { SluiceError } from "../../errors.ts";
import { sluiceErrorFrom } from "../../errors.ts";
import {
  type ClientFrame,
  ClientFrameSchema,
  type Inbox,
  type InboxSchema,
  type JoinSchema,
  type Outbox,
  type OutboxSchema,
  type Set as SetFrame,
} from "../../gen/sluice/v1/frame_pb.ts";
import { eventFromChecked, treeFromEvent } from "./event.ts";
import { microsFromMoment, momentFromMicros } from "./moment.ts";
import { type JsonValue, type RawAt, readJson } from "./reader.ts";
import { type ClientFrameJson, clientFrameSchema } from "./schema/client.ts";
import { memberNumber, type ScalarValue } from "./schema/parts.ts";
import { integerFromBigint, scalarsFromValues, valuesFromScalars } from "./value.ts";
import { type JsonTree, textFromTree } from "./write.ts";

/** A frame read, or what is wrong with it, and its `ref` if that much could be read. */
export type FrameRead =
  | { readonly ok: true; readonly frame: ClientFrame }
  | { readonly ok: false; readonly error: SluiceError; readonly ref?: number };

type FrameInit = MessageInitShape<typeof ClientFrameSchema>;
type InboxJson = NonNullable<ClientFrameJson["inbox"]>;
type OutboxJson = NonNullable<NonNullable<ClientFrameJson["join"]>["outbox"]>;

/** The payload of a published event is carried as text. */
const rawAt: RawAt = (path) => path.length === 4 && path[3] === "data" && path[0] === "publish" && path[1] === "events";

/**
 * Reads one JSON frame of a client.
 *
 * @param text One message: UTF-8 bytes or a string.
 * @returns The frame, or the first thing that is wrong with it; it never throws for what is in `text`.
 */
export function clientFrameFromJson(text: string | Uint8Array): FrameRead {
  const read = readJson(text, rawAt);
  if (!read.ok) return read;
  try {
    return { ok: true, frame: create(ClientFrameSchema, initFromChecked(checkWith(clientFrameSchema, read.value))) };
  } catch (thrown) {
    const ref = refOf(read.value);
    return { ok: false, error: sluiceErrorFrom(thrown), ...(ref === undefined ? {} : { ref }) };
  }
}

/** Writes a client frame as JSON. Channels by number cannot be said in JSON and are written as "". */
export function jsonFromClientFrame(frame: ClientFrame): string {
  return textFromTree({ ref: frame.ref, ...treeFromKind(frame.kind) });
}

/** The `ref` of a frame that is otherwise wrong, so that the answer finds its question. */
function refOf(value: JsonValue): number | undefined {
  if (typeof value !== "object" || value === null || !("ref" in value)) return undefined;
  const { ref } = value;
  return typeof ref === "number" && Number.isInteger(ref) && ref >= 0 && ref <= 0xffff_ffff ? ref : undefined;
}

function initFromChecked(json: ClientFrameJson): FrameInit {
  const kind = kindFromChecked(json);
  return json.ref === undefined ? { kind } : { ref: json.ref, kind };
}

/** The kinds that come often; an object of kinds has exactly one, which the schema has seen to. */
function kindFromChecked(json: ClientFrameJson): NonNullable<FrameInit["kind"]> {
  if (json.publish !== undefined) {
    const { channel, events, number } = json.publish;
    return {
      case: "publish",
      value: { channel, events: events.map(eventFromChecked), ...given({ number: wide(number) }) },
    };
  }
  if (json.credit !== undefined) {
    return { case: "credit", value: given({ events: wide(json.credit.events), bytes: wide(json.credit.bytes) }) };
  }
  if (json.ack !== undefined) {
    const numbers = (json.ack.numbers ?? []).map(BigInt);
    return { case: "ack", value: { numbers, ...given({ through: wide(json.ack.through) }) } };
  }
  if (json.update !== undefined) return { case: "update", value: updateFromChecked(json.update) };
  if (json.cancel !== undefined) {
    const { channel, key, at } = json.cancel;
    return {
      case: "cancel",
      value: { channel, key, ...given({ atUs: at === undefined ? undefined : microsFromMoment(at) }) },
    };
  }
  return rareKindFromChecked(json);
}

/** The kinds that come once in a while. */
function rareKindFromChecked(json: ClientFrameJson): NonNullable<FrameInit["kind"]> {
  if (json.hello !== undefined) {
    const { received, lingerMs, inbox, client, token, session } = json.hello;
    const fields = { client, token, session, received: wide(received), lingerMs: wide(lingerMs) };
    return {
      case: "hello",
      value: { ...given(fields), ...(inbox === undefined ? {} : { inbox: inboxFromChecked(inbox) }) },
    };
  }
  if (json.join !== undefined) return { case: "join", value: joinFromChecked(json.join) };
  if (json.leave !== undefined) return { case: "leave", value: { member: memberNumber(json.leave.member) as number } };
  if (json.inbox !== undefined) return { case: "inbox", value: inboxFromChecked(json.inbox) };
  if (json.set !== undefined)
    return { case: "set", value: { values: valuesFromScalars(json.set.values ?? {}), add: json.set.add ?? {} } };
  if (json.evaluate !== undefined) return { case: "evaluate", value: json.evaluate };
  if (json.observe !== undefined) return { case: "observe", value: given(json.observe) };
  return { case: "ping", value: {} };
}

/** An attribute that is null is one to remove: JSON has a word for it, protobuf a list. */
function updateFromChecked(update: NonNullable<ClientFrameJson["update"]>) {
  const changes = Object.entries(update.attributes ?? {});
  const kept = changes.filter((change): change is [string, ScalarValue] => change[1] !== null);
  const removed = changes.filter((change) => change[1] === null).map((change) => change[0]);
  return {
    member: memberNumber(update.member) as number,
    attributes: valuesFromScalars(Object.fromEntries(kept)),
    remove: [...(update.remove ?? []), ...removed],
    ...(update.outbox === undefined ? {} : { outbox: outboxFromChecked(update.outbox) }),
  };
}

/** A join, of which the schema has seen to the fields. */
export function joinFromChecked(json: NonNullable<ClientFrameJson["join"]>): MessageInitShape<typeof JoinSchema> {
  const { attributes, filters, after, outbox, ...rest } = json;
  const position = after && { epoch: BigInt(after.epoch), sequence: BigInt(after.sequence) };
  const value = {
    ...given({ ...rest, after: position, outbox: outbox && outboxFromChecked(outbox) }),
    attributes: valuesFromScalars(attributes ?? {}),
  };
  return filters === undefined ? value : { ...value, filters: filters as JsonObject };
}

/** Settings of an inbox, as `hello` and `inbox` carry them. */
export function inboxFromChecked(json: InboxJson): MessageInitShape<typeof InboxSchema> {
  const { capacityEvents, capacityBytes, redeliverMs, idleMs, select, ...rest } = json;
  return {
    ...given({
      ...rest,
      capacityEvents: wide(capacityEvents),
      capacityBytes: wide(capacityBytes),
      redeliverMs: wide(redeliverMs),
      idleMs: wide(idleMs),
    }),
    ...(select === undefined ? {} : { select: given(select) }),
  };
}

/** Settings of an outbox, as `join`, `update` and operators carry them. */
export function outboxFromChecked(json: OutboxJson): MessageInitShape<typeof OutboxSchema> {
  const { capacityEvents, capacityBytes, ...rest } = json;
  return given({ ...rest, capacityEvents: wide(capacityEvents), capacityBytes: wide(capacityBytes) });
}

/** The member of the JSON frame that is its kind. */
function treeFromKind(kind: ClientFrame["kind"]): { [name: string]: JsonTree } {
  switch (kind.case) {
    case "publish": {
      const { channel, events, number } = kind.value;
      return { publish: { channel, events: events.map(treeFromEvent), number: some(number) } };
    }
    case "credit":
      return { credit: { events: some(kind.value.events), bytes: some(kind.value.bytes) } };
    case "ack": {
      const { through, numbers } = kind.value;
      return {
        ack: { through: narrow(through), numbers: numbers.length === 0 ? undefined : numbers.map(integerFromBigint) },
      };
    }
    case "update": {
      const { member, attributes, remove, outbox } = kind.value;
      return {
        update: {
          member: `m${member}`,
          attributes: scalarsFromValues(attributes),
          remove: list(remove),
          outbox: outbox && treeFromOutbox(outbox),
        },
      };
    }
    case "cancel": {
      const { channel, key, atUs } = kind.value;
      return { cancel: { channel, key, at: atUs === undefined ? undefined : momentFromMicros(atUs) } };
    }
    case "hello": {
      const { client, token, session, received, lingerMs, inbox } = kind.value;
      const texts = { client: client || undefined, token: token || undefined, session: session || undefined };
      return {
        hello: {
          ...texts,
          received: narrow(received),
          lingerMs: narrow(lingerMs),
          inbox: inbox === undefined ? undefined : treeFromInbox(inbox),
        },
      };
    }
    case "join": {
      const { channel, role, attributes, where, types, filters, dialect, misses } = kind.value;
      const { rate, after, replay, piggyback, outbox } = kind.value;
      const texts = { channel, role: role || undefined, where: where || undefined, dialect: dialect || undefined };
      return {
        join: {
          ...texts,
          attributes: scalarsFromValues(attributes),
          types: list(types),
          filters,
          misses: misses || undefined,
          rate,
          after: after && { epoch: narrow(after.epoch), sequence: narrow(after.sequence) },
          replay,
          piggyback: list(piggyback),
          outbox: outbox && treeFromOutbox(outbox),
        },
      };
    }
    case "leave":
      return { leave: { member: `m${kind.value.member}` } };
    case "inbox":
      return { inbox: treeFromInbox(kind.value) };
    case "set":
      return { set: setTree(kind.value) };
    case "evaluate":
      return { evaluate: { contract: kind.value.contract } };
    case "observe":
      return { observe: { contract: kind.value.contract, stop: kind.value.stop || undefined } };
    case "ping":
      return { ping: {} };
    default:
      return {};
  }
}

/** Without anything to set or to add it is still a frame. */
function setTree({ values, add }: SetFrame): JsonTree {
  const isAdding = Object.keys(add).length > 0;
  const set = scalarsFromValues(values) ?? (isAdding ? undefined : {});
  return { values: set, add: isAdding ? add : undefined };
}

/** Settings that are absent are left out: they stay as they are. */
function treeFromInbox(inbox: Inbox): JsonTree {
  const { select } = inbox;
  return {
    ordering: inbox.ordering || undefined,
    capacityEvents: narrow(inbox.capacityEvents),
    capacityBytes: narrow(inbox.capacityBytes),
    overflow: inbox.overflow || undefined,
    select: select && {
      mode: select.mode || undefined,
      events: select.events,
      bytes: select.bytes,
      delayMs: select.delayMs,
    },
    late: inbox.late || undefined,
    serviceMs: inbox.serviceMs,
    stallMark: inbox.stallMark,
    releaseMark: inbox.releaseMark,
    ack: inbox.ack || undefined,
    redeliverMs: narrow(inbox.redeliverMs),
    attempts: inbox.attempts,
    deadLetter: inbox.deadLetter || undefined,
    idleMs: narrow(inbox.idleMs),
    held: inbox.held,
  };
}

function treeFromOutbox({ ordering, capacityEvents, capacityBytes, overflow, held }: Outbox): JsonTree {
  return {
    ordering: ordering || undefined,
    capacityEvents: narrow(capacityEvents),
    capacityBytes: narrow(capacityBytes),
    overflow: overflow || undefined,
    held,
  };
}

/** The members that are there: protobuf init shapes take no undefined. */
export function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const present = Object.entries(fields).filter((field) => field[1] !== undefined);
  return Object.fromEntries(present) as { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };
}

/** A JSON counter as protobuf's 64 bits. */
export function wide(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}

/** The reverse. */
export function narrow(value: bigint | undefined): number | bigint | undefined {
  return value === undefined ? undefined : integerFromBigint(value);
}

/** A counter of a field without presence: 0 is absent. */
export function some(value: bigint): number | bigint | undefined {
  return value === 0n ? undefined : integerFromBigint(value);
}

/** A list of a field without presence: an empty one is absent. */
export function list(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values;
}
