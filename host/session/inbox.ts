/**
 * Settings of a session's inbox, from `hello` or an `inbox` frame.
 *
 * The whole shape of an inbox is accepted at its neutral value; what this version does not have is refused by name,
 * since a client that asked for deadlines must not silently get fifo.
 */
import {
  ORDERING_DEADLINE,
  ORDERING_FIFO,
  ORDERING_LIFO,
  ORDERING_PRIORITY,
  ORDERING_PRIORITY_DEADLINE,
  ORDERING_TIME,
  ORDERING_WINDOW,
  OVERFLOW_BLOCK,
  OVERFLOW_DISCONNECT,
  OVERFLOW_DROP_LOWEST,
  OVERFLOW_DROP_NEWEST,
  OVERFLOW_DROP_OLDEST,
  OVERFLOW_KEEP_LATEST,
  OVERFLOW_REJECT,
} from "../../core-wasm/abi.ts";
import { LATE_CHANNEL, LATE_DELIVER, LATE_DIVERT, LATE_DROP } from "../../core-wasm/mailbox/abi.ts";
import { SluiceError } from "../errors.ts";
import type { Inbox, Select } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import { type AckSettings, acksFromFrame, defaultAcks } from "./acks.ts";

/** How deliveries are grouped into JSON frames and answers of polls. */
export interface Grouping {
  /** One event at a time, whatever `events` says: kept apart, so that going back to batches gives those of before. */
  readonly single: boolean;
  readonly events: number;
  readonly bytes: number;
  /** How long the first of a group waits for others, on the service clock. */
  readonly delayMs: number;
}

/** Where a session does not say. */
export const defaultGrouping: Grouping = Object.freeze({
  single: false,
  events: limits.deliverEvents,
  bytes: limits.deliverBytes,
  delayMs: 0,
});

/** Events in one group. */
export function groupEvents({ single, events }: Grouping): number {
  return single ? 1 : events;
}

/** What of an inbox can be set now. */
export interface InboxSettings {
  readonly capacityEvents: number;
  readonly capacityBytes: number;
  /** ORDERING_…. */
  readonly ordering: number;
  /** OVERFLOW_…. */
  readonly overflow: number;
  readonly grouping: Grouping;
  readonly acks: AckSettings;
  /** What its client takes for one event, ms; undefined: it does not say. */
  readonly serviceMs: number | undefined;
  /** LATE_…: what becomes of late events. */
  readonly late: number;
  /** Shares of its capacity at which publishers begin to wait, and cease to, where it blocks. */
  readonly marks: InboxMarks;
  /** Deliveries wait in it, answers pass. */
  readonly held: boolean;
}

/** See InboxSettings. */
export interface InboxMarks {
  readonly stall: number;
  readonly release: number;
}

/** Where an inbox does not say. */
export const defaultMarks: InboxMarks = Object.freeze({ stall: 0.5, release: 0.25 });

/** A new session's. */
export const defaultInbox: InboxSettings = Object.freeze({
  capacityEvents: limits.inboxEvents,
  capacityBytes: limits.inboxBytes,
  ordering: ORDERING_FIFO,
  overflow: OVERFLOW_DROP_OLDEST,
  serviceMs: undefined,
  grouping: defaultGrouping,
  acks: defaultAcks,
  late: LATE_CHANNEL,
  marks: defaultMarks,
  held: false,
});

/** ORDERING_… by its word. */
export const orderings: ReadonlyMap<string, number> = new Map([
  ["fifo", ORDERING_FIFO],
  ["lifo", ORDERING_LIFO],
  ["priority", ORDERING_PRIORITY],
  ["deadline", ORDERING_DEADLINE],
  ["priority+deadline", ORDERING_PRIORITY_DEADLINE],
  ["time", ORDERING_TIME],
  ["window", ORDERING_WINDOW],
]);

/** The word for an ORDERING_…. */
export function orderingName(ordering: number): string {
  for (const [name, number] of orderings) if (number === ordering) return name;
  throw new RangeError(`There is no ordering ${ordering}`);
}

/** OVERFLOW_… by its word. */
export const overflows: ReadonlyMap<string, number> = new Map([
  ["drop-oldest", OVERFLOW_DROP_OLDEST],
  ["drop-newest", OVERFLOW_DROP_NEWEST],
  ["reject", OVERFLOW_REJECT],
  ["block", OVERFLOW_BLOCK],
  ["disconnect", OVERFLOW_DISCONNECT],
  ["drop-lowest", OVERFLOW_DROP_LOWEST],
  ["keep-latest", OVERFLOW_KEEP_LATEST],
]);

/** The word for an OVERFLOW_…. */
export function overflowName(overflow: number): string {
  for (const [name, number] of overflows) if (number === overflow) return name;
  throw new RangeError(`There is no overflow policy ${overflow}`);
}

const lates: ReadonlyMap<string, number> = new Map([
  ["channel", LATE_CHANNEL],
  ["deliver", LATE_DELIVER],
  ["drop", LATE_DROP],
  ["divert", LATE_DIVERT],
]);

/** The word for a LATE_…. */
export function lateName(late: number): string {
  for (const [name, number] of lates) if (number === late) return name;
  throw new RangeError(`There is no fate ${late} of late events`);
}

