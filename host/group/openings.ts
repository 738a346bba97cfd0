/**
 * Opening a channel of the group: it is looked up, this host says that it has members of it, and links lead to all hosts that say so,
 * too. Events go straight from host to host, so the contact is asked for nothing after that.
 *
 * An opening is answered when every such host is linked, or is named as pending: a host that cannot be reached holds nobody up. What is
 * pending is linked later, as is every host that comes to have members.
 */
import { SluiceError } from "../errors.ts";
import { Advertised } from "./advertised.ts";
import type { GroupEvent } from "./records.ts";
import type { Registry, RegistryEvent } from "./registry.ts";

/** What became of an opening. */
export type OpeningEvent =
  | {
      readonly type: "opened";
      readonly ticket: number;
      readonly name: string;
      readonly contact: string;
      readonly term: number;
      /** Ids of the other hosts with members: those that are linked, and those that are not yet. */
      readonly linked: readonly string[];
      readonly pending: readonly string[];
    }
  /** Nobody knows that channel. */
  | { readonly type: "missing"; readonly ticket: number; readonly name: string };

/** How long an opening waits for the channel to be heard of, and for links. */
const OPEN_MS = 2_000;
/** Openings that wait. */
const OPENINGS_MAX = 4_096;

interface Opening {
  readonly ticket: number;
  readonly name: string;
  readonly untilMs: number;
}

/** Who has members of which channel, and what waits for that. */
export class Openings {
  readonly #registry: Registry;
  readonly #members: Advertised;
  readonly #linked = new Set<string>();
  /** By time of the answer: all wait for as long. */
  #waiting: Opening[] = [];
  #events: OpeningEvent[] = [];
  #tickets = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#members = new Advertised(registry.membership, "members");
  }

  /** When {@link tick} is to be called at the latest. */
  get nextAtMs(): number {
    return this.#waiting[0]?.untilMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Opens a channel.
   *
   * @returns A number that stands in the event which answers.
   * @throws {SluiceError} `limit_reached` while too many wait.
   */
  open(name: string, nowMs: number): number {
    if (this.#waiting.length >= OPENINGS_MAX)
      throw new SluiceError("limit_reached", `Cannot open "${name}", ${OPENINGS_MAX} openings wait`, {
        value: name,
        limit: OPENINGS_MAX,
      });
    this.#tickets += 1;
    const opening = { ticket: this.#tickets, name, untilMs: nowMs + OPEN_MS };
    if (!this.#answer(opening, nowMs)) this.#waiting.push(opening);
    return this.#tickets;
  }

  /** The last member of this host has left the channel. */
  close(name: string, nowMs: number): void {
    this.#members.remove(name, nowMs);
  }

  /** Ids of the other hosts that have members of a channel. */
  hostsOf(name: string): string[] {
    return this.#members.others(name);
  }

  /** Ids of all hosts to which links have to lead: they have members of a channel of which this host has some, too. */
  wanted(): string[] {
    return [...new Set(this.#members.own().flatMap((name) => this.#members.others(name)))].sort();
  }

  /** A link to a host is up, or broken. */
  link(id: string, isUp: boolean, nowMs: number): void {
    if (isUp) this.#linked.add(id);
    else this.#linked.delete(id);
    this.#look(nowMs);
  }

  /** Takes in what happened to hosts and names. */
  follow(event: GroupEvent | RegistryEvent, nowMs: number): void {
    if (event.type === "entry" || event.type === "forgotten") this.#members.follow(event);
    if (event.type === "entry" || event.type === "superseded" || this.#waiting.length === 0) return;
    this.#look(nowMs, event.type === "defined" ? event.name : undefined);
  }

  /** Answers what has waited for long enough. */
  tick(nowMs: number): void {
    this.#look(nowMs);
  }

  /** What became of openings since the last call. */
  take(): OpeningEvent[] {
    return this.#events.splice(0);
  }

  /** Answers what can be answered, of all openings or those of one channel. */
  #look(nowMs: number, name?: string): void {
    this.#waiting = this.#waiting.filter(
      (opening) => (name !== undefined && opening.name !== name) || !this.#answer(opening, nowMs),
    );
  }

  #answer({ ticket, name, untilMs }: Opening, nowMs: number): boolean {
    const isLate = nowMs >= untilMs;
    const channel = this.#registry.get("channel", name);
    if (channel === undefined) {
      if (isLate) this.#events.push({ type: "missing", ticket, name });
      return isLate;
    }
    this.#members.add(name, nowMs);
    const hosts = this.#members.others(name);
    const linked = hosts.filter((id) => this.#linked.has(id));
    const pending = hosts.filter((id) => !this.#linked.has(id));
    if (pending.length > 0 && !isLate) return false;
    const { contact, term } = channel;
    this.#events.push({ type: "opened", ticket, name, contact, term, linked, pending });
    return true;
  }
}
