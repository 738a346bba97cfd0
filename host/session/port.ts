/**
 * What a carrier holds of a session that may outlive it. A carrier that is gone may still have something to say of its last
 * writes: that must not be taken for word of the carrier on which the session goes on.
 */
import type { Connection } from "./connection.ts";
import type { Engine } from "./engine.ts";
import type { Session } from "./session.ts";
import type { Slots } from "./slots.ts";

/** Memory that a write under way is read from, with the book of slots that it is in. */
export interface WriteHold {
  /** -1: none. */
  slot: number;
  slots: Slots | undefined;
  /** Size of the copy that is written from; 0: none. */
  copyBytes: number;
}

/** See the head of this file. */
export class Port implements Connection, WriteHold {
  readonly #engine: Engine;
  /** Whose words its carrier carries; undefined: nobody's any more. */
  session: Session | undefined;
  slot = -1;
  slots: Slots | undefined = undefined;
  copyBytes = 0;

  constructor(session: Session) {
    this.#engine = session.engine;
    this.session = session;
    session.port = this;
  }

  get landing(): Uint8Array<ArrayBuffer> {
    return this.#engine.core.views.landing;
  }

  /** The session that its carrier carries from now on; undefined: none any more. */
  lead(session: Session | undefined): void {
    this.session = session;
  }

  received(bytes: number): void {
    this.session?.received(bytes);
  }

  receive(chunk: Uint8Array): void {
    this.session?.receive(chunk);
  }

  written(): void {
    if (this.session === undefined) this.#engine.flusher.released(this);
    else this.session.written();
  }

  ended(): void {
    this.session?.ended();
  }

  closed(): void {
    this.session?.closed();
    // The session may have left it a write in this very moment.
    this.#engine.flusher.released(this);
  }
}
