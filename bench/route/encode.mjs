// A list of routes as it travels to the core: two words, then a record of 24 words each.

/**
 * A route of the bench. Programs are handles of uses that the list takes over; 0 or absent: none.
 *
 * @typedef {object} Route
 * @property {number} [response] What is a response, which goes to who asked.
 * @property {number} [when] @property {number} [where] @property {number} [orderBy] @property {number} [per]
 * @property {number} [limit] Absent: none.
 * @property {'best' | 'random' | 'tied' | 'hash'} [choose]
 * @property {boolean} [descending]
 * @property {number} [charge] What a selection adds to a sink's rank until its next update.
 * @property {number} [maxAgeMs]
 */

const HEAD_BYTES = 8;

/**
 * Encodes routes.
 *
 * @param {(name: string) => number} constant Of the core's ABI.
 * @param {readonly Route[]} routes
 * @returns {Uint8Array}
 */
export function encodeRoutes(constant, routes) {
  const recordBytes = constant("ROUTE_RECORD_BYTES");
  const bytes = new Uint8Array(HEAD_BYTES + routes.length * recordBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, routes.length, true);
  routes.forEach((route, index) => {
    const { choose = "best", limit, charge = 0, maxAgeMs = Number.POSITIVE_INFINITY } = route;
    const base = HEAD_BYTES + index * recordBytes;
    const word = (/** @type {string} */ name, /** @type {number} */ value) =>
      view.setUint32(base + constant(name) * 4, value, true);
    const number = (/** @type {string} */ name, /** @type {number} */ value) =>
      view.setFloat64(base + constant(name) * 4, value, true);
    const replies = route.response === undefined ? 0 : constant("ROUTE_HAS_REPLY");
    word("ROUTE_FLAGS", (route.descending ? constant("ROUTE_DESCENDING") : 0) | replies);
    word("ROUTE_CHOOSE", constant(`CHOOSE_${choose.toUpperCase()}`));
    word("ROUTE_WHEN", route.when ?? 0);
    word("ROUTE_WHERE", route.where ?? 0);
    word("ROUTE_ORDER_BY", route.orderBy ?? 0);
    word("ROUTE_PER", route.per ?? 0);
    word("ROUTE_RESPONSE", route.response ?? 0);
    word("ROUTE_REPLY_KEYS", 1_000);
    number("ROUTE_REPLY_MS", 1_000);
    word("ROUTE_LIMIT_NUMBER", limit ?? constant("ROUTE_NO_LIMIT"));
    number("ROUTE_CHARGE", charge);
    number("ROUTE_MAX_AGE_MS", maxAgeMs);
  });
  return bytes;
}
