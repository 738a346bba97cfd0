/**
 * What the query of a subscription says: `?type=a&type=b&attr.zone=eu&replay=false&format=cloudevents`.
 */
import { create } from "@bufbuild/protobuf";
import { SluiceError } from "../errors.ts";
import { type Value, ValueSchema } from "../gen/sluice/v1/event_pb.ts";
import { InboxSchema } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import { defaultInbox, type InboxSettings, inboxFromFrame } from "../session/inbox.ts";
import { assertTypes } from "../session/join.ts";
import type { ControlContext } from "./request.ts";

/** Forms in which events are told. */
export const streamFormats = ["native", "cloudevents", "delivery"] as const;

/** The query, checked. */
export interface StreamQuery {
  readonly types: readonly string[];
  /** An expression; the join takes it or says why not. */
  readonly where: string;
  /** Its language, where it is not ours. */
  readonly dialect: string;
  /** Live attributes of the sink. */
  readonly attributes: Readonly<Record<string, Value>>;
  /** Settings of the stream's inbox, where the query names one. */
  readonly inbox: InboxSettings | undefined;
  /** Instead of the header field, for clients that cannot set one. */
  readonly lastEventId: string | undefined;
  readonly replay: boolean;
  readonly format: (typeof streamFormats)[number];
}

/** In front of the name of an attribute. */
const ATTRIBUTE = "attr.";
/** Parameters that may be there once; the value is checked below. */
const single = ["where", "dialect", "ordering", "lastEventId", "replay", "format"] as const;

/**
 * Reads the query of a subscription.
 *
 * @throws {SluiceError} `unknown_field`, `invalid_value`, `not_supported`, `limit_reached` or `type_too_long`, naming the
 *   parameter; `expression`.
 */
export function readStreamQuery(context: ControlContext): StreamQuery {
  const given = context.req.queries();
  const attributes: Record<string, Value> = {};
  const once: { [Name in (typeof single)[number]]?: string } = {};
  let types: readonly string[] = [];
  for (const [name, values] of Object.entries(given)) {
    const field = `query.${name.slice(0, 80)}`;
    const known = single.find((candidate) => candidate === name);
    if (name === "type") types = values;
    else if (name.startsWith(ATTRIBUTE)) attributes[name.slice(ATTRIBUTE.length)] = valueFrom(one(field, values));
    else if (known !== undefined) once[known] = one(field, values);
    else throw new SluiceError("unknown_field", `Cannot take the unknown parameter ${field}`, { value: field });
  }
  assertTypes(types, "query.type");
  assertCount(attributes);
  const inbox =
    once.ordering === undefined
      ? undefined
      : inboxFromFrame(defaultInbox, create(InboxSchema, { ordering: once.ordering }), "query.");
  return {
    inbox,
    types,
    where: once.where ?? "",
    dialect: once.dialect ?? "",
    attributes,
    lastEventId: once.lastEventId,
    replay: oneOf("query.replay", once.replay ?? "true", ["true", "false"]) === "true",
    format: oneOf("query.format", once.format ?? "native", streamFormats),
  };
}

function one(field: string, values: readonly string[]): string {
  const [value = "", ...more] = values;
  if (more.length === 0) return value;
  throw new SluiceError("invalid_value", `Cannot take ${field} ${values.length} times, limit is 1`, {
    value: field,
    limit: 1,
  });
}

function oneOf<Word extends string>(field: string, value: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  throw new SluiceError(
    "invalid_value",
    `Cannot take ${field} ${JSON.stringify(value.slice(0, 32))}, it must be one of ${words.join(", ")}`,
    { value: value.slice(0, 32), limit: words },
  );
}

function assertCount(attributes: Readonly<Record<string, Value>>): void {
  const count = Object.keys(attributes).length;
  if (count <= limits.attributes) return;
  throw new SluiceError(
    "attributes_too_many",
    `Cannot take ${count} attributes in query.attr, limit is ${limits.attributes}`,
    { value: count, limit: limits.attributes },
  );
}

/**
 * Text as a value, by the rule of the command line: true, false and plain decimals are what they look like, since routes and
 * filters compare by type. Leading zeros and digits beyond 2^53 stay text.
 */
function valueFrom(text: string): Value {
  if (text === "true" || text === "false")
    return create(ValueSchema, { kind: { case: "boolean", value: text === "true" } });
  const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return create(ValueSchema, { kind: { case: "integer", value: BigInt(number) } });
  if (Number.isFinite(number) && !Number.isInteger(number))
    return create(ValueSchema, { kind: { case: "number", value: number } });
  return create(ValueSchema, { kind: { case: "text", value: text } });
}
