/**
 * Carriers of SSE sessions: the session is there before its response is, since the response's header fields tell how the join
 * went. So it begins with a carrier that waits for the real one.
 */
import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Connection, ConnectionAdapter } from "../../session/connection.ts";

/** Holds back what is written until there is something to write to. */
export class LateCarrier implements ConnectionAdapter {
  /** Set once the session is there. */
  connection: Connection | undefined = undefined;
  #carrier: ConnectionAdapter | undefined = undefined;
  /** At most one write: a session makes no other before that is taken. */
  #waiting: Uint8Array | undefined = undefined;
  #over: "end" | "destroy" | undefined = undefined;

  /**
   * Goes on with the real carrier.
   *
   * @param preamble What goes out before everything else.
   */
  attach(carrier: ConnectionAdapter, preamble: Uint8Array): void {
    this.#carrier = carrier;
    // Whether it is taken at once does not matter: the session knows nothing of it, and carriers tell their writes apart.
    carrier.write(preamble);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined && carrier.write(waiting)) this.connection?.written();
    if (this.#over !== undefined) carrier[this.#over]();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#carrier !== undefined) return this.#carrier.write(bytes);
    this.#waiting = bytes;
    return false;
  }

  pendingBytes(): number {
    return this.#carrier?.pendingBytes() ?? this.#waiting?.length ?? 0;
  }

  end(): void {
    if (this.#carrier === undefined) this.#over ??= "end";
    else this.#carrier.end();
  }

  destroy(): void {
    if (this.#carrier === undefined) this.#over = "destroy";
    else this.#carrier.destroy();
  }
}

/** What may lie in a stream that its reader does not read, besides what the session holds back. */
const STREAM_BYTES = 65_536;

/**
 * The body of a Response as a carrier, for runtimes that give us nothing nearer to the socket. What is written is copied, since
 * nobody tells when a chunk has left.
 */
export class StreamCarrier implements ConnectionAdapter {
  /** The body. */
  readonly body: ReadableStream<Uint8Array>;
  /** Set once the session is there. */
  connection: Connection | undefined = undefined;
  readonly #clock: Clock;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #held = false;
  #over = false;
  #cancelLinger: (() => void) | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pulled(),
        cancel: () => this.gone(),
      },
      { highWaterMark: STREAM_BYTES, size: (chunk) => chunk.length },
    );
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || this.#controller === undefined) return true;
    this.#controller.enqueue(bytes.slice());
    this.#held = (this.#controller.desiredSize ?? 0) <= 0;
    return !this.#held;
  }

  pendingBytes(): number {
    return this.#over ? 0 : STREAM_BYTES - (this.#controller?.desiredSize ?? 0);
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.close();
    // Whoever does not read keeps the chunks alive: they are thrown away.
    this.#cancelLinger = this.#clock.setTimer(() => this.#fail(), limits.lingerMs);
  }

  destroy(): void {
    this.#cancelLinger?.();
    // An error makes servers write to the log of the process: not where a plain end loses nothing.
    if (!this.#over && this.pendingBytes() === 0) this.#controller?.close();
    else this.#fail();
    this.#over = true;
  }

  /** The reader is gone. */
  gone(): void {
    this.#over = true;
    this.#cancelLinger?.();
    this.connection?.closed();
  }

  #pulled(): void {
    if (!this.#held || (this.#controller?.desiredSize ?? 0) <= 0) return;
    this.#held = false;
    this.connection?.written();
  }

  #fail(): void {
    // Of a stream that was read to its end or cancelled this is no more than a word.
    this.#controller?.error(new Error("The host ended this stream"));
  }
}
