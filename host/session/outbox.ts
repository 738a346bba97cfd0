/**
 * Settings of a source's outbox, wherever they come from: a join, an `update`, an operator, or the application itself. They are
 * chosen independently of those of inboxes.
 */
import {
  ORDERING_FIFO,
  OVERFLOW_BLOCK,
  RESULT_LIMIT,
  RESULT_VALUE,
  ROLE_SOURCE,
  STATUS_OK,
} from "../../core-wasm/abi.ts";
import type { Core } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import type { Outbox } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import {
  CAPACITY_BYTES_MAX,
  CAPACITY_EVENTS_MAX,
  count,
  orderingName,
  orderings,
  overflowName,
  overflows,
  word,
} from "./inbox.ts";
import type { Session } from "./session.ts";

/** What of an outbox can be set. */
export interface OutboxSettings {
  /** ORDERING_…. */
  readonly ordering: number;
  readonly capacityEvents: number;
  readonly capacityBytes: number;
  /** OVERFLOW_…. */
  readonly overflow: number;
  /** Nothing leaves it. */
  readonly held: boolean;
}

/** What waits in an outbox. */
export interface OutboxDepth {
  readonly events: number;
  readonly bytes: number;
}

/** What waits in the outbox of a member. */
export function outboxDepth({ exports }: Core, member: number): OutboxDepth {
  return { events: exports.outboxEvents(member), bytes: exports.outboxBytes(member) };
}

/** Of a source that does not say. */
export const defaultOutbox: OutboxSettings = Object.freeze({
  ordering: ORDERING_FIFO,
  capacityEvents: limits.sourceCreditEvents,
  capacityBytes: limits.sourceCreditBytes,
  overflow: OVERFLOW_BLOCK,
  held: false,
});

/**
 * Applies a frame to settings.
 *
 * @param present What was in force; what the frame leaves out stays.
 * @param path Of the frame in the input, for errors: "join.outbox.".
 * @throws {SluiceError} `invalid_value` with the value, naming the field.
 */
export function outboxFromFrame(present: OutboxSettings, frame: Outbox, path: string): OutboxSettings {
  word(`${path}ordering`, frame.ordering, [...orderings.keys()]);
  word(`${path}overflow`, frame.overflow, [...overflows.keys()]);
  return {
    ordering: orderings.get(frame.ordering) ?? present.ordering,
    capacityEvents: count(`${path}capacityEvents`, frame.capacityEvents, CAPACITY_EVENTS_MAX) ?? present.capacityEvents,
    capacityBytes: count(`${path}capacityBytes`, frame.capacityBytes, CAPACITY_BYTES_MAX) ?? present.capacityBytes,
    overflow: overflows.get(frame.overflow) ?? present.overflow,
    held: frame.held ?? present.held,
  };
}

/** Settings as JSON. */
export function outboxJson({ ordering, capacityEvents, capacityBytes, overflow, held }: OutboxSettings) {
  return { ordering: orderingName(ordering), capacityEvents, capacityBytes, overflow: overflowName(overflow), held };
}

/**
 * Puts settings of the outbox of a member of this session in force; what waits is put in the new order.
 *
 * @param member Its number.
 * @throws {SluiceError} `member_unknown`, `invalid_value` for a member that is no source, `store_full`.
 */
export function applyOutbox(session: Session, member: number, frame: Outbox, path: string): void {
  const membership = session.memberships?.get(member);
  if (membership === undefined) {
    throw new SluiceError("member_unknown", `This session has no member m${member}`, { value: `m${member}` });
  }
  if ((membership.role & ROLE_SOURCE) === 0) throw noSource(path);
  const { core, clocks, flusher } = session.engine;
  const next = outboxFromFrame(membership.outbox ?? defaultOutbox, frame, path);
  const { capacityEvents, capacityBytes, overflow, ordering, held } = next;
  const now = clocks.service.now();
  const { exports } = core;
  const holds = held ? 1 : 0;
  const status = exports.outboxSet(member, capacityEvents, capacityBytes, overflow, ordering, holds, now);
  const { result } = core.views;
  if (status !== STATUS_OK)
    throw errorFromStatus(status, result[RESULT_VALUE] as number, result[RESULT_LIMIT] as number);
  session.memberships?.outbox(member, next);
  // What was held may go on its way.
  if (session.engine.deciding) session.engine.decide(now);
  flusher.schedule();
}

/** The refusal of an outbox for a member without one. */
export function noSource(path: string): SluiceError {
  const field = path.replace(/\.$/, "");
  return new SluiceError("invalid_value", `Cannot take ${field} of a sink, which has no outbox`, {
    value: field,
    limit: ["source", "both"],
  });
}
