// The cells of the bench: what is run, against which peers. README.md says what each regime means.
import { measureChannels, measureSessions } from "./driver/footprint.mjs";
import { measureLatency } from "./driver/latency.mjs";
import { measureManySinks } from "./driver/many-sinks.mjs";
import { measureUrgent } from "./driver/overload.mjs";
import { measureRequests } from "./driver/requests.mjs";
import { measureSlow } from "./driver/slow.mjs";
import { measureStalled } from "./driver/stalled.mjs";
import { measureThroughput } from "./driver/throughput.mjs";
import { measureUpdates } from "./driver/updates.mjs";

const BROKERS = ["sluice", "nats", "redis", "relay"];
const NIGHTLY = ["mosquitto", "aedes"];
const SMALL = 100;
const LARGE = 1024;
const MANY_CHANNELS = 10_000;
const channelNames = Array.from({ length: MANY_CHANNELS }, (_, index) => `s${String(index).padStart(5, "0")}`);

/**
 * @typedef {object} Scale How much of everything: full or quick.
 * @property {number} seconds Measured time of a throughput cell.
 * @property {number} latencySeconds
 * @property {number} stalledEvents
 * @property {number} overloadSeconds
 * @property {number} sessions
 * @property {number} channels
 * @property {number} filteredSinks
 */

/** @type {Readonly<Record<'full' | 'quick', Readonly<Scale>>>} */
export const scales = Object.freeze({
  full: {
    seconds: 1,
    latencySeconds: 2,
    stalledEvents: 10_000_000,
    overloadSeconds: 2,
    sessions: 4_000,
    channels: 100_000,
    filteredSinks: 10_000,
  },
  quick: {
    seconds: 0.4,
    latencySeconds: 1,
    stalledEvents: 1_000_000,
    overloadSeconds: 1,
    sessions: 1_000,
    channels: 30_000,
    filteredSinks: 1_000,
  },
});

/**
 * @typedef {object} Cell
 * @property {string} id
 * @property {string} title
 * @property {readonly string[]} peers In the order in which they run, within seconds of each other.
 * @property {(peer: import('./peers/peer.mjs').Peer, scale: Scale) => Promise<object>} run
 * @property {number} [repetitionsMax] Fewer than the rest, for cells that take long.
 * @property {boolean} [alone] Starts its own process; needs no running peer.
 */

/**
 * @param {string} id @param {string} title @param {readonly string[]} peers
 * @param {Omit<import('./driver/flow.mjs').Load, 'seconds'>} load
 * @returns {Cell}
 */
const throughput = (id, title, peers, load) => ({
  id,
  title,
  peers,
  run: (peer, { seconds }) => measureThroughput(peer, { ...load, seconds }),
});

/** @param {string} id @param {string} title @param {readonly string[]} peers @param {number} payloadBytes @param {number} fanOut @returns {Cell} */
const latency = (id, title, peers, payloadBytes, fanOut) => ({
  id,
  title,
  peers,
  run: (peer, { latencySeconds }) =>
    measureLatency(peer, { payloadBytes, fanOut, eventsPerSecond: 2000, seconds: latencySeconds }),
});

/** 16 publishers, one event per write, at most 64 events under way. */
const unbatched = /** @type {const} */ ({ writes: "single", publishers: 16, inFlight: 64 });
const keyOf = (/** @type {number} */ index) => `r-${String(index).padStart(6, "0")}`;
const TTL_MS = 60_000;

/**
 * Lists the cells.
 *
 * @param {{ nightly: boolean }} options `nightly` adds the MQTT brokers.
 * @returns {Cell[]}
 */
