/**
 * The membership of one host in its group. It is told the time, what arrived and what changes here; it says what is to be sent, and what
 * happened. It knows no socket, no clock and no timer.
 *
 *     join ──▶ ┌────────────┐ ──▶ take().messages    to whom, what; the caller sends them or fails to
 *     receive ▶│ Membership │ ──▶ take().events      alive, suspect, dead, left, entry, …
 *     set ───▶ └────────────┘ ──▶ nextAtMs           when tick() is to be called next
 *     tick ──▶   records.ts  what is known, and which statement stands      record.ts  one host of it
 *                detector.ts who is still there      spread.ts  how news reaches all      message.ts  what is said
 *
 * Whoever uses it calls a method, then sends what take() returns, then waits until `nextAtMs` or for the next message.
 */
import { SluiceError } from "../errors.ts";
import { Detector } from "./detector.ts";
import {
  type Address,
  type Body,
  faultOf,
  type Message,
  type Outgoing,
  type Sender,
  type Standing,
} from "./message.ts";
import { HostRecord } from "./record.ts";
import { type GroupEvent, Records } from "./records.ts";
import { type GroupTimes, groupLimits, groupTimes } from "./settings.ts";
import { Spread } from "./spread.ts";
import { choose, type Surroundings } from "./surroundings.ts";

/** What a {@link Membership} begins with. */
export interface MembershipSettings {
  /** `[a-z0-9]{1,64}`, different for every host of the group. */
  readonly id: string;
  /** Where others reach this host. */
  readonly url: string;
  /**
   * Larger than in every former life of a host of this id. The time of its start does: should it not be larger, the host learns of that from
   * the others and takes a larger one.
   */
  readonly incarnation: number;
  /** From 0 to below 1; a seeded one makes a run repeatable. */
  readonly random: () => number;
  readonly times?: Partial<GroupTimes>;
}

/** A host as others may see it. */
export interface HostView {
  readonly id: string;
  readonly url: string;
  readonly state: Standing;
  readonly self: boolean;
  readonly incarnation: number;
  /** By its own clock. Orders the hosts of a group together with the id. */
  readonly joinedAtMs: number;
}

/** A value of a host with its age. */
export interface Reading {
  readonly value: string;
  /** Since its owner wrote it, without the time that messages were on their way. */
  readonly ageMs: number;
}

/** Counters since the start. */
export interface MembershipCounters {
  readonly sent: number;
  readonly received: number;
  /** Not sent, because too many were to be sent at once. */
  unsent: number;
  /** Refused for what they said. */
  refused: number;
  /** Events that nobody took in time. */
  missed: number;
}

/** How many hosts hear at once that this one leaves; they tell the others. */
const FAREWELLS = 16;

/** One host's view of its group, and its part in it. */
export class Membership {
  readonly counters = { sent: 0, received: 0, unsent: 0, refused: 0, missed: 0 } satisfies MembershipCounters;
  readonly #times: GroupTimes;
  readonly #around: Surroundings;
  readonly #records: Records;
  readonly #detector: Detector;
  readonly #spread: Spread;
  #seeds: readonly string[] = [];
  #messages: Outgoing[] = [];
  #events: GroupEvent[] = [];
  /** Messages that may still be sent before the next round. */
  #allowed: number = groupLimits.messages;
  #roundAtMs: number;
  #gossipAtMs: number;
  #joinAtMs = Number.POSITIVE_INFINITY;

