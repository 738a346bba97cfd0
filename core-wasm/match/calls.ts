/** What the host asks about sources; index.ts exports it. Described in host/core/exports.ts. */
import { memberFind } from "../channel/member";

/** Events in the outbox of a source. */
export function outboxEvents(member: u32): u32 {
  const source = memberFind(member);
  return source === null ? 0 : source.outboxEvents;
}

/** Their bytes. */
export function outboxBytes(member: u32): u32 {
  const source = memberFind(member);
  return source === null ? 0 : source.outboxBytes;
}