export function listCells({ nightly }) {
  const all = nightly ? [...BROKERS, ...NIGHTLY] : BROKERS;
  const webSockets = ["sluice-ws", "sluice-json", "ws"];
  /** @type {Cell[]} */
  const cells = [];
  for (const fanOut of [1, 8]) {
    cells.push(
      throughput(`tput-100-f${fanOut}`, `100 B, fan-out ${fanOut}, batched`, all, {
        payloadBytes: SMALL,
        fanOut,
        writes: "batched",
      }),
      throughput(`keyed-100-f${fanOut}`, `the same, each event with a key`, ["sluice"], {
        payloadBytes: SMALL,
        fanOut,
        writes: "batched",
        vary: (index) => ({ key: keyOf(index) }),
      }),
      throughput(`ttl-100-f${fanOut}`, `the same, each event with a TTL of a minute`, ["sluice"], {
        payloadBytes: SMALL,
        fanOut,
        writes: "batched",
        vary: () => ({ ttlMs: TTL_MS }),
      }),
      throughput(`keyed-ttl-100-f${fanOut}`, `the same, each event with key and TTL`, ["sluice"], {
        payloadBytes: SMALL,
        fanOut,
        writes: "batched",
        vary: (index) => ({ key: keyOf(index), ttlMs: TTL_MS }),
      }),
    );
  }
  for (const fanOut of [1, 8]) {
    cells.push(
      throughput(`tput-1k-f${fanOut}`, `1 KB, fan-out ${fanOut}, batched`, all, {
        payloadBytes: LARGE,
        fanOut,
        writes: "batched",
      }),
    );
  }
  for (const fanOut of [1, 8]) {
    cells.push(
      throughput(`conc-100-f${fanOut}`, `100 B, fan-out ${fanOut}, unbatched`, all, {
        payloadBytes: SMALL,
        fanOut,
        ...unbatched,
      }),
    );
  }
  cells.push(
    onePercent("match-1pc-f8", "zone = 'z07' AND load < 0.8", ["sluice", "nats"]),
    onePercent("match-1pc-range-f8", "load < 0.01", ["sluice", "nats"]),
    {
      id: "match-10000-sinks",
      title: "10,000 sinks with different filters, an event selects ten; and ten sinks without filters",
      peers: ["sluice"],
      alone: true,
      run: (_, { filteredSinks, seconds }) => measureManySinks(filteredSinks, seconds),
    },
    {
      ...updates("route-updates-1000", "1,000 sinks update an attribute 100 times a second, a session each", 1_000, 1),
      // No goal rests on it.
      repetitionsMax: 2,
    },
    updates("route-updates-20", "1,000 sinks update an attribute 100 times a second, 20 sessions of 50", 20, 50),
    throughput("channels-1", "1 channel, one event per frame", ["sluice"], {
      payloadBytes: SMALL,
      fanOut: 1,
      writes: "batched",
      perFrame: 1,
      channels: channelNames.slice(0, 1),
    }),
    throughput("channels-10000", "10,000 channels in turn, one event per frame", ["sluice", "nats", "redis"], {
      payloadBytes: SMALL,
      fanOut: 1,
      writes: "batched",
      perFrame: 1,
      channels: channelNames,
    }),
  );
  for (const fanOut of [1, 8]) {
    // Sinks over server-sent events beside those over WebSocket: publishers are the same.
    const peers = fanOut === 1 ? webSockets : [...webSockets, "sluice-sse"];
    cells.push(
      throughput(
        `ws-batched-f${fanOut}`,
        `WebSocket, 100 B, fan-out ${fanOut}, one event per message, many messages per write`,
        peers,
        {
          payloadBytes: SMALL,
          fanOut,
          writes: "batched",
          perFrame: 1,
        },
      ),
      throughput(`ws-single-f${fanOut}`, `WebSocket, 100 B, fan-out ${fanOut}, one event per write`, peers, {
        payloadBytes: SMALL,
        fanOut,
        ...unbatched,
      }),
    );
  }
  cells.push(
    throughput("ws-packed-f8", "WebSocket, 100 B, fan-out 8, 64 events per message", ["sluice-ws", "sluice-json"], {
      payloadBytes: SMALL,
      fanOut: 8,
      writes: "batched",
      perFrame: 64,
    }),
    {
      id: "http-publish",
      title: "HTTP, 100 B, one event per request, 16 connections kept alive",
      peers: ["sluice-http", "hono"],
      run: (peer, { seconds }) => measureRequests(peer, { payloadBytes: SMALL, connections: 16, seconds: 2 * seconds }),
    },
    latency("lat-100-f1", "100 B, fan-out 1, 2,000 events/s", ["sluice", "nats", "redis", "ws", "sluice-ws"], SMALL, 1),
    latency("lat-100-f8", "100 B, fan-out 8, 2,000 events/s", ["sluice", "nats", "redis"], SMALL, 8),
    ...overloads(),
    stalled("stalled-without", "seven live sinks", false),
    stalled("stalled-with", "seven live sinks and one that takes 1 % and never reads", true),
    {
      id: "idle-sessions",
      title: "idle WebSocket sessions",
      peers: ["sluice"],
      alone: true,
      repetitionsMax: 3,
      run: (_, { sessions }) => measureSessions(sessions),
    },
    {
      id: "idle-channels",
      title: "channels",
      peers: ["sluice"],
      alone: true,
      repetitionsMax: 3,
      run: (_, { channels }) => measureChannels(channels),
    },
  );
  return cells;
}