  constructor(settings: MembershipSettings, nowMs: number) {
    const { id, url, incarnation, random } = settings;
    const self = new HostRecord(id, url, incarnation, nowMs, nowMs);
    self.version = 1;
    this.#times = { ...groupTimes, ...settings.times };
    this.#records = new Records({
      self,
      times: this.#times,
      tell: (event) => this.#tell(event),
      heat: (host, fromVersion) => this.#spread.heat(host, fromVersion),
    });
    this.#around = { records: this.#records, times: this.#times, random, send: (to, body) => this.#send(to, body) };
    this.#detector = new Detector(this.#around);
    this.#spread = new Spread(this.#around);
    this.#roundAtMs = nowMs + this.#times.pingMs;
    this.#gossipAtMs = nowMs;
  }

  /** This host's id. */
  get id(): string {
    return this.#records.self.id;
  }

  /** Says in 16 digits what is known here; the same at two hosts that know the same. */
  get fingerprint(): string {
    return this.#records.fingerprint;
  }

  /** When {@link tick} is to be called at the latest; infinite after a host has left and said so. */
  get nextAtMs(): number {
    const gossipAtMs = this.#spread.isHot ? this.#gossipAtMs : Number.POSITIVE_INFINITY;
    if (!this.#records.self.isLive) return gossipAtMs;
    return Math.min(this.#roundAtMs, this.#joinAtMs, gossipAtMs, this.#detector.settlesAtMs);
  }

  /**
   * Joins the group of any of these hosts, and tries again until one answers; later, those that are not in the group are tried now and then.
   *
   * @throws {SluiceError} `limit_reached` for too many.
   */
  join(seeds: readonly string[], nowMs: number): void {
    if (seeds.length > groupLimits.seeds)
      throw new SluiceError("limit_reached", `Cannot join through ${seeds.length} addresses`, {
        value: seeds.length,
        limit: groupLimits.seeds,
      });
    this.#seeds = seeds.filter((url) => url !== this.#records.self.url);
    this.#joinAtMs = nowMs + this.#times.exchangeMs;
    for (const url of this.#seeds) this.#spread.ask({ url });
  }

  /** Takes a message. One that cannot be is counted and has no other effect. */
  receive(message: Message, nowMs: number): void {
    const { from } = message;
    if (from.id === this.id) {
      // A seed that is ourselves answers us; another process with our id is told of.
      if (from.url !== this.#records.self.url) this.#tell({ type: "conflict", id: from.id, url: from.url });
      return;
    }
    if (faultOf(message) !== undefined) {
      this.counters.refused += 1;
      return;
    }
    this.counters.received += 1;
    this.#detector.heard(from.id);
    if (message.kind === "summary") this.#spread.answer(message, from, nowMs);
    else if (message.kind === "news") this.#spread.take(message, from, nowMs);
    else if (message.kind === "probe") this.#detector.probe(message.host, from, nowMs);
    else if (message.kind === "vouch") this.#detector.heard(message.id);
    else this.#hear(message, message.fingerprint, nowMs);
  }

  /** Does what is due. Harmless when nothing is. */
  tick(nowMs: number): void {
    if (this.#records.self.isLive) {
      const lateMs = nowMs - this.#roundAtMs;
      // A timer is never that late while the process runs.
      if (lateMs >= this.#times.pingMs / 2) this.#detector.excuse(lateMs);
      this.#detector.settle(nowMs);
      if (nowMs >= this.#roundAtMs) this.#round(nowMs);
      if (nowMs >= this.#joinAtMs) this.#seek(nowMs);
    }
    if (!this.#spread.isHot || nowMs < this.#gossipAtMs) return;
    this.#gossipAtMs = nowMs + this.#times.gossipMs;
    this.#spread.round(nowMs);
  }

  /**
   * Writes an entry of this host, which all others will have.
   *
   * @param value JSON by custom; nobody here looks into it.
   * @throws {SluiceError} `invalid_value` for a key or value that is too long, `limit_reached` for too many.
   */
  set(key: string, value: string, nowMs: number): void {
    assertLength("key of an entry", key, 1, groupLimits.keyBytes);
    assertLength("value of an entry", value, 0, groupLimits.valueBytes);
    this.#write(key, value, nowMs);
  }

  /** Removes an entry of this host everywhere. @returns Whether there was one. */
  remove(key: string, nowMs: number): boolean {
    if (this.#records.self.get(key)?.value === undefined) return false;
    this.#write(key, undefined, nowMs);
    return true;
  }

  /** An entry of a host that is known, gone ones included until they are forgotten. */
  read(id: string, key: string, nowMs: number): Reading | undefined {
    const entry = this.#records.get(id)?.get(key);
    if (entry?.value === undefined) return undefined;
    return { value: entry.value, ageMs: Math.max(0, nowMs - entry.setAtMs) };
  }

  /** Whether this host has that entry. */
  has(key: string): boolean {
    return this.#records.self.get(key)?.value !== undefined;
  }

  /** All entries of a host, the oldest change first. */
  entries(id: string): { readonly key: string; readonly value: string; readonly version: number }[] {
    return [...(this.#records.get(id)?.entries() ?? [])].flatMap(({ key, value, version }) =>
      value === undefined ? [] : [{ key, value, version }],
    );
  }

  /** Whether a host takes part. */
  isLive(id: string): boolean {
    return this.#records.get(id)?.isLive === true;
  }

  /** The hosts that are known, those that are gone included; in the order in which they joined. */
  hosts(): HostView[] {
    return [...this.#records.all()]
      .map((record) => ({
        id: record.id,
        url: record.url,
        state: record.standing,
        self: record === this.#records.self,
        incarnation: record.incarnation,
        joinedAtMs: record.joinedAtMs,
      }))
      .sort((one, other) => one.joinedAtMs - other.joinedAtMs || (one.id < other.id ? -1 : 1));
  }

  /** Leaves the group. What take() then returns says goodbye; a few more ticks repeat it, until `nextAtMs` is infinite. */
  leave(nowMs: number): void {
    const { self } = this.#records;
    if (!self.isLive) return;
    const others = this.#records.others();
    this.#records.advance();
    this.#records.setStanding(self, "left", nowMs);
    this.#spread.announce(self, self.version - 1, choose(others, FAREWELLS, this.#around.random), nowMs);
  }

  /** What is to be sent, and what happened, since the last call. */
  take(): { messages: Outgoing[]; events: GroupEvent[] } {
    const taken = { messages: this.#messages, events: this.#events };
    this.#messages = [];
    this.#events = [];
    return taken;
  }

  #round(nowMs: number): void {
    this.#roundAtMs = nowMs + this.#times.pingMs;
    this.#allowed = groupLimits.messages;
    this.#forgetRemoved(nowMs);
    this.#records.forget(nowMs);
    this.#detector.round(nowMs);
  }

  /** Looks for hosts that are not in the group: a seed, or one that is dead and perhaps only was out of reach. */
  #seek(nowMs: number): void {
    const { records, random } = this.#around;
    const others = records.others();
    const isAlone = others.length === 0;
    this.#joinAtMs = nowMs + (isAlone ? this.#times.exchangeMs : this.#times.rejoinMs);
    if (isAlone) for (const url of this.#seeds) this.#spread.ask({ url });
    const known = new Set(others.map(({ url }) => url));
    const missing = isAlone ? [] : this.#seeds.filter((url) => !known.has(url));
    for (const url of choose(missing, 1, random)) this.#spread.ask({ url });
    const dead = [...records.all()].filter(({ standing }) => standing === "dead");
    for (const record of choose(dead, 1, random)) this.#send(record, this.#ping());
  }

  /** A ping or an answer to one. */
  #hear({ from, kind }: Message, fingerprint: string, nowMs: number): void {
    const record = this.#records.get(from.id);
    if (kind === "ping") this.#send(from, { ...this.#ping(), kind: "ack" });
    if (record === undefined || (isNewer(from, record) && !record.isLive)) {
      this.#spread.ask(from, [this.#spread.lineOf(from.id)]);
    } else if (record.incarnation > from.incarnation || (record.standing !== "alive" && !isNewer(from, record))) {
      // It does not know what is said of it; once it does, it will say that it lives.
      this.#spread.announce(record, record.version, [from], nowMs);
    } else if (kind === "ack") this.#spread.compare(fingerprint, from, nowMs);
  }

  #ping(): { kind: "ping"; fingerprint: string } {
    return { kind: "ping", fingerprint: this.#records.fingerprint };
  }

  #write(key: string, value: string | undefined, nowMs: number): void {
    const { self } = this.#records;
    if (!self.hasRoom({ key, value })) this.#forgetRemoved(Number.POSITIVE_INFINITY);
    if (!self.hasRoom({ key, value }))
      throw new SluiceError("limit_reached", `Cannot keep another entry of host "${self.id}"`, {
        value: self.size,
        limit: groupLimits.entries,
      });
    this.#records.advance();
    self.put({ key, value, version: self.version, setAtMs: nowMs });
    this.#tell({ type: "entry", id: self.id, key, value, lost: false });
  }

  #forgetRemoved(nowMs: number): void {
    const { self } = this.#records;
    let floor = 0;
    for (const { value, version, setAtMs } of self.entries())
      if (value === undefined && nowMs - setAtMs >= this.#times.removedMs) floor = version;
    self.raiseFloor(floor);
  }

  #tell(event: GroupEvent): void {
    if (this.#events.length < groupLimits.events) this.#events.push(event);
    else this.counters.missed += 1;
  }

  #send(to: Address, body: Body): void {
    if (this.#allowed <= 0) {
      this.counters.unsent += 1;
      return;
    }
    this.#allowed -= 1;
    this.counters.sent += 1;
    const { id, url, incarnation, version } = this.#records.self;
    const target = to.id === undefined ? { url: to.url } : { id: to.id, url: to.url };
    this.#messages.push({ to: target, message: { from: { id, url, incarnation, version }, ...body } });
  }
}

/** Whether a host knows more of itself than is known here. */
function isNewer(from: Sender, record: HostRecord): boolean {
  return (
    from.incarnation > record.incarnation || (from.incarnation === record.incarnation && from.version > record.version)
  );
}

function assertLength(what: string, text: string, least: number, limit: number): void {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes >= least && bytes <= limit) return;
  throw new SluiceError("invalid_value", `Cannot take a ${what} of ${bytes} bytes`, { value: bytes, limit });
}