/** The largest capacities; a mailbox beyond them would be a store. */
export const CAPACITY_EVENTS_MAX = 16_777_216;
export const CAPACITY_BYTES_MAX = 1_073_741_824;
/** Idle mailboxes are those of HTTP clients; a session's lives as long as the session. */
const IDLE_MS_NEUTRAL = BigInt(limits.inboxIdleMs);

/**
 * Applies a frame to settings.
 *
 * @param present What was in force; what the frame leaves out stays.
 * @param path Of the frame in the input, for errors: "inbox.", "hello.inbox.", or "" where it is all of the input.
 * @returns The new settings.
 * @throws {SluiceError} `not_supported` with the field's path as its value, or `invalid_value` with the value; both name
 *   the field in their message.
 */
export function inboxFromFrame(present: InboxSettings, frame: Inbox, path: string): InboxSettings {
  word(`${path}ordering`, frame.ordering, [...orderings.keys()]);
  word(`${path}late`, frame.late, [...lates.keys()]);
  word(`${path}overflow`, frame.overflow, [...overflows.keys()]);
  refuse(`${path}idleMs`, frame.idleMs === IDLE_MS_NEUTRAL ? undefined : frame.idleMs);
  return {
    capacityEvents: count(`${path}capacityEvents`, frame.capacityEvents, CAPACITY_EVENTS_MAX) ?? present.capacityEvents,
    capacityBytes: count(`${path}capacityBytes`, frame.capacityBytes, CAPACITY_BYTES_MAX) ?? present.capacityBytes,
    ordering: orderings.get(frame.ordering) ?? present.ordering,
    overflow: overflows.get(frame.overflow) ?? present.overflow,
    grouping: frame.select === undefined ? present.grouping : groupingFrom(frame.select, `${path}select.`),
    serviceMs: frame.serviceMs === undefined ? present.serviceMs : service(`${path}serviceMs`, frame.serviceMs),
    acks: acksFromFrame(present.acks, frame, path),
    late: lates.get(frame.late) ?? present.late,
    marks: marksFrom(present.marks, frame, path),
    held: frame.held ?? present.held,
  };
}

function marksFrom(present: InboxMarks, frame: Inbox, path: string): InboxMarks {
  const stall = frame.stallMark ?? present.stall;
  const release = frame.releaseMark ?? present.release;
  if (!(stall > 0 && stall <= 1)) throw outOfRange(`${path}stallMark`, stall, "above 0 and at most 1", [0, 1]);
  if (!(release >= 0 && release < stall))
    throw outOfRange(`${path}releaseMark`, release, `from 0 and below stallMark, ${stall}`, [0, stall]);
  return { stall, release };
}

function outOfRange(path: string, value: number, range: string, limit: readonly number[]): SluiceError {
  return new SluiceError("invalid_value", `Cannot set ${path} to ${value}, it must be ${range}`, {
    value: Number.isFinite(value) ? value : String(value),
    limit,
  });
}

/** 0 takes it back. */
function service(path: string, value: number): number | undefined {
  if (value >= 0 && value <= limits.serviceMs) return value === 0 ? undefined : value;
  throw outOfRange(path, value, `from 0 (unknown) to ${limits.serviceMs}`, [0, limits.serviceMs]);
}

/** `single` is one event per frame; binary sessions always get that, since sinks share the stored bytes. */
function groupingFrom(select: Select, path: string): Grouping {
  word(`${path}mode`, select.mode, ["batch", "single"]);
  const delayMs = select.delayMs ?? 0;
  if (delayMs > limits.delayMsMax) {
    throw new SluiceError(
      "invalid_value",
      `Cannot set ${path}delayMs to ${delayMs}, it must be from 0 to ${limits.delayMsMax}`,
      { value: delayMs, limit: [0, limits.delayMsMax] },
    );
  }
  const events = count(`${path}events`, select.events, limits.publishEvents) ?? limits.deliverEvents;
  const bytes = count(`${path}bytes`, select.bytes, limits.frameBytes) ?? limits.deliverBytes;
  return { single: select.mode === "single", events, bytes, delayMs };
}

/** Checks a word of a vocabulary; empty: none was given. @throws {SluiceError} `invalid_value`. */
export function word(path: string, value: string, known: readonly string[]): void {
  if (value === "" || known.includes(value)) return;
  throw new SluiceError(
    "invalid_value",
    `Cannot set ${path} to "${value.slice(0, 64)}", it must be one of ${known.join(", ")}`,
    {
      value: value.slice(0, 64),
      limit: [...known],
    },
  );
}

/** Zero is the neutral value of all numbers here. */
function refuse(path: string, value: bigint | number | string | undefined): void {
  if (value === undefined || value === 0 || value === 0n) return;
  throw notSupported(path, value);
}

/**
 * The refusal of a feature that this version does not have.
 *
 * @param path Of the field.
 */
export function notSupported(path: string, value: unknown): SluiceError {
  const shown =
    typeof value === "string" ? ` ("${value.slice(0, 64)}")` : typeof value === "object" ? "" : ` (${String(value)})`;
  return new SluiceError("not_supported", `This version does not have ${path}${shown}`, { value: path });
}

/** A count from 1 to `most`; undefined where none was given. @throws {SluiceError} `invalid_value`. */
export function count(path: string, value: bigint | number | undefined, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (number >= 1 && number <= most) return number;
  throw new SluiceError("invalid_value", `Cannot set ${path} to ${value}, it must be from 1 to ${most}`, {
    value: number,
    limit: [1, most],
  });
}
