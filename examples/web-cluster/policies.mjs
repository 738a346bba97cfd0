/**
 * Policies for requests that any server may take: each is a route, and whether who begins a request withdraws it from the others.
 *
 * @typedef {object} Policy
 * @property {string} name
 * @property {import("./channels.mjs").Route} route
 * @property {boolean} cancelOnStart
 * @property {boolean} readsLoad Whether it depends on how old the loads are.
 * @property {boolean} [isIdeal] Loads are told at each change, without delay.
 */

const tied = (/** @type {number} */ limit) => ({
  name: `tied, ${limit} at random`,
  route: { choose: /** @type {const} */ ("tied"), limit },
  cancelOnStart: true,
  readsLoad: false,
});

/** From what the paper does to what nobody can: servers whose queues are known at every moment. @type {readonly Policy[]} */
export const policies = [
  { name: "least loaded", route: { orderBy: "sink.queue", limit: 1 }, cancelOnStart: false, readsLoad: true },
  {
    // More work than eight servers can do, however old the loads.
    name: "3 least loaded, all work",
    route: { orderBy: "sink.queue", limit: 3 },
    cancelOnStart: false,
    readsLoad: false,
  },
  { name: "3 least loaded, cancel", route: { orderBy: "sink.queue", limit: 3 }, cancelOnStart: true, readsLoad: true },
  {
    name: "least loaded, charge 1",
    route: { orderBy: "sink.queue", limit: 1, charge: 1 },
    cancelOnStart: false,
    readsLoad: true,
  },
  { name: "random", route: { choose: "random", limit: 1 }, cancelOnStart: false, readsLoad: false },
  tied(2),
  tied(3),
  { name: "ideal", route: { orderBy: "sink.queue", limit: 1 }, cancelOnStart: false, readsLoad: false, isIdeal: true },
];
