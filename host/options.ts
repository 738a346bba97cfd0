/**
 * What an embedding application or the command line may set on a service, resolved and checked once.
 *
 * Absence is `undefined`; every number has its range here, and an error names option, value and range.
 */
import { CONNECTIONS_MAX, EVENT_BYTES_MAX, PAGE_BYTES, REGIONS_END, SLAB_BYTES } from "../core-wasm/abi.ts";
import { SluiceError } from "./errors.ts";
import { limits } from "./limits.ts";

/** Options of a service, all resolved. Sizes are bytes, durations milliseconds of the real clock. */
export interface ServiceOptions {
  /** Memory of the core; reserved at once, paid for when touched. */
  readonly memoryBytes: number;
  /** Part of it that holds events until every inbox has delivered them. */
  readonly storeBytes: number;
  /** For what inboxes hold beyond the store, all together; no more than half of what the store leaves. */
  readonly mailboxBytes: number;
  /** Whether a join or publish may create a channel that does not exist. */
  readonly implicitChannels: boolean;
  /** Sessions at a time. */
  readonly connections: number;
  /** Memberships of one session. */
  readonly joins: number;
  /** From accepting a connection to the end of its first frame, or of the head of its first request. */
  readonly handshakeMs: number;
  /** From the first to the last byte of an HTTP request. */
  readonly requestMs: number;
  /** From the first to the last byte of one frame. */
  readonly frameMs: number;
  /** How long a peer may leave unread what was written to it. */
  readonly stallMs: number;
  /** Silence after which a WebSocket peer is pinged. */
  readonly pingMs: number;
  /** From a ping to any sign of life. */
  readonly pongMs: number;
  /** How long drain() may flush. */
  readonly drainMs: number;
  /** What a `drain` frame tells clients to wait before they come back. */
  readonly drainRetryMs: number;
  /** Identity of this host in derived event ids; made at random where the control state has none. */
  readonly hostId: string;
  /** Incarnation of the core: larger than any that this host id had before. */
  readonly epoch: number;
}

/** What a caller gives. */
export type ServiceOptionsInput = { readonly [Name in keyof ServiceOptions]?: ServiceOptions[Name] | undefined };

/** Room for the largest event in each of four slabs' worth: less would refuse what the limits promise. */
const storeLeast = Math.max(4 * SLAB_BYTES, 4 * EVENT_BYTES_MAX);
/** A core needs its fixed regions, a store, and some pages for tables and mailboxes. */
const memoryLeast = REGIONS_END + storeLeast + 64 * PAGE_BYTES;

/** Inclusive ranges of all numbers. */
const ranges: {
  readonly [Name in keyof ServiceOptions as ServiceOptions[Name] extends number ? Name : never]: readonly [
    number,
    number,
  ];
} = {
  memoryBytes: [memoryLeast, limits.memoryBytesMax],
  storeBytes: [storeLeast, limits.memoryBytesMax],
  mailboxBytes: [16 * PAGE_BYTES, limits.memoryBytesMax],
  connections: [1, CONNECTIONS_MAX - 1024],
  joins: [1, 1_000_000],
  handshakeMs: [1, 3_600_000],
  requestMs: [1, 3_600_000],
  frameMs: [1, 3_600_000],
  stallMs: [1, 3_600_000],
  pingMs: [1, 3_600_000],
  pongMs: [1, 3_600_000],
  drainMs: [0, 3_600_000],
  drainRetryMs: [0, 3_600_000],
  epoch: [1, Number.MAX_SAFE_INTEGER],
};

/**
 * Resolves options: defaults from limits.ts, then range checks.
 *
 * The store stays small by default whatever the memory: it only has to bridge the moment between input and output. Who lags
 * further gets copies, charged to the rest (docs/adr/0004).
 *
 * @throws {SluiceError} `memory_too_small`, or `invalid_value` naming the option, its value and its range.
 */
export function resolveOptions(input: ServiceOptionsInput = {}): ServiceOptions {
  const memoryBytes = input.memoryBytes ?? limits.memoryBytes;
  const options: ServiceOptions = {
    memoryBytes,
    mailboxBytes: input.mailboxBytes ?? limits.mailboxBytes,
    storeBytes: input.storeBytes ?? Math.max(storeLeast, Math.min(limits.storeBytes, Math.floor(memoryBytes / 4))),
    implicitChannels: input.implicitChannels ?? true,
    connections: input.connections ?? limits.sessions,
    joins: input.joins ?? limits.joins,
    handshakeMs: input.handshakeMs ?? limits.handshakeMs,
    requestMs: input.requestMs ?? limits.requestMs,
    frameMs: input.frameMs ?? limits.frameMs,
    stallMs: input.stallMs ?? limits.stallMs,
    pingMs: input.pingMs ?? limits.pingMs,
    pongMs: input.pongMs ?? limits.pongMs,
    drainMs: input.drainMs ?? limits.drainMs,
    drainRetryMs: input.drainRetryMs ?? limits.drainRetryMs,
    hostId: input.hostId ?? createHostId(),
    epoch: input.epoch ?? 1,
  };
  if (options.memoryBytes < memoryLeast) {
    throw new SluiceError(
      "memory_too_small",
      `Cannot serve with ${options.memoryBytes} bytes of memory (memoryBytes), the core needs at least ${memoryLeast}`,
      { value: options.memoryBytes, limit: memoryLeast },
    );
  }
  for (const [name, [least, most]] of Object.entries(ranges) as [keyof typeof ranges, readonly [number, number]][]) {
    assertInRange(name, options[name], least, most);
  }
  if (!/^[a-z0-9]{1,64}$/.test(options.hostId)) {
    throw new SluiceError("invalid_value", `Cannot use hostId "${options.hostId}", it must match [a-z0-9]{1,64}`, {
      value: options.hostId,
    });
  }
  return Object.freeze(options);
}

/**
 * Checks one number.
 *
 * @throws {SluiceError} `invalid_value` naming option, value and range.
 */
export function assertInRange(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new SluiceError(
    "invalid_value",
    `Cannot set ${name} to ${value}, it must be a whole number from ${least} to ${most}`,
    {
      value,
      limit: [least, most],
    },
  );
}

/** Makes a host id: 60 bits of randomness in base 36. Two hosts of one group with the same id would mix up event ids. */
export function createHostId(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  const value = (BigInt(words[0] as number) << 28n) | BigInt((words[1] as number) >>> 4);
  return value.toString(36).padStart(12, "0");
}

/** Makes the secret by which a session is resumed: 128 bits, base 36. */
export function createSecret(): string {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(words, (word) => word.toString(36).padStart(7, "0")).join("");
}