/**
 * Eight sinks that want one event in a hundred, where the peer filters; the others get all.
 *
 * @param {string} id @param {string} where @param {readonly string[]} peers
 * @returns {Cell}
 */
function onePercent(id, where, peers) {
  const every = 100;
  const load = /** @type {const} */ ({ payloadBytes: SMALL, fanOut: 8, writes: "batched" });
  // Values in turn, so that each frame has its share.
  const vary = (/** @type {number} */ index) => ({
    attributes: { zone: `z${String(index % every).padStart(2, "0")}`, load: (index % every) / every },
  });
  const title = `100 B, 8 sinks that want 1 % (${where}), batched`;
  return throughput(id, title, peers, { ...load, vary, wants: { where }, every, perFrame: every });
}

/** @param {string} id @param {string} title @param {number} sessions @param {number} sinks Of each. @returns {Cell} */
const updates = (id, title, sessions, sinks) => ({
  id,
  title,
  peers: ["sluice"],
  alone: true,
  run: (_, { seconds }) => measureUpdates(sessions, sinks, seconds),
});

/** @param {string} id @param {string} title @param {boolean} asleep @returns {Cell} */
function stalled(id, title, asleep) {
  return {
    id,
    title,
    peers: ["sluice"],
    run: (peer, { stalledEvents }) =>
      measureStalled(peer, { events: stalledEvents, stalled: asleep, payloadBytes: SMALL }),
  };
}

/** What order is worth, and what it costs, when somebody cannot keep up. @returns {Cell[]} */
function overloads() {
  const load = /** @type {const} */ ({ payloadBytes: SMALL, fanOut: 8, writes: "batched" });
  const inbox = { ordering: "priority+deadline" };
  return [
    {
      id: "overload-urgent",
      title: "40,000 events/s to a sink that takes 20,000, one in 200 urgent",
      peers: ["sluice", "nats", "redis", "mosquitto"],
      repetitionsMax: 3,
      run: (peer, { overloadSeconds }) => measureUrgent(peer, { payloadBytes: SMALL, seconds: overloadSeconds }),
    },
    throughput(
      "overload-ordered",
      "100 B, fan-out 8, batched: a filter of two predicates and priority+deadline; nats plain",
      ["sluice", "nats"],
      {
        ...load,
        // Well within the buffers of sockets: what is measured is order, not who waits for whom.
        inFlight: 1_024,
        vary: (index) => ({
          priority: index % 10,
          ttlMs: TTL_MS + ((index * 7) % 1000),
          attributes: { heat: index % 50, load: (index % 100) / 100 },
        }),
        wants: { where: "load < 1.5 AND heat >= 0", inbox },
      },
    ),
    slow("overload-seven", "seven live sinks, batched and one by one", false),
    slow("overload-slow", "the same beside an eighth that reads far too slowly", true),
  ];
}

/** @param {string} id @param {string} title @param {boolean} isSlow @returns {Cell} */
const slow = (id, title, isSlow) => ({
  id,
  title,
  peers: ["sluice"],
  run: (peer, { seconds, latencySeconds }) =>
    measureSlow(peer, { payloadBytes: SMALL, slow: isSlow, seconds, latencySeconds: latencySeconds / 2 }),
});
