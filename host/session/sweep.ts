/**
 * Looks after peers that fell silent, once in a while on the real clock: a slow or silent peer is closed, never waited for.
 *
 *   stream, no whole frame within handshakeMs          → frame_timeout
 *   frame begun, not finished within frameMs          → frame_timeout
 *   WebSocket, nothing heard for pingMs               → ping; still nothing pongMs later → frame_timeout
 *   SSE, nothing said for pingMs                      → heartbeat: if the peer is gone, the system will say so
 *   a write that makes no progress for stallMs        → slow_consumer
 *   goodbye said, not written within goodbyeMs       → dropped
 */
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Engine } from "./engine.ts";
import { kinds } from "./kinds.ts";
import type { Session } from "./session.ts";
import { CLOSED, CLOSING, OPEN, PARTIAL_NEW, PARTIAL_NOTED } from "./state.ts";

/** Time between two looks, where the limits are not shorter than that. */
const SWEEP_MS = 1_000;

/** Starts and ends with the first and last session, so that an idle host has no timer. */
export interface Sweeper {
  /** There is a session to look after. */
  start(): void;
  stop(): void;
}

/**
 * Makes the sweeper.
 *
 * @param sessions All that have a socket.
 */
export function createSweeper(engine: Engine, sessions: () => Iterable<Session>): Sweeper {
  const { handshakeMs, frameMs, pingMs, pongMs, stallMs } = engine.options;
  // A limit may be met late by one look, so short limits are looked at more often.
  const everyMs = Math.max(5, Math.min(SWEEP_MS, Math.min(handshakeMs, frameMs, pingMs, pongMs, stallMs) / 4));
  let cancel: (() => void) | undefined;

  const look = (): void => {
    cancel = undefined;
    const now = engine.clocks.real.now();
    let any = false;
    for (const session of sessions()) {
      any = true;
      try {
        lookAt(engine, session, now);
      } catch (error) {
        engine.fault(error, session);
      }
    }
    if (any) start();
    engine.flusher.schedule();
  };

  const start = (): void => {
    cancel ??= engine.clocks.real.setTimer(look, everyMs);
  };

  return {
    start,
    stop() {
      cancel?.();
      cancel = undefined;
    },
  };
}

function lookAt(engine: Engine, session: Session, now: number): void {
  const { options } = engine;
  if (session.state === CLOSED) return;
  if (session.writing && stalled(session, now, options.stallMs)) {
    const waiting = session.stalledBytes;
    return session.drop(
      new SluiceError("slow_consumer", `The peer left ${waiting} bytes unread for more than ${options.stallMs} ms`, {
        value: waiting,
        limit: options.stallMs,
      }),
    );
  }
  if (session.state === CLOSING && now - session.closingSince > limits.goodbyeMs) {
    return session.drop(
      new SluiceError("slow_consumer", `The peer did not take its goodbye within ${limits.goodbyeMs} ms`, {
        limit: limits.goodbyeMs,
      }),
    );
  }
  if (session.state !== OPEN) return;
  lookAtInput(engine, session, now);
}

/** Whether the write under way made no progress for too long. */
function stalled(session: Session, now: number, stallMs: number): boolean {
  const waiting = session.adapter.pendingBytes();
  if (session.stalledSince === 0 || waiting !== session.stalledBytes) {
    session.stalledSince = now;
    session.stalledBytes = waiting;
    return false;
  }
  return now - session.stalledSince > stallMs;
}

function lookAtInput(engine: Engine, session: Session, now: number): void {
  const { handshakeMs, frameMs, pingMs, pongMs } = engine.options;
  // A WebSocket has shaken hands over HTTP, and is pinged; a stream that says nothing holds a connection for nothing.
  if (session.kind === "stream" && !session.begun) {
    if (session.silentSince === 0) session.silentSince = now;
    else if (now - session.silentSince > handshakeMs) {
      return session.close(
        new SluiceError("frame_timeout", `No whole frame came within ${handshakeMs} ms`, { limit: handshakeMs }),
      );
    }
  }
  if (session.partial === PARTIAL_NEW) {
    session.partial = PARTIAL_NOTED;
    session.partialSince = now;
  } else if (session.partial === PARTIAL_NOTED && now - session.partialSince > frameMs) {
    return session.close(
      new SluiceError("frame_timeout", `A frame was begun and not finished within ${frameMs} ms`, { limit: frameMs }),
    );
  }
  if (session.kind === "stream") return;
  if (kinds[session.kind].mute) return lookAtOutput(engine, session, now);
  if (session.heard) {
    session.heard = false;
    session.pinged = false;
    session.silentSince = now;
  } else if (!session.pinged && now - session.silentSince > pingMs) {
    session.pinged = true;
    engine.core.exports.pingPush(session.id);
  } else if (session.pinged && now - session.silentSince > pingMs + pongMs) {
    session.close(
      new SluiceError("frame_timeout", `The peer did not answer a ping within ${pongMs} ms`, { limit: pongMs }),
    );
  }
}

function lookAtOutput(engine: Engine, session: Session, now: number): void {
  if (!session.spoke && now - session.silentSince <= engine.options.pingMs) return;
  if (!session.spoke) engine.flusher.beat(session);
  session.spoke = false;
  session.silentSince = now;
}
