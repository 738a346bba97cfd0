/**
 * A net.Socket as the carrier of a session.
 *
 * Where the socket is Node's own and nothing waits in it, bytes go straight to the system: the stream around it makes an object, a
 * callback and a tick of each write, and where writes come one at a time that is a good part of what an event costs. What the system does
 * not take goes through the stream (docs/adr/0007).
 */
import { writeSync } from "node:fs";
import type { Socket } from "node:net";
import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { Connection, ConnectionAdapter } from "../../session/connection.ts";
import { canTakeOver } from "./takeover.ts";

/** Parts of Node's inside that this leans on; absent ones mean the longer way. */
type WithHandle = Socket & { readonly _handle?: { readonly writeQueueSize?: number; readonly fd?: number } | null };

/** Carries one session over one socket. */
export class SocketAdapter implements ConnectionAdapter {
  /** Set once the session is there. */
  connection: Connection | undefined = undefined;
  readonly #socket: WithHandle;
  readonly #clock: Clock;
  /** Whether its descriptor is the system's: other runtimes number theirs as they like. */
  readonly #direct: boolean;
  /** Writes given to the socket, and those it has called back for. */
  #started = 0;
  #finished = 0;
  /** The write that the session waits for, counted as in #started; 0: none. */
  #held = 0;
  #cancelLinger: (() => void) | undefined = undefined;

  constructor(socket: Socket, clock: Clock, log: Log) {
    this.#socket = socket;
    this.#clock = clock;
    this.#direct = canTakeOver(socket);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // Peers that vanish are everyday life; "close" follows and ends the session.
      log.debug("socket error", { code: error.code, error: error.message });
    });
    socket.once("close", () => {
      this.#cancelLinger?.();
      this.connection?.closed();
    });
    socket.once("end", () => this.connection?.ended());
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    const taken = this.#direct && socket.writableLength === 0 ? this.#writeNow(bytes) : 0;
    if (taken === bytes.length) return true;
    this.#started++;
    socket.write(taken === 0 ? bytes : bytes.subarray(taken), this.#onWritten);
    // The length falls in the very call where the system took everything; its callback comes later all the same.
    if (socket.writableLength === 0) return true;
    this.#held = this.#started;
    return false;
  }

  /** Returns how many bytes the system took: perhaps none, for whatever reason; the stream finds out, and tells. */
  #writeNow(bytes: Uint8Array): number {
    // Asked for each time: it is -1 once the socket is closed, and on systems that have none.
    const descriptor = this.#socket._handle?.fd ?? -1;
    if (descriptor < 0) return 0;
    try {
      return writeSync(descriptor, bytes);
    } catch {
      return 0;
    }
  }

  pendingBytes(): number {
    return this.#socket._handle?.writeQueueSize ?? this.#socket.writableLength;
  }

  end(): void {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    // Its input is read and thrown away meanwhile: unread, it would make the system reset the connection and lose our bytes.
    this.#cancelLinger = this.#clock.setTimer(() => this.destroy(), limits.lingerMs);
  }

  destroy(): void {
    this.#cancelLinger?.();
    this.#socket.destroy();
  }

  /**
   * One callback for all writes, told apart by counting: they come back in order, and a late one of an earlier write must
   * not give away the bytes of the one under way.
   */
  readonly #onWritten = (): void => {
    this.#finished++;
    if (this.#held === 0 || this.#finished < this.#held) return;
    this.#held = 0;
    this.connection?.written();
  };
}
