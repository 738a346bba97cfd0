/**
 * Sessions that may come back after their carrier broke (docs/delivery.md).
 *
 *   OPEN ──carrier gone──► LINGERING ──hello with its secret──► OPEN, on the carrier of the session that said it
 *                              └──lingerMs over──► CLOSED
 *
 * A session that lingers keeps its connection in the core: members, inbox, what was delivered, numbers. What changes on return is its
 * way in and out. Whoever knows the secret is its owner, also while its former carrier seems to live.
 */
import { RESULT_LIMIT, RESULT_VALUE, STATUS_ACK_UNKNOWN, STATUS_OK } from "../../core-wasm/abi.ts";
import { errorFromStatus } from "../core/status.ts";
import { codes, SluiceError } from "../errors.ts";
import type { HostFrame } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import type { ConnectionAdapter } from "./connection.ts";
import type { Engine } from "./engine.ts";
import { defaultInbox } from "./inbox.ts";
import { isHeld } from "./inbox-apply.ts";
import type { Session } from "./session.ts";
import { CLOSED, LINGERING, OPEN } from "./state.ts";

/** Nobody is there: what is written is gone, but a session that lingers writes nothing. */
const nowhere: ConnectionAdapter = Object.freeze({
  write: () => true,
  pendingBytes: () => 0,
  end: () => {},
  destroy: () => {},
});

/** How a session lingers. */
export interface Linger {
  readonly secret: string;
  /** On the service clock. */
  readonly lingerMs: number;
  /** Ends it when the time is over. */
  cancel: () => void;
  /** What it could not be told meanwhile, answers first. */
  readonly unsaid: HostFrame[];
}

/** All sessions of a host that may come back. */
export class Resumption {
  readonly #engine: Engine;
  readonly #bySecret = new Map<string, Session>();
  readonly #book: { lingers(session: Session, lingers: boolean): void };
  #count = 0;

  /** @param book Counts sessions that have a carrier. */
  constructor(engine: Engine, book: { lingers(session: Session, lingers: boolean): void }) {
    this.#engine = engine;
    this.#book = book;
  }

  /** Sessions without a carrier now. */
  get count(): number {
    return this.#count;
  }

  /** From now on a session lingers for so long when its carrier breaks; 0: it does not. */
  offer(session: Session, secret: string, lingerMs: number): void {
    const { exports } = this.#engine.core;
    const status =
      lingerMs === 0
        ? exports.inboxWindow(session.id, 0, 0)
        : exports.inboxWindow(session.id, limits.windowEvents, limits.windowBytes);
    if (status !== STATUS_OK) throw errorFromStatus(status, 0, 0);
    session.linger?.cancel();
    this.#bySecret.delete(session.linger?.secret ?? "");
    session.linger = lingerMs === 0 ? undefined : { secret, lingerMs, cancel: () => {}, unsaid: [] };
    if (lingerMs !== 0) this.#bySecret.set(secret, session);
  }

  /**
   * The carrier of a session is gone. Returns whether the session stays; then its carrier is forgotten.
   */
  keep(session: Session): boolean {
    const { linger } = session;
    const engine = this.#engine;
    if (linger === undefined || session.state === LINGERING) return false;
    if (session.final || engine.draining) return false;
    if (this.#count >= limits.lingering) {
      engine.counters.lingeringRefused++;
      return false;
    }
    this.#park(session, linger);
    return true;
  }

