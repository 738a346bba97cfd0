/** What the host asks about sources; index.ts exports it. Described in host/core/exports.ts. */
import {
  ORDERING_WINDOW,
  OVERFLOW_KEEP_LATEST,
  ROLE_SOURCE,
  STATUS_LIMIT,
  STATUS_MEMBER_UNKNOWN,
  STATUS_OK,
} from "../abi";
import { Channel } from "../channel/channel";
import { Member, memberFind } from "../channel/member";
import { clockSet } from "../clock";
import { resultStatus } from "../result";
import { connectionFind } from "../session/connection";
import { Outbox, outboxConfigure, outboxHold } from "./outbox";
import { outboxesPump } from "./pump";

/** Events in the outbox of a source. */
export function outboxEvents(member: u32): u32 {
  const source = memberFind(member);
  return source === null ? 0 : source.outboxEvents;
}

/** Their bytes. */
export function outboxBytes(member: u32): u32 {
  const source = memberFind(member);
  return source === null || source.outbox === 0 ? 0 : changetype<Outbox>(source.outbox).bytes;
}

/** Sets how much the outbox of a source holds, what gives way, what leaves first, and whether it is held. */
export function outboxSet(
  member: u32,
  capacityEvents: u32,
  capacityBytes: u32,
  overflow: u32,
  ordering: u32,
  held: u32,
  now: f64,
): u32 {
  const found = memberFind(member);
  if (found === null || (found.role & ROLE_SOURCE) === 0) return resultStatus(STATUS_MEMBER_UNKNOWN, member, 0);
  const source = found as Member;
  const connection = connectionFind(source.connection);
  if (connection === null) return resultStatus(STATUS_MEMBER_UNKNOWN, member, 0);
  if (overflow > OVERFLOW_KEEP_LATEST) return resultStatus(STATUS_LIMIT, overflow, OVERFLOW_KEEP_LATEST);
  if (ordering > ORDERING_WINDOW) return resultStatus(STATUS_LIMIT, ordering, ORDERING_WINDOW);
  if (capacityEvents === 0 || capacityBytes === 0) return resultStatus(STATUS_LIMIT, 0, 1);
  clockSet(now);
  const channel = changetype<Channel>(source.channelAt);
  const status = outboxConfigure(connection, source, channel, capacityEvents, capacityBytes, overflow, ordering);
  if (status !== STATUS_OK) return status;
  const holds = outboxHold(source, held);
  outboxesPump(channel);
  return holds;
}
