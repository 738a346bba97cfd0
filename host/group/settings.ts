/**
 * How fast a group of hosts notices things, and how much of anything it keeps: defaults, units and reasons.
 *
 * The times belong together: a host that is killed is asked again within `pingMs`, is suspect after `silenceMs` more, and dead
 * after `suspicionMs` more; others learn of the suspicion while it runs. With these defaults that is noticed everywhere in less
 * than 3 s, and a process that stands still for 300 ms is never even suspect.
 */

/** Times of the protocol, in milliseconds of the real clock. */
export interface GroupTimes {
  /** Between two rounds of pings. */
  readonly pingMs: number;
  /** Silence after which others are asked to ping in our stead: the way between two hosts may be broken, and neither of them. */
  readonly indirectMs: number;
  /** Silence after which a host is suspect. Above the longest pause that a garbage collector takes. */
  readonly silenceMs: number;
  /** How long a suspect has for saying that it lives. Several rounds of gossip there and back. */
  readonly suspicionMs: number;
  /** Between two rounds of gossip while there is news; none are sent otherwise. */
  readonly gossipMs: number;
  /** Between two summaries that this host begins: they grow with the group, so they are rationed. */
  readonly exchangeMs: number;
  /** Between two attempts to reach one who is dead or a seed that is not in the group: this is how partitions heal. */
  readonly rejoinMs: number;
  /** How long one who is gone is remembered: until then it can come back cheaply, and nobody revives it by old news. */
  readonly forgetMs: number;
  /** How long a removed entry is remembered, so that all hear of it. */
  readonly removedMs: number;
}

/** The defaults. */
export const groupTimes: GroupTimes = Object.freeze({
  pingMs: 200,
  indirectMs: 400,
  silenceMs: 800,
  suspicionMs: 1_000,
  gossipMs: 100,
  exchangeMs: 500,
  rejoinMs: 2_000,
  forgetMs: 600_000,
  removedMs: 600_000,
});

/** Bounds. What a peer sends beyond them is refused and counted; what this host does beyond them is an error. */
export const groupLimits = Object.freeze({
  /** Hosts that are known, those that are gone included. A summary has a line for each. */
  hosts: 1_024,
  /** Hosts that are gone and still remembered; the one that went first is forgotten first. */
  goneHosts: 256,
  /** Addresses through which a host joins. */
  seeds: 64,
  /** Neighbours on the ring that a host pings in every round. */
  watched: 2,
  /** Hosts that a round of gossip reaches. */
  fanOut: 3,
  /** Hosts that are asked to ping in our stead. */
  probes: 2,
  /** Pings in one round, those to hosts that owe an answer included. */
  pings: 32,
  /** Promises to tell others when somebody answers. */
  vouches: 64,
  /** Bytes of an address. */
  urlBytes: 512,
  /** Bytes of an entry's key: a kind, and the longest name of a channel. */
  keyBytes: 512,
  /** Bytes of an entry's value. */
  valueBytes: 32_768,
  /** Entries of one host, removed ones included. */
  entries: 16_384,
  /** Bytes of all entries of one host. */
  recordBytes: 4 * 1_048_576,
  /** Where a message is full. One entry always fits. */
  messageBytes: 65_536,
  /** Messages between two rounds of pings. What is beyond is not sent: every message may be lost, so this one may. */
  messages: 512,
  /** Events that wait to be taken. A caller who takes none gets no more, and is told how many are missing. */
  events: 65_536,
});

/** The largest incarnation and version: a host that hears of a larger one of its own must have room for the next. */
export const COUNTER_MAX = 2 ** 52;
