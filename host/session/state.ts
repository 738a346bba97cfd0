/**
 * Words of a session that several files of this folder need.
 */

/** Input is taken, deliveries are sent. */
export const OPEN = 0;
/** Input is ignored; what was said so far is being written. */
export const CLOSING = 1;
/** Over: the core has forgotten it. */
export const CLOSED = 2;

/** Its carrier is gone; it waits for another one, and says nothing meanwhile (resumption.ts). */
export const LINGERING = 3;

/** No frame is under way. */
export const PARTIAL_NONE = 0;
/** One has begun since the last look. */
export const PARTIAL_NEW = 1;
/** One has begun, and since when was noted. */
export const PARTIAL_NOTED = 2;

/** States of a session. */
export type SessionState = typeof OPEN | typeof CLOSING | typeof CLOSED | typeof LINGERING;

/** What is known of a frame under way. */
export type PartialState = typeof PARTIAL_NONE | typeof PARTIAL_NEW | typeof PARTIAL_NOTED;

/**
 * The `source` of events that name none.
 *
 * @param client What the client calls itself, percent-encoded; "" becomes "anonymous".
 * @param number Of the session in this host's life. It is no secret: sessions are resumed by another word.
 */
export function implicitSource(client: string, number: number): string {
  return `/${client === "" ? "anonymous" : client}/${number}`;
}