  #park(session: Session, linger: Linger): void {
    const engine = this.#engine;
    const { port } = session;
    if (port !== undefined) {
      // The system may still read from the memory of the last write.
      port.slot = session.slot;
      port.slots = session.slots;
      port.copyBytes = session.copyBytes;
      port.lead(undefined);
    }
    session.slot = -1;
    session.slots = undefined;
    session.copyBytes = 0;
    session.writing = session.wants = session.slow = false;
    session.port = undefined;
    session.adapter = nowhere;
    session.state = LINGERING;
    this.#count++;
    this.#book.lingers(session, true);
    session.redelivery?.stop();
    session.gather?.stop();
    engine.core.exports.connectionDetach(session.id);
    engine.log.debug("session lingers", { session: session.number, lingerMs: linger.lingerMs });
    linger.cancel = engine.clocks.service.setTimer(() => this.end(session), linger.lingerMs);
  }

  /** Ends a session that lingers. */
  end(session: Session): void {
    if (session.state !== LINGERING) return;
    session.final = true;
    session.guard(() => session.finish());
  }

  /** Ends all that linger. */
  endAll(): void {
    for (const session of [...this.#bySecret.values()]) this.end(session);
  }

  /** A session is over. */
  forget(session: Session): void {
    const { linger } = session;
    if (linger === undefined) return;
    linger.cancel();
    session.linger = undefined;
    this.#bySecret.delete(linger.secret);
    if (session.state !== LINGERING) return;
    this.#count--;
    this.#book.lingers(session, false);
  }

  /**
   * Finds the session that a secret stands for, if it can go on behind what its peer has received. One that cannot is ended.
   *
   * @throws {SluiceError} `ack_unknown` where `received` was never delivered; nothing has changed then.
   */
  find(secret: string, received: number, fresh: Session): Session | undefined {
    const session = this.#bySecret.get(secret);
    if (session === undefined || session === fresh || session.state === CLOSED) return undefined;
    const { core } = this.#engine;
    const status = core.exports.connectionResumable(session.id, received);
    if (status === STATUS_OK) return session;
    const value = core.views.result[RESULT_VALUE] as number;
    const limit = core.views.result[RESULT_LIMIT] as number;
    if (status === STATUS_ACK_UNKNOWN) throw errorFromStatus(status, value, limit);
    this.#engine.log.info("session cannot go on", { session: session.number, received: value, lost: limit });
    this.#cut(session);
    this.end(session);
    return undefined;
  }

  /** Has a session go on, which find() has found, on the carrier of a fresh one, which ends. */
  resume(session: Session, received: number, fresh: Session): void {
    const engine = this.#engine;
    const { core } = engine;
    this.#cut(session);
    const { linger } = session;
    if (linger === undefined || session.state !== LINGERING) {
      throw new SluiceError("limit_reached", `Cannot take the session over, ${this.#count} linger already`, {
        limit: limits.lingering,
      });
    }
    linger.cancel();
    const status = core.exports.connectionResume(session.id, fresh.id, received, engine.clocks.service.now());
    if (status !== STATUS_OK) throw errorFromStatus(status, 0, 0);
    session.state = OPEN;
    session.kind = fresh.kind;
    session.renderer = fresh.renderer;
    session.adapter = fresh.adapter;
    session.port = fresh.port;
    session.port?.lead(session);
    moveWrite(session, fresh);
    this.#count--;
    this.#book.lingers(session, false);
    fresh.heir = session;
    fresh.depart();
    core.exports.inboxHold(session.id, isHeld(session) ? 1 : 0);
    session.redelivery?.configure((session.inbox ?? defaultInbox).acks);
  }

  /** Takes a carrier that still lives from its session, and tells it why. */
  #cut(session: Session): void {
    if (session.state === LINGERING) return;
    const { adapter } = session;
    const error = new SluiceError("session_taken", "Another connection goes on with this session");
    this.#engine.core.exports.inboxHold(session.id, 1);
    session.problem(error, undefined);
    session.sayGoodbye(codes[error.code].close, `${error.code}: ${error.message}`);
    this.#engine.flusher.flush(session);
    if (session.state === CLOSED) return;
    session.final = false;
    if (this.keep(session)) adapter.end();
  }
}

/** A write that is not taken yet goes with its carrier. */
function moveWrite(session: Session, fresh: Session): void {
  session.writing = fresh.writing;
  session.wants = fresh.wants;
  session.slow = fresh.slow;
  session.slot = fresh.slot;
  session.slots = fresh.slots;
  session.copyBytes = fresh.copyBytes;
  fresh.slot = -1;
  fresh.slots = undefined;
  fresh.copyBytes = 0;
  session.begun = true;
  session.heard = session.spoke = true;
  session.silentSince = session.stalledSince = session.partialSince = session.closingSince = 0;
  session.partial = fresh.partial;
  session.pinged = false;
}
