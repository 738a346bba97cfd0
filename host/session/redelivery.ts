/**
 * Sees to it that what a session does not acknowledge in time is delivered again, and given up in the end.
 *
 * One timer per session, on the service clock, set by the first delivery that waits: the core knows which are due.
 */
import { DROPPED_ATTEMPTS } from "../../core-wasm/abi.ts";
import { SCRATCH_AT } from "../core/instance.ts";
import { type AckSettings, defaultAcks } from "./acks.ts";
import { type DeadDelivery, publishDead } from "./dead-letter.ts";
import { droppedFrame } from "./frames.ts";
import { readFrames } from "./local-frames.ts";
import type { Session } from "./session.ts";
import { CLOSED } from "./state.ts";

/** See the head of this file. */
export class Redelivery {
  readonly #session: Session;
  #settings: AckSettings = defaultAcks;
  #cancel: (() => void) | undefined = undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Other settings are in force; they count for what waits, too. */
  configure(settings: AckSettings): void {
    this.#settings = settings;
    this.stop();
    if (settings.explicit) this.#look();
  }

  /** Something may have been delivered. */
  delivered(): void {
    if (this.#cancel !== undefined || !this.#settings.explicit) return;
    const { exports } = this.#session.engine.core;
    // What could not even leave, for want of memory to keep it, is looked after as well.
    if (exports.inboxKept(this.#session.id) + exports.inboxEvents(this.#session.id) > 0)
      this.#watch(this.#settings.redeliverMs);
  }

  /** The session ends, or nobody is there to deliver to. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #watch(delayMs: number): void {
    this.#cancel = this.#session.engine.clocks.service.setTimer(() => {
      this.#cancel = undefined;
      this.#session.guard(() => this.#look());
    }, delayMs);
  }

  /** Has the core look for what is due. */
  #look(): void {
    const session = this.#session;
    const { engine } = session;
    if (session.state === CLOSED) return;
    const { core } = engine;
    const restMs = core.exports.inboxTick(session.id, engine.clocks.service.now());
    if (!this.#giveUp()) return;
    if (restMs >= 0) this.#watch(restMs);
    else this.delivered();
    engine.flusher.schedule();
  }

  /** Deals with all that was delivered as often as it may be. Returns whether this session and its core are still there. */
  #giveUp(): boolean {
    const session = this.#session;
    const { engine } = session;
    const { core } = engine;
    const lost = new Map<number, number>();
    for (;;) {
      const bytes = core.exports.inboxDead(session.id, SCRATCH_AT);
      if (bytes === 0) break;
      readFrames(
        core.views.bytes.slice(SCRATCH_AT, SCRATCH_AT + bytes),
        (delivery) => {
          const channel = engine.channels.byNumber(delivery.channelNumber)?.name ?? "";
          if (this.#published({ ...delivery, channel })) return;
          lost.set(delivery.channelNumber, (lost.get(delivery.channelNumber) ?? 0) + 1);
        },
        () => {},
      );
      // Publishing may have found the core broken: then this session is over.
      if (engine.core !== core) return false;
    }
    for (const [channelNumber, count] of lost) {
      core.exports.channelLose(channelNumber, DROPPED_ATTEMPTS, count);
      session.answer(droppedFrame(channelNumber, count, "attempts"));
    }
    return session.state !== CLOSED;
  }

  #published(delivery: DeadDelivery): boolean {
    const { deadLetter } = this.#settings;
    const { engine, number } = this.#session;
    if (deadLetter === undefined) return false;
    const refusal = publishDead(engine, deadLetter, delivery);
    if (refusal === undefined) engine.counters.deadLetters++;
    else engine.log.warn("dead letter refused", { session: number, deadLetter, code: refusal.code });
    return refusal === undefined;
  }
}
