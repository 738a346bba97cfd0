/**
 * What one client may use of a host, by its address: connections at a time and requests per second.
 *
 * One counter and one moment per address, in a table of bounded size. Whatever comes in asks here: HTTP connections and
 * requests, WebSocket and TCP sessions.
 *
 * Source: the generic cell rate algorithm (ITU-T I.371), which needs one number per client instead of a history.
 */
import type { Clock } from "./clock.ts";
import { SluiceError } from "./errors.ts";
import { limits } from "./limits.ts";

/** What one address may use; 0: as much as it likes. */
export interface ClientRules {
  /** Connections at a time. */
  readonly connections: number;
  /** Requests per second in the long run; as many may come at once. */
  readonly requests: number;
}

/** No limits: for hosts that only their own machine can reach, where all clients share one address. */
export const unlimited: ClientRules = Object.freeze({ connections: 0, requests: 0 });

/** What hosts that others can reach allow where nothing else is said. */
export const defaultClientRules: ClientRules = Object.freeze({
  connections: limits.clientConnections,
  requests: limits.clientRequests,
});

/** Time in which a client may use up what it is allowed per second. */
const BURST_MS = 1_000;
/** What a client with too many connections is told to wait: one of them has to end first, and nobody knows when. */
const CONNECTION_RETRY_MS = 1_000;
/** Entries looked at for one that can go when the table is full. */
const SWEEP = 64;

interface Usage {
  connections: number;
  /** The moment until which the requests so far have used up the rate. */
  until: number;
}

/** The clients of a host, all of its ports together. */
export class Clients {
  readonly rules: ClientRules;
  /** Connections and requests that were turned away. */
  refused = 0;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #usage = new Map<string, Usage>();
  /** Shared by all addresses for which the table has no room. */
  readonly #others: Usage = { connections: 0, until: 0 };

  /**
   * @param clock The real one.
   * @param most Addresses known at a time; what is beyond them shares one allowance.
   */
  constructor(rules: ClientRules, clock: Clock, most: number = limits.clients) {
    this.rules = rules;
    this.#clock = clock;
    this.#most = most;
  }

  /** Addresses known at present. */
  get count(): number {
    return this.#usage.size;
  }

  /**
   * Takes in a connection.
   *
   * @param address As the socket tells it; undefined where the peer is gone already.
   * @returns Lets it go again, to be called when it is over; calling it twice is harmless.
   * @throws {SluiceError} `rate_limited` with the limit.
   */
  connect(address: string | undefined): () => void {
    const { connections } = this.rules;
    if (connections === 0) return nothing;
    const usage = this.#usageOf(address);
    if (usage.connections >= connections) {
      throw this.#refuse(
        `Cannot take another connection from ${shown(address)}, it has ${usage.connections}, limit is ${connections}`,
        connections,
        CONNECTION_RETRY_MS,
      );
    }
    usage.connections += 1;
    let over = false;
    return () => {
      if (!over) usage.connections -= 1;
      over = true;
    };
  }

  /**
   * Counts one request.
   *
   * @returns undefined where it may pass, else `rate_limited` with the limit and when to come back.
   */
  request(address: string | undefined): SluiceError | undefined {
    const { requests } = this.rules;
    if (requests === 0) return undefined;
    const now = this.#clock.now();
    const usage = this.#usageOf(address);
    const until = Math.max(usage.until, now) + 1_000 / requests;
    if (until - now <= BURST_MS + Number.EPSILON) {
      usage.until = until;
      return undefined;
    }
    return this.#refuse(
      `Cannot take more than ${requests} requests per second from ${shown(address)}`,
      requests,
      until - now - BURST_MS,
    );
  }

  #refuse(message: string, limit: number, retryMs: number): SluiceError {
    this.refused += 1;
    return new SluiceError("rate_limited", message, { limit, retryMs });
  }

  #usageOf(address: string | undefined): Usage {
    const key = clientKey(address);
    const known = this.#usage.get(key);
    if (known !== undefined) return known;
    if (this.#usage.size >= this.#most && !this.#forgetOne()) return this.#others;
    const usage: Usage = { connections: 0, until: 0 };
    this.#usage.set(key, usage);
    return usage;
  }

  /** Forgets a client of whom nothing is left to know. Returns whether there was one among the oldest. */
  #forgetOne(): boolean {
    const now = this.#clock.now();
    let looked = 0;
    for (const [key, usage] of this.#usage) {
      if (usage.connections === 0 && usage.until <= now) return this.#usage.delete(key);
      looked += 1;
      if (looked > SWEEP) return false;
      // To the end, so that the next look begins with others.
      this.#usage.delete(key);
      this.#usage.set(key, usage);
    }
    return false;
  }
}

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one customer is given.
 *
 * @param address As sockets tell it, such as `::ffff:10.0.0.1` or `fe80::1%eth0`.
 */
export function clientKey(address: string | undefined): string {
  if (address === undefined || address === "") return "unknown";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(":")) return mapped ?? address;
  const [before = "", after] = (address.split("%")[0] as string).toLowerCase().split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const zeros = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...new Array<string>(zeros).fill("0"), ...tail];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

function shown(address: string | undefined): string {
  return address ?? "an unknown address";
}

function nothing(): void {}
