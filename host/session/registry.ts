/**
 * All sessions of one core, by their number in it.
 */
import type { ChannelView } from "../channel/channel.ts";
import type { SluiceError } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { farewellBytes } from "./farewell.ts";
import { leftFrame } from "./frames.ts";
import { kinds } from "./kinds.ts";
import type { Session } from "./session.ts";
import { LINGERING } from "./state.ts";

/** The sessions of a host. */
export class Sessions {
  /** Sparse only by sessions that ended: the core reuses numbers. */
  #byId: (Session | undefined)[] = [];
  #sockets = 0;
  #ever = 0;

  /** Sessions with a socket. */
  get sockets(): number {
    return this.#sockets;
  }

  /** The number for the next session of this host's life. */
  nextNumber(): number {
    return ++this.#ever;
  }

  get(id: number): Session | undefined {
    return this.#byId[id];
  }

  /** Takes a session in. Returns it. */
  add<Kind extends Session>(session: Kind): Kind {
    this.#byId[session.id] = session;
    if (session.kind !== "local") this.#sockets++;
    return session;
  }

  /** A session has lost its socket and lingers, or does so no longer. */
  lingers(_session: Session, lingers: boolean): void {
    this.#sockets += lingers ? -1 : 1;
  }

  /** Forgets a session. Returns whether it was one with a socket. */
  delete(session: Session): boolean {
    if (this.#byId[session.id] !== session) return false;
    this.#byId[session.id] = undefined;
    if (session.kind === "local") return false;
    this.#sockets--;
    return true;
  }

  /** All, with a socket or without. Sessions may end while this goes on. */
  *all(): IterableIterator<Session> {
    for (const session of this.#byId) if (session !== undefined) yield session;
  }

  /** All that have a socket. Sessions may end while this goes on. */
  *withSocket(): IterableIterator<Session> {
    for (const session of this.remote()) if (session.state !== LINGERING) yield session;
  }

  /** The same, and those that linger without one. */
  *remote(): IterableIterator<Session> {
    for (const session of this.#byId) if (session !== undefined && session.kind !== "local") yield session;
  }

  /** Tells all members of a channel that it is gone, before the core forgets them. */
  tellRemoved(channel: ChannelView): void {
    // Most channels that go have nobody in them, and there may be many of both.
    if (channel.sinks() === 0 && channel.sources() === 0) return;
    for (const session of this.#byId) {
      if (session === undefined) continue;
      for (const { member, pattern } of session.memberships?.ofChannel(channel.number) ?? []) {
        session.memberships?.delete(member);
        const left = leftFrame(member, "channel_deleted", undefined);
        if (kinds[session.kind].single) {
          // A stream of a pattern goes on, and would be taken for one that has ended.
          if (pattern === undefined) session.end(left);
        } else session.answer(left);
      }
    }
  }

  /**
   * The core is gone: says goodbye to all and forgets them.
   *
   * @returns How many had a socket.
   */
  abandon(engine: Engine, error: SluiceError): number {
    const sessions = this.#byId.filter((session) => session !== undefined);
    const sockets = this.#sockets;
    this.#byId = [];
    this.#sockets = 0;
    for (const session of sessions) {
      try {
        session.abandon(farewellBytes(engine, session, error));
      } catch (fault) {
        // One goodbye that fails must not keep the others from theirs.
        engine.log.error("goodbye failed", { session: session.number, error: fault });
        session.adapter.destroy();
      }
    }
    // Those that lingered were no sockets, and said so as they went.
    this.#sockets = 0;
    return sockets;
  }
}
