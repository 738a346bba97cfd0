/**
 * A net.Socket as the carrier of a session.
 */
import type { Socket } from "node:net";
import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { Connection, ConnectionAdapter } from "../../session/connection.ts";

/** Carries one session over one socket. */
export class SocketAdapter implements ConnectionAdapter {
  /** Set once the session is there. */
  connection: Connection | undefined = undefined;
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** Writes given to the socket, and those it has called back for. */
  #started = 0;
  #finished = 0;
  /** The write that the session waits for, counted as in #started; 0: none. */
  #held = 0;
  #cancelLinger: (() => void) | undefined = undefined;

  constructor(socket: Socket, clock: Clock, log: Log) {
    this.#socket = socket;
    this.#clock = clock;
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
    this.#started++;
    socket.write(bytes, this.#onWritten);
    // The length falls in the very call where the system took everything; its callback comes later all the same.
    if (socket.writableLength === 0) return true;
    this.#held = this.#started;
    return false;
  }

  pendingBytes(): number {
    const { _handle: handle } = this.#socket as Socket & { _handle?: { writeQueueSize?: number } | null };
    return handle?.writeQueueSize ?? this.#socket.writableLength;
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
