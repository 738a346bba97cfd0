/**
 * The seam between a session and whatever carries its bytes. Sessions do no I/O: they are fed bytes and give bytes.
 */
import type { SluiceError } from "../errors.ts";

/**
 * What the carrier speaks: size-delimited frames, WebSocket with binary frames, WebSocket with JSON text, server-sent events
 * in our own form, as CloudEvents, or as whole deliveries. Their traits are in kinds.ts.
 */
export type ConnectionKind = "stream" | "websocket" | "websocket-json" | "sse" | "sse-cloudevents" | "sse-delivery";

/** What a session needs of its carrier, for instance a socket. */
export interface ConnectionAdapter {
  /**
   * Takes bytes to send, after all earlier ones.
   *
   * @param bytes Usually a view of the core's memory.
   * @returns Whether `bytes` may be overwritten now. If not, the adapter MUST call {@link Connection.written} once they may
   *   be, and MUST NOT call it for a late callback of an earlier write: that would give away bytes still being sent.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes given to write() which the system has not taken yet; it falls while a slow peer makes progress. */
  pendingBytes(): number;
  /** Sends what was written, then says goodbye; gives the peer a moment and destroys. */
  end(): void;
  /** Ends at once; what was not sent is lost. */
  destroy(): void;
  /**
   * Counts something that the host itself has to do for the peer: a control frame, or an answer to one that is wrong.
   *
   * @returns `rate_limited` where its client asks too often, which ends the session. Absent: it may ask as it likes.
   */
  ask?(): SluiceError | undefined;
}

/** What the carrier may do with a session. None of these throws. */
export interface Connection {
  /** Where input may be put before {@link received}; shared by all connections, so only until the end of this turn. */
  readonly landing: Uint8Array<ArrayBuffer>;
  /** `bytes` bytes of input lie at the beginning of {@link landing}. */
  received(bytes: number): void;
  /** Input that lies elsewhere: it is copied into the landing zone, in parts if it is large. */
  receive(chunk: Uint8Array): void;
  /** The write that was not taken at once is done. */
  written(): void;
  /** The peer sends no more. What waits for it is flushed, then the session ends. */
  ended(): void;
  /** The carrier is gone. */
  closed(): void;
}
