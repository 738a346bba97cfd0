/**
 * What managers say to one another on the channel, which is all they know of one another (KECho, section 3).
 *
 *   announced  a resource is there; again and again, so that silence means that it is lost
 *   withdrawn  a resource goes, in order
 *   wanted     who has so much of a kind?                     the key is that of the negotiation, and later of the allocation
 *   offered    we have, and hold it for you for a moment      to who wants it
 *   accepted   one offer is chosen; all other holds end       to all
 *   granted    it is yours until the lease ends               to who has it; the answer to accepted, renewed and changed
 *   denied     it is not                                      likewise
 *   renewed    we still need it                               changed: we need another amount      released: no more
 */
export const CHANNEL = "resources";

/** Times in ms. */
export const defaultTimes = Object.freeze({
  /** How long offers are collected. */
  offersMs: 100,
  /** How long an offer is held: longer than offers are collected and chosen, so that a choice finds it. */
  holdMs: 500,
  /** How long an answer to accepted may take, before the negotiation begins anew. */
  grantMs: 300,
  /** How long an allocation lasts without being renewed, which happens three times in it. */
  leaseMs: 1500,
  /** How often a resource is announced. */
  announceMs: 500,
  /** Silence after which it is lost: as long as three announcements. */
  lossMs: 1600,
});

/** @typedef {{ [Name in keyof typeof defaultTimes]: number }} Times */

/** Negotiations about one request, when the chosen manager does not answer. */
export const ATTEMPTS = 3;

/**
 * Only what concerns a manager: what is for all, and what is for it.
 *
 * @param {string} name
 */
export function concerns(name) {
  return `NOT EXISTS to OR to = '${name}'`;
}
