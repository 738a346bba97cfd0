/**
 * Puts settings of an inbox in force, wherever they come from: the session itself, or an operator.
 */
import { RESULT_LIMIT, RESULT_VALUE, STATUS_OK } from "../../core-wasm/abi.ts";
import type { Layers } from "../channel/overlays.ts";
import type { Core } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import type { AckSettings } from "./acks.ts";
import { admitAll } from "./admission.ts";
import { Gather } from "./gather.ts";
import { defaultInbox, type InboxSettings } from "./inbox.ts";
import { Redelivery } from "./redelivery.ts";
import type { Session } from "./session.ts";
import { OPEN } from "./state.ts";

/** An inbox that contracts lay something over. */
export interface GovernedInbox {
  /** Settings of its own. */
  base: InboxSettings;
  readonly over: InboxOverlay;
}

/** What contracts lay over an inbox. */
export interface InboxOverlay {
  readonly layers: Layers;
  /** What is in force over some settings. @throws {SluiceError} where that cannot be. */
  apply(base: InboxSettings): InboxSettings;
}

/** The settings of a session's inbox as its owner or an operator has said them. */
export function ownInbox({ governed, inbox }: Pick<Session, "governed" | "inbox">): InboxSettings {
  return governed?.base ?? inbox ?? defaultInbox;
}

/**
 * Gives a session's inbox new settings of its own; what is beyond a new capacity is overflow.
 *
 * @throws {SluiceError} where the core refuses them; `admission` where deadlines of its streams could not be kept any more.
 */
export function applyInbox(session: Session, settings: InboxSettings): void {
  enforceInbox(session, session.governed?.over.apply(settings) ?? settings);
  if (session.governed !== undefined) session.governed.base = settings;
}

/** Has something laid over a session's inbox, or with undefined no more. @throws {SluiceError} as {@link applyInbox}. */
export function governInbox(session: Session, over: InboxOverlay | undefined): void {
  const base = ownInbox(session);
  enforceInbox(session, over?.apply(base) ?? base);
  session.governed = over === undefined ? undefined : { base, over };
}

/** Puts settings in force, whoever they are of. */
function enforceInbox(session: Session, next: InboxSettings): void {
  const { core, channels } = session.engine;
  const { exports } = core;
  if (next.acks.deadLetter !== undefined) channels.assertResolves(next.acks.deadLetter);
  admitAll(session, next);
  const { capacityEvents, capacityBytes, overflow, ordering, serviceMs } = next;
  const status = exports.inboxSet(session.id, capacityEvents, capacityBytes, overflow, ordering, serviceMs);
  check(core, status);
  check(core, exports.inboxLate(session.id, next.late));
  check(core, exports.inboxMarks(session.id, next.marks.stall, next.marks.release));
  applyAcks(session, next.acks);
  if (next.grouping.delayMs > 0) session.gather ??= new Gather(session, next.grouping);
  if (session.gather !== undefined) {
    session.gather.configure(next.grouping);
    // What waits may not have to any more.
    session.engine.flusher.ready(session);
  }
  const before = isHeld(session);
  session.inbox = next;
  applyHold(session, before);
}

/** Most sessions never say a word about acknowledgements, and have nothing for them. */
function applyAcks(session: Session, acks: AckSettings): void {
  if (!acks.explicit && session.redelivery === undefined) return;
  const { core } = session.engine;
  check(core, core.exports.inboxAcks(session.id, acks.explicit ? 1 : 0, acks.redeliverMs, acks.attempts));
  session.redelivery ??= new Redelivery(session);
  session.redelivery.configure(acks);
}

function check(core: Core, status: number): void {
  if (status === STATUS_OK) return;
  throw errorFromStatus(status, core.views.result[RESULT_VALUE] as number, core.views.result[RESULT_LIMIT] as number);
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
