/**
 * Every limit of a host, in one frozen object: unit in the name, default as the value, reason beside it.
 *
 * What the core enforces is taken from core-wasm/abi.ts, so that no number stands twice.
 */
import {
  ATTRIBUTE_NAME_BYTES_MAX,
  ATTRIBUTES_MAX,
  CHANNELS_MAX,
  CONNECTIONS_MAX,
  CONTROL_BYTES_MAX,
  EMPTY_HELD_MAX,
  EVENT_BYTES_MAX,
  FRAME_BYTES_MAX,
  KEY_BYTES_MAX,
  MEMBER_ATTRIBUTES_BYTES_MAX,
  MEMBERS_MAX,
  PUBLISH_EVENTS_MAX,
  ROUTE_KEYS_MAX,
  ROUTE_NO_LIMIT,
  ROUTES_MAX,
  SOURCE_CREDIT_BYTES,
  SOURCE_CREDIT_EVENTS,
  STARTED_RECORDS,
  TYPE_BYTES_MAX,
  TYPES_MAX,
  WINDOW_EVENTS_MAX,
  WINDOW_PERIOD_MS_MAX,
} from "../core-wasm/abi.ts";
import { EXPRESSION_ARGUMENTS_MAX, EXPRESSION_BYTES_MAX, EXPRESSION_STACK_MAX } from "../core-wasm/expression/code.ts";

