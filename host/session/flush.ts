/**
 * Output: every session with something to say gets one write per turn of the event loop, however many events came in.
 *
 * drain() copies a session's output into an OUT slot of the core, the socket writes from there. Nearly always the system
 * takes it all at once and the slot is free again. Where it does not, the slot is held until that write is done. A slow
 * peer then writes from small copies, so that a few stalled sinks cannot hold all slots; copies shrink as they grow in
 * number, so that their sum stays bounded.
 */
import {
  CONTROL_BYTES_MAX,
  OUT_SLOT_BYTES,
  REASON_DECIDE,
  RESULT_REASON,
  RESULT_STATUS,
  RESULT_VALUE,
  STATUS_CONTROL_FULL,
  STATUS_OK,
} from "../../core-wasm/abi.ts";
import { type Core, SCRATCH_AT } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { firstNumber } from "../core/views.ts";
import { DeadlineTimer } from "./deadline-timer.ts";
import type { Engine, Flusher, OutputRenderer, RenderContext } from "./engine.ts";
import { defaultGrouping, groupEvents } from "./inbox.ts";
import type { WriteHold } from "./port.ts";
import type { Session } from "./session.ts";
import { type Slots, slotAt } from "./slots.ts";
import { CLOSED, CLOSING, LINGERING, OPEN } from "./state.ts";

/** Slots that slow peers leave alone. */
const SLOTS_FOR_SLOW = 4;
/** What is drained at a time to be rendered: as JSON it is several times larger, and it is one write. */
const RENDER_DRAIN_BYTES = 131_072;
/** Largest and smallest copy; one frame larger than that is copied alone. */
const COPY_BYTES_MAX = 65_536;
const COPY_BYTES_MIN = 4_096;
/** Copies under way together, but for the smallest ones. */
const COPIES_BYTES_MAX = 16_777_216;

/** What a flusher needs of the service beside the engine. */
export interface FlushSettings {
  /** Runs something after the input that this turn of the loop still brings. */
  readonly defer: (run: () => void) => void;
  /** The session that has a number in the present core. */
  readonly sessionOf: (id: number) => Session | undefined;
  /** Delivers the output of sessions without a socket (local.ts). */
  readonly flushLocal: (session: Session) => boolean;
}

