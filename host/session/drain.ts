/**
 * Going away politely: tell every session when to come back, send what waits, close by a deadline.
 */
import { codes } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { drainFrame } from "./frames.ts";
import type { Session } from "./session.ts";

/** Time between two looks at what still waits. */
const LOOK_MS = 5;
/** What may be added to the deadline for goodbyes that are being written. */
const GOODBYE_MS = 500;

/**
 * Drains all sessions.
 *
 * @param sessions Those with a socket, at the moment of the call.
 * @returns When all are closed, or the deadline (options.drainMs, real clock) has passed.
 */
export async function drainSessions(engine: Engine, sessions: () => Iterable<Session>): Promise<void> {
  const { drainMs, drainRetryMs } = engine.options;
  const { real } = engine.clocks;
  const deadline = real.now() + drainMs;
  engine.log.info("draining", { sessions: [...sessions()].length, drainMs });
  for (const session of sessions()) session.guard(() => session.answer(drainFrame(drainRetryMs)));
  await waitUntil(engine, deadline, () => ![...sessions()].some((session) => waits(engine, session)));
  for (const session of sessions()) {
    session.guard(() => {
      session.sayGoodbye(codes.draining.close, `draining: come back in ${drainRetryMs} ms`);
      session.beginClosing();
    });
  }
  await waitUntil(engine, real.now() + GOODBYE_MS, () => [...sessions()].length === 0);
}

/** Whether a session has deliveries that could still go out. A held inbox, or one without credit, waits for the deadline. */
function waits(engine: Engine, session: Session): boolean {
  return session.writing || engine.core.exports.inboxEvents(session.id) > 0;
}

async function waitUntil(engine: Engine, deadline: number, done: () => boolean): Promise<void> {
  const { real } = engine.clocks;
  while (real.now() < deadline) {
    engine.flusher.turn();
    if (done()) return;
    await new Promise<void>((resolve) => real.setTimer(resolve, LOOK_MS));
  }
}
