/**
 * Puts settings of an inbox in force, wherever they come from: the session itself, or an operator.
 */
import { RESULT_LIMIT, RESULT_VALUE, STATUS_OK } from "../../core-wasm/abi.ts";
import { errorFromStatus } from "../core/status.ts";
import { defaultInbox, type InboxSettings } from "./inbox.ts";
import type { Session } from "./session.ts";
import { OPEN } from "./state.ts";

/**
 * Gives a session's inbox new settings; what is beyond a new capacity is overflow.
 *
 * @throws {SluiceError} where the core refuses them.
 */
export function applyInbox(session: Session, next: InboxSettings): void {
  const { exports, views } = session.engine.core;
  const status = exports.inboxSet(session.id, next.capacityEvents, next.capacityBytes, next.overflow, next.ordering);
  if (status !== STATUS_OK) {
    throw errorFromStatus(status, views.result[RESULT_VALUE] as number, views.result[RESULT_LIMIT] as number);
  }
  const before = isHeld(session);
  session.inbox = next;
  applyHold(session, before);
}

/**
 * Holds a session's deliveries back for an operator, or lets them go. What an operator holds the session cannot release;
 * what it holds itself the operator releases, too, since `held` is one property to whoever looks at it.
 */
export function pause(session: Session, paused: boolean): void {
  const before = isHeld(session);
  session.paused = paused;
  if (!paused && session.inbox?.held === true) session.inbox = { ...session.inbox, held: false };
  applyHold(session, before);
}

/** Whether deliveries wait in the inbox, by whomever's wish. */
export function isHeld(session: Session): boolean {
  return session.paused || (session.inbox ?? defaultInbox).held;
}

function applyHold(session: Session, before: boolean): void {
  const held = isHeld(session);
  // A session that ends has its inbox held for good: only answers leave it.
  if (held === before || session.state !== OPEN) return;
  session.engine.core.exports.inboxHold(session.id, held ? 1 : 0);
  session.engine.flusher.schedule();
}
