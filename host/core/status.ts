/**
 * From a status of the core to the error that a client reads: a code of errors.ts and a sentence with value and limit.
 */
import * as abi from "../../core-wasm/abi.ts";
import { type SluiceCode, SluiceError } from "../errors.ts";

type Row = readonly [code: SluiceCode, sentence: (value: number, limit: number) => string];

const rows: ReadonlyMap<number, Row> = new Map<number, Row>([
  [abi.STATUS_MALFORMED, ["malformed", (value) => `The frame is not well-formed protobuf at byte ${value}`]],
  [
    abi.STATUS_FRAME_TOO_LARGE,
    ["frame_too_large", (value, limit) => `A frame of ${value} bytes is too large, limit is ${limit}`],
  ],
  [
    abi.STATUS_EVENT_TOO_LARGE,
    ["event_too_large", (value, limit) => `An event of ${value} bytes is too large, limit is ${limit}`],
  ],
  [abi.STATUS_NOT_UTF8, ["not_utf8", (value) => `The text in field ${value} is not UTF-8`]],
  [abi.STATUS_TYPE_MISSING, ["type_missing", () => "The event has no type"]],
  [abi.STATUS_TYPE_REFUSED, ["type_refused", () => "The channel does not take events of this type"]],
  [
    abi.STATUS_PRIORITY,
    ["priority_out_of_range", (value, limit) => `Priority ${value} is out of range, limit is 0 to ${limit || 9}`],
  ],
  [
    abi.STATUS_ATTRIBUTE_NAME,
    ["attribute_name", (value) => `An attribute name is not of the form [a-z][a-z0-9_]{0,63}${at(value)}`],
  ],
  [
    abi.STATUS_ATTRIBUTES_MANY,
    ["attributes_too_many", (value, limit) => `${value} attributes are too many, limit is ${limit}`],
  ],
  [
    abi.STATUS_ATTRIBUTES_TOO_LARGE,
    ["attributes_too_large", (value, limit) => `Attributes of ${value} bytes are too large, limit is ${limit}`],
  ],
  [
    abi.STATUS_KEY_TOO_LONG,
    ["key_too_long", (value, limit) => `A key of ${value} bytes is too long, limit is ${limit}`],
  ],
  [
    abi.STATUS_TYPE_TOO_LONG,
    ["type_too_long", (value, limit) => `A type of ${value} bytes is too long, limit is ${limit}`],
  ],
  [abi.STATUS_TIME, ["time_out_of_range", (value) => `The moment or duration in field ${value} is out of range`]],
  [
    abi.STATUS_NO_CREDIT,
    ["no_credit", (_value, limit) => `More was published than credit was granted, credit left is ${limit}`],
  ],
  [
    abi.STATUS_MAILBOX_FULL,
    [
      "mailbox_full",
      (_value, limit) => `Every selected inbox, or the outbox of the source, is full, limit is ${limit} events`,
    ],
  ],
  [abi.STATUS_STORE_FULL, ["store_full", () => "The store of this host is full, try again later"]],
  [abi.STATUS_MEMBER_UNKNOWN, ["member_unknown", (value) => `This session has no member m${value}`]],
  [
    abi.STATUS_CHANNEL_UNKNOWN,
    ["channel_unknown", (value) => `There is no channel ${value === 0 ? "of that name" : `number ${value}`}`],
  ],
  [abi.STATUS_SOURCE_TAKEN, ["source_taken", () => "The channel takes one source, and it has one"]],
  [
    abi.STATUS_ACK_UNKNOWN,
    ["ack_unknown", (value) => `Delivery ${orBeyond(value)} was never made, so it cannot be acknowledged`],
  ],
  [abi.STATUS_PUBLISHED, ["internal", () => "An event that was taken before was taken for one that was refused"]],
  [
    abi.STATUS_PUBLISH_NUMBER,
    [
      "publish_gap",
      (value, limit) => `Events from number ${value} on leave a gap, the next number of this session is ${limit}`,
    ],
  ],
  [abi.STATUS_RESUME_GAP, ["internal", (value, limit) => `Deliveries ${value + 1} to ${limit} are not kept any more`]],
  [abi.STATUS_WEBSOCKET, ["websocket_protocol", () => "The peer broke the WebSocket protocol (RFC 6455)"]],
  [
    abi.STATUS_WEBSOCKET_KIND,
    ["websocket_kind", () => "A JSON session takes text messages, a binary session binary ones"],
  ],
  [abi.STATUS_WEBSOCKET_SPLIT, ["websocket_split", () => "A WebSocket message ended within a frame"]],
  [abi.STATUS_WEBSOCKET_UTF8, ["not_utf8", () => "A text message is not UTF-8"]],
  [
    abi.STATUS_FRAME_KIND,
    ["frame_kind", () => "A frame must hold exactly one kind, with fields of the types of the schema"],
  ],
  [abi.STATUS_DECISION, ["internal", (value) => `A filter module gave a wrong word, ${value}`]],
  [
    abi.STATUS_DECIDER_SINKS,
    [
      "too_many_sinks",
      (value, limit) => `A channel with a filter module cannot have ${value} sinks, limit is ${limit}`,
    ],
  ],
  [
    abi.STATUS_MEMORY,
    ["memory_too_small", (value, limit) => `Memory of ${value} bytes is too small, the core needs at least ${limit}`],
  ],
  [abi.STATUS_LIMIT, ["limit_reached", (_value, limit) => `A table of this host is full, limit is ${limit}`]],
  [
    abi.STATUS_CONTROL_FULL,
    ["control_full", (_value, limit) => `The peer does not read its answers, limit is ${limit} bytes waiting`],
  ],
  [abi.STATUS_EXPRESSION, ["internal", (value) => `An expression was compiled to a program that is none (${value})`]],
  [
    abi.STATUS_NOT_MEMBER,
    ["not_member", () => "This session is no member of the channel, and only members may cancel; join it first"],
  ],
  [abi.STATUS_KEY_MISSING, ["invalid_value", () => "A cancel must have a key that is not empty"]],
  [
    abi.STATUS_CANCELLED,
    ["cancelled", () => "Another member that got this key was first, or it was cancelled for all: leave it"],
  ],
  [abi.STATUS_DISCONNECT, ["disconnect", () => "The inbox overflowed, and its policy is disconnect"]],
]);