/** Makes the flusher of an engine. */
export function createFlusher(engine: Engine, settings: FlushSettings): Flusher {
  let scheduled = false;
  let turning = false;
  let ready: Session[] = [];
  let copiesBytes = 0;
  const deadlines = new DeadlineTimer(engine);
  /** Whether the last drain() left something behind that may go. */
  let progress: Progress = SOME;

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    try {
      settings.defer(turn);
    } catch (error) {
      // Who publishes with no stack left must not be the last for whom there is a turn.
      scheduled = false;
      throw error;
    }
  };

  const markReady = (session: Session): void => {
    if (!session.queued) {
      session.queued = true;
      ready.push(session);
    }
    schedule();
  };

  function turn(): void {
    scheduled = false;
    // A handler within this process that asks for a flush gets the next turn: the lists of this one are in use.
    if (turning) return schedule();
    turning = true;
    try {
      flushAll();
    } finally {
      turning = false;
    }
  }

  function flushAll(): void {
    engine.counters.flushes++;
    const { core } = engine;
    const again = ready;
    ready = [];
    for (const session of again) {
      session.queued = false;
      guarded(session);
      if (engine.core !== core) return;
    }
    try {
      // What still waits for a decider would otherwise wait for the next input.
      if (engine.deciding) engine.decide(engine.clocks.service.now());
      flushDirty(core);
      if (engine.core === core) deadlines.look();
    } catch (error) {
      engine.fault(error, undefined);
    }
  }

  function flushDirty(core: Core): void {
    const { dirty } = core.views;
    for (;;) {
      const count = core.exports.dirtyTake();
      for (let index = 0; index < count; index++) {
        const session = settings.sessionOf(dirty[index] as number);
        if (session === undefined) continue;
        guarded(session);
        // A trap has made a new core: these numbers mean nothing any more.
        if (engine.core !== core) return;
      }
      if (count < dirty.length) return dirtyLater(core);
    }
  }

  /** Room that was made lets go of further events and credit: those leave in the next turn. */
  function dirtyLater(core: Core): void {
    const { dirty } = core.views;
    for (let count = core.exports.dirtyTake(); count > 0; count = core.exports.dirtyTake()) {
      for (let index = 0; index < count; index++) {
        const session = settings.sessionOf(dirty[index] as number);
        if (session !== undefined) markReady(session);
      }
    }
  }

  function guarded(session: Session): void {
    try {
      flush(session);
    } catch (error) {
      engine.fault(error, session);
    }
  }

  function flush(session: Session): void {
    if (session.state === CLOSED || session.state === LINGERING) return;
    if (session.writing) {
      session.wants = true;
      return;
    }
    session.wants = false;
    if (session.kind === "local") {
      if (settings.flushLocal(session)) markReady(session);
      return;
    }
    const { core } = engine;
    const { renderer } = session;
    session.observing?.before();
    session.gather?.before();
    const more = renderer === undefined ? flushFrames(session, core) : flushRendered(session, core, renderer);
    const { result } = core.views;
    const status = result[RESULT_STATUS] as number;
    session.redelivery?.delivered();
    // Room in a blocking inbox lets go of events that may have to be decided.
    if (result[RESULT_REASON] === REASON_DECIDE) engine.decide(engine.clocks.service.now());
    if (status !== STATUS_OK && more === NOTHING && session.state === OPEN) return fail(session, status);
    if (more === MORE) markReady(session);
    if (session.state === CLOSING && more === NOTHING) session.finish();
    else if (session.state === CLOSING && !session.writing) markReady(session);
  }

  /** The core found fault with the session: its inbox overflowed, or it does not read its answers. */
  function fail(session: Session, status: number): void {
    // Neither would be otherwise after a break.
    session.final = true;
    session.close(errorFromStatus(status, 0, status === STATUS_CONTROL_FULL ? CONTROL_BYTES_MAX : 0));
  }

  function flushFrames(session: Session, core: Core): Progress {
    const { slots } = engine;
    const slot = session.slow && slots.held >= SLOTS_FOR_SLOW ? -1 : slots.free();
    if (slot < 0) return flushCopy(session, core);
    const at = slotAt(slot);
    const bytes = drain(session, core, at, OUT_SLOT_BYTES);
    if (bytes === 0) return NOTHING;
    const left = progress;
    if (!write(session, core.views.bytes.subarray(at, at + bytes))) holdSlot(session, slots, slot);
    return left;
  }

  function flushCopy(session: Session, core: Core): Progress {
    const room = Math.floor((COPIES_BYTES_MAX - copiesBytes) / 8);
    const most = Math.max(COPY_BYTES_MIN, Math.min(COPY_BYTES_MAX, room));
    const bytes = drain(session, core, SCRATCH_AT, most);
    if (bytes === 0) return NOTHING;
    engine.counters.writesCopied++;
    if (!write(session, core.views.bytes.slice(SCRATCH_AT, SCRATCH_AT + bytes))) {
      session.copyBytes = bytes;
      copiesBytes += bytes;
    }
    return MORE;
  }

  function flushRendered(session: Session, core: Core, renderer: OutputRenderer): Progress {
    const most = session.slow ? COPY_BYTES_MAX / 4 : RENDER_DRAIN_BYTES;
    const bytes = drain(session, core, SCRATCH_AT, most);
    if (bytes === 0) return NOTHING;
    const left = progress;
    const text = renderer.render(core.views.bytes.subarray(SCRATCH_AT, SCRATCH_AT + bytes), contextOf(session, core));
    // There are frames of which some kinds of peers are told nothing.
    if (text.length > 0 && !write(session, text)) renderer.keep();
    return left;
  }

  function drain(session: Session, core: Core, at: number, most: number): number {
    const bytes = core.exports.drain(session.id, at, most, engine.clocks.service.now());
    // However little came, the next event may have been too large for what was left of the room.
    progress = core.views.result[RESULT_VALUE] === 0 ? SOME : MORE;
    if (engine.tracing.active !== 0) {
      const drained = core.views.bytes.subarray(at, at + bytes);
      engine.tracing.drained(session, `s${session.number}`, drained);
      engine.tracing.counted(session, firstNumber(core.views), drained);
    }
    return bytes;
  }

  function beat(session: Session): void {
    const heartbeat = session.renderer?.heartbeat;
    if (heartbeat !== undefined && session.state === OPEN && !session.writing) write(session, heartbeat);
  }

  /** Returns whether the bytes are free again. */
  function write(session: Session, bytes: Uint8Array): boolean {
    engine.counters.writes++;
    session.spoke = true;
    const taken = session.adapter.write(bytes);
    session.slow = !taken;
    if (taken) {
      if (engine.tracing.active !== 0) engine.tracing.written(session);
      return true;
    }
    engine.counters.writesHeld++;
    session.writing = true;
    session.wants = true;
    session.stalledSince = 0;
    return false;
  }

  function released(hold: WriteHold): void {
    if (hold.slot >= 0) hold.slots?.release(hold.slot);
    hold.slot = -1;
    hold.slots = undefined;
    copiesBytes -= hold.copyBytes;
    hold.copyBytes = 0;
  }

  return {
    schedule,
    ready: markReady,
    beat,
    flush,
    turn,
    released,
    stop: () => deadlines.stop(),
    get pending() {
      return scheduled;
    },
  };
}

/** What a flush did: nothing was there, something went out, something went out and more may be there. */
const NOTHING = 0;
const SOME = 1;
const MORE = 2;
type Progress = typeof NOTHING | typeof SOME | typeof MORE;

function holdSlot(session: Session, slots: Slots, slot: number): void {
  slots.hold(slot);
  session.slot = slot;
  session.slots = slots;
}

function contextOf(session: Session, core: Core): RenderContext {
  const grouping = session.inbox?.grouping ?? defaultGrouping;
  return {
    firstNumber: firstNumber(core.views),
    events: groupEvents(grouping),
    bytes: grouping.bytes,
    memberOf: (channelNumber) => session.memberships?.sinkOf(channelNumber),
  };
}
