/**
 * The channels of the cluster, and who gets what on them: the whole load balancer, as data.
 *
 * Servers and clients know nothing of one another. Which server gets a request is decided by these routes, in the host, from
 * the event and from what each server said last of its load.
 */

/** Requests and responses. */
export const DATA = "web.data";
/** Loads, for whoever watches. Routes need no such channel: they read what servers say of themselves as members of DATA. */
export const MONITORING = "web.monitoring";

/**
 * @typedef {{ by?: string, withinMs?: number, maxKeys?: number }} Unique
 * @typedef {{ response: string, withinMs?: number, maxKeys?: number }} Reply
 * @typedef {{ when?: string, where?: string, orderBy?: string, descending?: boolean, limit?: number | string,
 *   choose?: "best" | "random" | "tied" | "hash", per?: string, charge?: number, maxAgeMs?: number, unique?: Unique,
 *   reply?: Reply }} Route
 */

/** A response comes back within the time-out of a request, and its duplicates do; this is longer than both. */
const REMEMBER_MS = 20_000;

/** A request that names its server goes there, as a name server or a bookmark would have it; its answer to who asked. @type {Route} */
export const toItsServer = {
  when: "type = 'request'",
  where: "sink.server = server",
  reply: { response: "type = 'answer'", withinMs: REMEMBER_MS },
};

/**
 * What waited too long goes to the `copies` servers with the least load; the responses to the server that forwarded it.
 *
 * `charge` is what one request adds to the load of a server, 38 ms in a second: without it all that is forwarded between two
 * updates would go to the same server.
 *
 * @type {Route}
 */
export const toTheLeastLoaded = {
  when: "type = 'forward'",
  orderBy: "sink.load",
  limit: "copies",
  charge: 0.038,
  reply: { response: "type = 'response'", withinMs: REMEMBER_MS },
};

/** The first response to a request counts, others are discarded before anybody gets them. */
export const firstOnly = ["response", "answer"].map((type) => ({
  when: `type = '${type}'`,
  unique: { by: "key", withinMs: REMEMBER_MS },
}));

/** The paper's cluster: OUT picks the servers, IN discards duplicates. */
export const forwarding = { out: { routes: [toItsServer, toTheLeastLoaded] }, in: { routes: firstOnly } };

/** What the channels are set to: a server need not hear of its own load. @param {object | null} filters Of the data channel. */
export const definitions = (filters) => ({
  [DATA]: filters === null ? {} : { filters },
  [MONITORING]: { echo: false },
});

/**
 * A cluster without servers in charge: each request goes to those whom a policy chooses.
 *
 * @param {Route} policy Its `orderBy`, `limit`, `choose` …
 */
export function balancing(policy) {
  const route = { when: "type = 'request'", ...policy, reply: { response: "type = 'answer'", withinMs: REMEMBER_MS } };
  return { out: { routes: [route] }, in: { routes: firstOnly } };
}