/** Statuses whose VALUE word means something to the one who reads the error. */
const valued = new Set<number>([
  abi.STATUS_MALFORMED,
  abi.STATUS_FRAME_TOO_LARGE,
  abi.STATUS_EVENT_TOO_LARGE,
  abi.STATUS_NOT_UTF8,
  abi.STATUS_PRIORITY,
  abi.STATUS_ATTRIBUTES_MANY,
  abi.STATUS_ATTRIBUTES_TOO_LARGE,
  abi.STATUS_KEY_TOO_LONG,
  abi.STATUS_TYPE_TOO_LONG,
  abi.STATUS_TIME,
  abi.STATUS_MEMBER_UNKNOWN,
  abi.STATUS_CHANNEL_UNKNOWN,
  abi.STATUS_ACK_UNKNOWN,
  abi.STATUS_MEMORY,
  abi.STATUS_PUBLISH_NUMBER,
  abi.STATUS_DECIDER_SINKS,
]);

/** Statuses whose LIMIT word counts where it is 0, too: the credit left, the last delivery. */
const limited = new Set<number>([abi.STATUS_NO_CREDIT, abi.STATUS_ACK_UNKNOWN]);

/** The core says numbers in one word, and of larger ones that. */
const WORD_MAX = 0xffffffff;

function orBeyond(value: number): string {
  return value === WORD_MAX ? `${value} or beyond` : `${value}`;
}

function at(value: number): string {
  return value === 0 ? "" : ` (attribute ${value})`;
}

/**
 * Makes the error for a status.
 *
 * @param status STATUS_… other than STATUS_OK.
 * @param value RESULT_VALUE; left out of the error where that status gives it no meaning.
 * @param limit RESULT_LIMIT; left out where it is 0, but for `no_credit` and `ack_unknown`.
 * @returns A status that abi.ts does not know becomes `internal`.
 */
export function errorFromStatus(status: number, value: number, limit: number): SluiceError {
  const row = rows.get(status);
  if (row === undefined)
    return new SluiceError("internal", `The core answered with status ${status}, which this host does not know`);
  const [code, sentence] = row;
  return new SluiceError(code, sentence(value, limit), {
    ...(valued.has(status) ? { value: status === abi.STATUS_MEMBER_UNKNOWN ? `m${value}` : value } : {}),
    ...(limit !== 0 || limited.has(status) ? { limit } : {}),
  });
}