/** The limits of a host. Those marked "core" cannot be changed without rebuilding the core. */
export const limits = Object.freeze({
  // --- Core ---
  /** Largest frame, without its size prefix. Core: it must fit the staging region. */
  frameBytes: FRAME_BYTES_MAX,
  /** Largest event as stored, what the host appends included. Core: a quarter of a slab would waste the store. */
  eventBytes: EVENT_BYTES_MAX,
  /** Events in one publish. Core: one receipt record each. */
  publishEvents: PUBLISH_EVENTS_MAX,
  /** Attributes of one event or member. Core: a filter's table has one slot each. */
  attributes: ATTRIBUTES_MAX,
  /** Bytes of an attribute's name; they are ASCII. Core. */
  attributeNameBytes: ATTRIBUTE_NAME_BYTES_MAX,
  /** Bytes of all live attributes of one member, encoded. Core: they are copied on every update. */
  memberAttributesBytes: MEMBER_ATTRIBUTES_BYTES_MAX,
  /** Types in one `types` list. Core. */
  types: TYPES_MAX,
  /** Bytes of an event's type. Core: compared against every listed type. */
  typeBytes: TYPE_BYTES_MAX,
  /** Bytes of an event's key. Core: hashed for each keyed event. */
  keyBytes: KEY_BYTES_MAX,
  /** Deliveries with a key that are remembered for cancels: of channels where cancels are used, and again of all others. Core. */
  startedDeliveries: STARTED_RECORDS,
  /** Events that a source may have in its outbox, its credit. Core. */
  sourceCreditEvents: SOURCE_CREDIT_EVENTS,
  /** Bytes that a source may have in its outbox. Core. */
  sourceCreditBytes: SOURCE_CREDIT_BYTES,
  /** Bytes of answers that may wait for one connection. Core: a peer that asks and never reads is closed. */
  controlBytes: CONTROL_BYTES_MAX,
  /** Channels of one host. Core: size of the table. */
  channels: CHANNELS_MAX,
  /** Connections of one host. Core: size of the table. */
  connections: CONNECTIONS_MAX,
  /** Members of one host. Core: size of the table. */
  members: MEMBERS_MAX,

  /** Deadlines in one delivery window. Core: fractions of windows are compared by products, exactly. */
  windowDeadlines: WINDOW_EVENTS_MAX,
  /** Time between two deadlines of a window. Core: beyond a day nobody schedules. */
  windowPeriodMs: WINDOW_PERIOD_MS_MAX,

  // --- Deadlines ---
  /** Longest time that a client may say it takes for one event: an hour. */
  serviceMs: 3_600_000,
  /** Events per second that a join may declare: more than any host takes. */
  joinRate: 1_000_000_000,

  // --- Names and texts ---
  /** Characters of a channel's name; all are ASCII. Fits MQTT topics and NATS subjects in use. */
  channelNameBytes: 255,
  /** Bytes of `hello.client`; with a slash and a connection number it must fit the core's 256 bytes of `source`. */
  clientNameBytes: 200,
  /** Bytes of a token or a session secret: the largest JWTs in use are about 8 KiB. */
  tokenBytes: 16_384,
  /** Bytes of one `where` expression: longer ones are programs, which filter modules are for. */
  expressionBytes: 8_192,
  /** Levels of parentheses, prefixes and operators within an expression: its readers recurse. */
  expressionDepth: 128,
  /** Arguments of one call. Core: they lie on the stack. */
  expressionArguments: EXPRESSION_ARGUMENTS_MAX,
  /** Different constants of one expression: longer lists of values want attributes that say what they have in common. */
  expressionConstants: 1_024,
  /** Different names in one expression: four times what one event may have. */
  expressionNames: 256,
  /** Values that an expression may hold at a time while it is evaluated. Core: size of the stack. */
  expressionStack: EXPRESSION_STACK_MAX,
  /** Bytes of an expression's bytecode. Core. */
  expressionProgramBytes: EXPRESSION_BYTES_MAX,

  // --- Channel filters ---
  /** Routes of one filter. Core: each event may ask all of them. */
  routes: ROUTES_MAX,
  /** Sinks that a route may be limited to as a number. Core: one more means that it has no limit. */
  routeLimit: ROUTE_NO_LIMIT - 1,
  /** Keys that `unique` or `reply` of a route may remember. Core: 60 MB of them. */
  routeKeys: ROUTE_KEYS_MAX,
  /** Events of a channel that wait for a sink where `delivery.empty` is `hold`. Core: they pin the store. */
  emptyHeld: EMPTY_HELD_MAX,
  /** Characters of an expression in the summary of a route: what lines of a terminal have room for. */
  summaryExpression: 80,
  /** Routes in the summary of a filter; more are counted. */
  summaryRoutes: 8,

  // --- Filter modules ---
  /** Names of filter modules on one host. */
  filters: 64,
  /** Versions of one of them; of more, the oldest that is neither bound, current nor the step back goes. */
  filterVersions: 64,
  /** Bytes of one upload, custom sections included: debug information need not be stripped before. */
  filterUploadBytes: 8_388_608,
  /** Bytes of an upload in parts beyond its module: the manifest, and what is between the parts. */
  filterFormBytes: 262_144,
  /** Bytes of all versions of all filter modules: as many of the largest as nobody needs. */
  filterBytes: 134_217_728,
  /** Uploads that wait for the one that is looked at; each is kept in memory meanwhile. */
  filterAdmissions: 16,
  /** How long it may take to look at one, on the real clock: a hundred times what the largest takes. */
  filterAdmissionMs: 20_000,
  /** Lines that are kept of what a filter module says. */
  filterLogLines: 256,
  /** Bindings that a refusal names where a filter module is in use. */
  filterUses: 8,

  // --- Sessions ---
  /** Memberships of one session. One session of a gateway serves many, but not without end. */
  joins: 10_000,
  /** Patterns that one session subscribes to: each may bring thousands of memberships, of which `joins` is the limit in all. */
  patterns: 100,
  /** Patterns that all sessions of a host subscribe to: a channel that comes into being is compared with those that begin alike. */
  hostPatterns: 100_000,
  /** Channels that one pattern follows: it leaves its session room for others. */
  patternChannels: 8_192,
  /** Sessions of one host where the options do not say: about 1.2 GiB of Node's memory at 12 KiB each. */
  sessions: 100_000,
  /** Numbers in one `ack`, conditions in one `set`, names in one `remove`: more go into the next frame. */
  listEntries: 65_536,

  /** A duration in an event or a definition: what is left of the years that RFC 3339 can say; the core's bound too. */
  durationMs: 253_402_300_799_999,

  // --- JSON and HTTP ---
  /** Nesting of objects and arrays in any JSON that comes in, `data` included: deeper ones overflow readers' stacks. */
  jsonDepth: 128,
  /** Nesting of free-form parts of frames (`join.filters`, `problem.value`): protobuf readers stop at 100 messages. */
  structDepth: 16,
  /** Bytes of an HTTP request body. Two largest events: base64 makes one a third larger. */
  bodyBytes: 2 * EVENT_BYTES_MAX,
  /** Requests that may wait behind an unanswered one on their connection: more than any client sends ahead. */
  pipelinedRequests: 64,
  /** Bytes of all larger bodies that a host reads at a time: as many of the largest as it has time for in a second. */
  bodiesBytes: 268_435_456,
  /** Entries of a list where the request does not say. One screen or one `jq` away from it. */
  listDefault: 100,
  /** Entries of a list at most: about 1 MiB of channels. */
  listMax: 1_000,
  /** Characters of a cursor: the longest name behind its check, in base64. */
  cursorBytes: 512,
  /** Templates of one host: every new channel is compared with each. */
  templates: 1_000,
  /** Conditions of one host: each may have a timer of its own. */
  conditions: 10_000,
  /** Conditions changed by one request. */
  conditionsChanged: 1_000,
  /** Contracts of one host. */
  contracts: 10_000,
  /** Contracts that metrics tell by name; the rest is told together. */
  contractMetrics: 256,
  /** Passes over contracts in one turn of the event loop; more without rest are told as contracts that do not come to rest. */
  contractPasses: 100,
  /** How often an action of a contract is tried again. */
  contractRetries: 10,
  /** The longest time between two attempts. */
  contractRetryMs: 60_000,
  /** Transitions that a contract remembers. */
  contractHistory: 100,
  /** ms between two writes of where contracts are, at least: each writes the whole control state. */
  contractKeepMs: 100,
  /** Contracts that stand upon one another by `extends`. */
  contractBases: 16,
  /** Characters of a contract as YAML, whose reader takes a microsecond or more for each. */
  contractYamlChars: 131_072,
  /** Aliases of a YAML document, those within what an alias stands for included. */
  contractYamlAliases: 64,
  /** Observers of all contracts: sessions, streams and the application. */
  contractObservers: 100_000,
  /** Contracts that one session observes. */
  contractsObserved: 1_000,
  /** Bytes of `region` frames that a session is told in one turn of the event loop; the newest of each contract then waits. */
  regionsBytes: 65_536,
  /** Streams of transitions of one host: each holds a connection. */
  contractStreams: 1_000,
  /** Windows and periods of a condition: a day. Timers of most runtimes end at 24 days. */
  conditionMs: 86_400_000,
  /** Calls after which a condition expires. */
  conditionCalls: 1_000_000_000,
  /** Conditions of kind `monitor` of one host: each may have a request under way. */
  monitors: 64,
  /** Bytes that a monitor reads of a URL or a file: a value has a few, what is larger is something else. */
  monitorBytes: 65_536,
  /** Bytes of a URL or a path that a monitor reads. */
  monitorTargetBytes: 2_048,
  /** How long one look of a monitor may take, on the real clock. */
  monitorMs: 5_000,
  /** What is added to a condition at once, either way: as far as numbers are exact, and no sum of them is infinite. */
  conditionAmount: Number.MAX_SAFE_INTEGER,
  /** Bytes of rendered JSON kept for further sinks: four times what one session drains at once. */
  renderCacheBytes: 1_048_576,
  /** Rendered events kept for further sinks: four times what one session drains of 100 B events. */
  renderCacheEvents: 4_096,
  /** Events in one JSON deliver frame: the default `select`. */
  deliverEvents: 64,
  /** Bytes after which a JSON deliver frame ends: the default `select`. */
  deliverBytes: 65_536,

  // --- Idempotency keys ---
  /** How long an `Idempotency-Key` is remembered, on the service clock: longer than clients go on trying. */
  idempotencyMs: 300_000,
  /** Characters of a key; they are ASCII. Four UUIDs. */
  idempotencyKeyBytes: 255,
  /** Keys of one channel remembered at a time: 437 keyed publishes a second, and no channel uses up what is for all. */
  idempotencyKeys: 131_072,
  /** Bytes remembered for the keys of all channels, answers included: about 250,000 answers to single events. */
  idempotencyBytes: 67_108_864,

  // --- Clients, by address ---
  /** Connections of one address at a time, on hosts that others can reach: an office behind one address, not a flood. */
  clientConnections: 1_000,
  /** Requests, connections and control frames of one address per second, there: a quarter of what one core answers. */
  clientRequests: 5_000,
  /** Addresses that a host keeps count of: about 8 MiB. What is beyond shares one allowance. */
  clients: 65_536,

  // --- Memory ---
  /** Room for events that wait in no inbox's own copies, bytes; default 16 MiB. Stays in the processor's cache as far as it can. */
  storeBytes: 16_777_216,
  /** Room for what inboxes hold beyond the store, all together, bytes: no more than half of the memory that the store leaves. */
  mailboxBytes: 536_870_912,
  /** Core memory where `--memory` is absent. Untouched pages cost nothing. */
  memoryBytes: 536_870_912,
  /** Core memory at most: what the binary declares. */
  memoryBytesMax: 2_147_483_648,

  // --- Mailboxes ---
  /** Events of an inbox where it does not say: a second at a rate that one Node client keeps up with. */
  inboxEvents: 65_536,
  /** Bytes of an inbox where it does not say. */
  inboxBytes: 16_777_216,

  /** Inboxes that are polled, of one host: a client of HTTP each, and a connection of the core. */
  inboxes: 10_000,
  /** Polls that may wait at one inbox: one per tab of a browser, not per click. */
  inboxPolls: 16,
  /** Events that one poll may ask for: as many as one publish brings. */
  pollEvents: PUBLISH_EVENTS_MAX,
  /** Bytes, as stored, after which an answer to a poll ends: the largest event still comes. */
  pollBytes: EVENT_BYTES_MAX,
  /** How long a poll may wait, on the real clock: what proxies grant a silent answer. */
  pollWaitMs: 60_000,
  /** How long an inbox that is polled stays without a use where it does not say, on the service clock. */
  inboxIdleMs: 300_000,
  /** The same at most: a week. Beyond it is forgotten, not idle. */
  inboxIdleMsMax: 604_800_000,

  /** After which time without an acknowledgement a delivery is made again, where an inbox does not say, on the service clock. */
  redeliverMs: 30_000,
  /** The same at most: a week. */
  redeliverMsMax: 604_800_000,
  /** How often one event is delivered at most where an inbox does not say: half a minute, doubled four times, is 15 minutes. */
  attempts: 5,
  /** The same at most: what fails a hundred times will fail. */
  attemptsMax: 100,

  /** Traces of single events that are kept: as many as a person compares. */
  traces: 64,
  /** Deliveries that one trace tells of: the first ones. */
  traceDeliveries: 100,
  /** How long an event is followed, on the real clock. */
  traceMs: 60_000,
  /** How long a trace waits for the sinks where it does not say. */
  traceWaitMs: 1_000,
  /** The same at most. */
  traceWaitMsMax: 30_000,

  /** Events of handlers that may lead to another one where a service manager does not say: what takes longer goes in circles. */
  cascadeHops: 16,
  /** The same at most. */
  cascadeHopsMax: 1_000,
  /** How long a handler of a service manager may take where that does not say, on the real clock. */
  handlerMs: 30_000,
  /** The same at most: a day. */
  handlerMsMax: 86_400_000,
  /** Deliveries of one service manager of which it is remembered who is still to get them; of others all handlers get them again. */
  handlersUnfinished: 65_536,

  /** How long deliveries may wait for others at most (`select.delayMs`): a minute, as a poll may. */
  delayMsMax: 60_000,
  /** How long a session may linger without a connection, on the service clock: a day. Beyond it, a channel that stores is the way. */
  lingerMsMax: 86_400_000,
  /** Sessions that linger at a time: each keeps its members and its inbox. */
  lingering: 10_000,
  /** Answers and notices kept for a session that lingers: one for each membership that may end meanwhile. */
  lingeringFrames: 10_000,
  /** Deliveries kept for a session that may come back: what the buffers of a socket hold of small events. */
  windowEvents: 16_384,
  /** Bytes of them: what the buffers of a socket hold. */
  windowBytes: 4_194_304,

  /** Events that a channel may store. Above it, a replay would be a download. */
  storeEvents: 1_048_576,
  /** Bytes that a channel stores at most, whatever `store.events` says: an eighth of the default memory. */
  storeChannelBytes: 67_108_864,

  /** Bytes on their way to a WebSocket that grants no credit, at first: what a fast client takes while a packet travels. */
  paceBytes: 16_384,

  // --- Time, on the real clock ---
  /** From accepting a socket to its first complete frame or request: a slow network, not a slow attacker. */
  handshakeMs: 10_000,
  /** From the first to the last byte of one frame. 1 MiB in it is 35 kB/s. */
  frameMs: 30_000,
  /** Silence after which a WebSocket peer is pinged; below the usual 60 s of proxies. */
  pingMs: 25_000,
  /** From a ping to any sign of life. */
  pongMs: 15_000,
  /** How long a peer may leave what we wrote unread before it is closed as `slow_consumer`. */
  stallMs: 30_000,
  /** From SIGTERM to closing what is still open. Below the 30 s that orchestrators wait. */
  drainMs: 10_000,
  /** What `drain` tells clients to wait before they come back. */
  drainRetryMs: 1_000,
  /** How long a goodbye to one peer may take to be written, before the connection is cut. */
  goodbyeMs: 5_000,
  /** How long a peer may take to hang up after our last byte; its input is thrown away meanwhile. */
  lingerMs: 2_000,
  /** Silence of a TCP connection after which the system asks whether the peer is still there. */
  keepAliveMs: 30_000,
  /** From the first to the last byte of an HTTP request: the largest body at 35 kB/s. */
  requestMs: 60_000,
  /** Time within which `restarts` failures of the core end the host. */
  restartsMs: 60_000,
  /** Failures of the core within `restartsMs` after which a host gives up: what repeats is not cured by restarting. */
  restarts: 3,

  // --- Test controls ---
  /** How far a test may move the service clock at once: a year. */
  testAdvanceMs: 31_536_000_000,
  /** Timers that may run in it: one that sets itself again must not hang the process. */
  testTimers: 1_000_000,
  /** Turns of output after it: as many pieces of 128 KiB as the largest inbox holds as JSON. */
  settleTurns: 65_536,
} as const);

/** The type of {@link limits}, for functions that take them as an argument. Widened, so that tests can lower one. */
export type Limits = { readonly [Name in keyof typeof limits]: number };
