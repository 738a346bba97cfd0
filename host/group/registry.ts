/**
 * What a group has agreed on by name: channels, contracts, filters. For each there is one host that may change it, its contact, and a
 * term that counts how often that host was another one.
 *
 * A *claim* is an entry that a host writes about a name: term, revision, definition. Of several claims the one with the highest term
 * stands, then the one of the lowest host id; everybody sees the same claims and so the same winner. The others *yield*: their entry
 * then says to whom, so that nobody who hears of that first takes the name for gone or an older claim for the last.
 * When the contact is gone, the host that joined first claims the name with the next term and the definition as it was; should it not,
 * the others do, one after another.
 *
 * Nothing is voted on. While a network is broken each part has a contact of its own, and what the one of the lower term was told
 * meanwhile is lost when it is whole again; `superseded` says so.
 */
import { SluiceError } from "../errors.ts";
import type { Membership } from "./membership.ts";
import type { Message, Outgoing } from "./message.ts";
import type { GroupEvent } from "./records.ts";
import { COUNTER_MAX, groupLimits } from "./settings.ts";

/** What names are about. */
export type Kind = "channel" | "contract" | "filter";

/** What a name stands for. */
export interface Definition {
  readonly kind: Kind;
  readonly name: string;
  /** Id of the host that may change it, and through which one joins; it may be gone for a moment. */
  readonly contact: string;
  /** Counts takeovers of the contact, from 1. */
  readonly term: number;
  /** Counts changes of the definition, from 1. */
  readonly revision: number;
  /** JSON. */
  readonly definition: unknown;
}

/** What happened to names. */
export type RegistryEvent =
  /** A name means something, or something else, or has another contact. */
  | ({ readonly type: "defined" } & Definition)
  /** A name means nothing any more. */
  | { readonly type: "removed"; readonly kind: Kind; readonly name: string }
  /** What this host said of a name does not stand: another host's claim, of a higher term or made at the same time, does. */
  | { readonly type: "superseded"; readonly kind: Kind; readonly name: string; readonly by: string };

/** What became of a call that changes a name: it stands, or it has to be made at the contact. */
export type Change = { readonly done: true } | { readonly done: false; readonly contact: string };

/** Between the attempts of two hosts to take over. Longer than news needs to reach everybody. */
const TAKEOVER_MS = 500;
/** The last ones to try do so together. */
const TAKEOVER_RANKS = 10;
/** How much later, in such attempts, for a claim that was lost, which may be made again at once, and for one that has not come. */
const LOST_RANKS = 1;
const AWAITED_RANKS = 4;
/** How long it is told that a name was taken back or yielded, so that no older claim, come late, revives it. */
const GRAVE_MS = 600_000;
/** Such names of this host; the first is forgotten first. */
const GRAVES_MAX = 1_024;

interface Claim {
  /** Who is the contact by it: the host that wrote it, or the one that it yields to. */
  readonly owner: string;
  readonly term: number;
  readonly revision: number;
  /** Undefined: the name was taken back. */
  readonly definition: unknown;
  /** As it was written. */
  readonly text: string;
  /** The life of the host that made it is over. */
  readonly lost: boolean;
  /** Somebody yielded to it: it exists, and has not come yet. */
  readonly awaited: boolean;
}

/** The names that one host knows, on top of its membership, whose calls it passes on. */
export class Registry {
  readonly membership: Membership;
  /** By key, then by who made them, see {@link formerKey}. */
  readonly #claims = new Map<string, Map<string, Claim>>();
  /** What was told last of each. */
  readonly #shown = new Map<string, Claim>();
  /** When this host takes over a name, if nobody else has. */
  readonly #dueMs = new Map<string, number>();
  /** When this host forgets that it took back or yielded a name. */
  readonly #graves = new Map<string, number>();
  #messages: Outgoing[] = [];
  #events: (GroupEvent | RegistryEvent)[] = [];
  /** The latest moment that this machine was told. */
  #nowMs: number;
  #place: number | undefined;

  constructor(membership: Membership, nowMs: number) {
    this.membership = membership;
    this.#nowMs = nowMs;
  }

  /** When {@link tick} is to be called at the latest. */
  get nextAtMs(): number {
    let nextAtMs = this.membership.nextAtMs;
    for (const dueMs of this.#dueMs.values()) nextAtMs = Math.min(nextAtMs, dueMs);
    // The oldest one comes first.
    for (const dueMs of this.#graves.values()) return Math.min(nextAtMs, dueMs);
    return nextAtMs;
  }

  receive(message: Message, nowMs: number): void {
    this.membership.receive(message, nowMs);
    this.#absorb(nowMs);
  }

  tick(nowMs: number): void {
    this.membership.tick(nowMs);
    this.#absorb(nowMs);
    for (const [key, dueMs] of this.#dueMs) if (dueMs <= nowMs) this.#takeOver(key, nowMs);
    for (const [key, dueMs] of this.#graves) {
      if (dueMs > nowMs) break;
      this.#forget(key, nowMs);
    }
    this.#absorb(nowMs);
  }

  /** Messages to send, and what happened to hosts and names, in order. */
  take(): { messages: Outgoing[]; events: (GroupEvent | RegistryEvent)[] } {
    // What the membership was told directly, such as to join.
    this.#absorb(this.#nowMs);
    const taken = { messages: this.#messages, events: this.#events };
    this.#messages = [];
    this.#events = [];
    return taken;
  }

  /** What a name means in this host's eyes. */
  get(kind: Kind, name: string): Definition | undefined {
    const claim = this.#shown.get(keyOf(kind, name));
    return claim?.definition === undefined ? undefined : definitionOf(kind, name, claim);
  }

  /** All names of a kind, in the order in which they became known. */
  list(kind: Kind): Definition[] {
    return [...this.#shown].flatMap(([key, claim]) => {
      const parts = partsOf(key);
      return parts?.kind === kind && claim.definition !== undefined ? [definitionOf(kind, parts.name, claim)] : [];
    });
  }

  /** Whether this host is the contact: it answers for that name, and evaluates it if it is a contract. */
  isMine(kind: Kind, name: string): boolean {
    return this.get(kind, name)?.contact === this.membership.id;
  }

  /**
   * Says what a name means. A new one gets this host as its contact; that of another host is left as it is.
   *
   * @throws {SluiceError} as Membership.set().
   */
  define(kind: Kind, name: string, definition: unknown, nowMs: number): Change {
    const key = keyOf(kind, name);
    const shown = this.#shown.get(key);
    const { id } = this.membership;
    const isOwn = shown === undefined || shown.owner === id;
    if (!isOwn && shown.definition !== undefined) return { done: false, contact: shown.owner };
    const term = (shown?.term ?? 1) + (isOwn ? 0 : 1);
    this.#graves.delete(key);
    this.#write(key, { term, revision: (shown?.revision ?? 0) + 1, definition }, nowMs);
    this.#absorb(nowMs);
    return { done: true };
  }

  /** Takes a name back. Harmless where it means nothing. */
  remove(kind: Kind, name: string, nowMs: number): Change {
    const key = keyOf(kind, name);
    const shown = this.#shown.get(key);
    if (shown?.definition === undefined) return { done: true };
    if (shown.owner !== this.membership.id) return { done: false, contact: shown.owner };
    this.#write(key, { term: shown.term, revision: shown.revision + 1, definition: undefined }, nowMs);
    this.#bury(key, nowMs);
    this.#absorb(nowMs);
    return { done: true };
  }

  /** Takes in what the membership tells, until that leads to nothing new. */
  #absorb(nowMs: number): void {
    for (let taken = this.membership.take(); ; taken = this.membership.take()) {
      this.#messages.push(...taken.messages);
      if (taken.events.length === 0) return;
      for (const event of taken.events) {
        this.#tell(event);
        this.#follow(event, nowMs);
      }
    }
  }

  #follow(event: GroupEvent, nowMs: number): void {
    if (event.type === "entry") {
      if (partsOf(event.key) === undefined) return;
      this.#note(event.key, event.id, event);
      this.#settle(event.key, nowMs);
      return;
    }
    this.#place = undefined;
    if (event.type === "forgotten") {
      for (const [key, claims] of this.#claims)
        if ([event.id, formerKey(event.id)].filter((claimant) => claims.delete(claimant)).length > 0)
          this.#settle(key, nowMs);
    } else if (["alive", "dead", "left"].includes(event.type)) {
      for (const [key, claims] of this.#claims) if (claims.has(event.id)) this.#settle(key, nowMs);
    }
  }

  /** Writes down what a host says of a name. */
  #note(
    key: string,
    owner: string,
    { value, lost }: { readonly value: string | undefined; readonly lost: boolean },
  ): void {
    const claims = this.#claims.get(key) ?? new Map<string, Claim>();
    this.#claims.set(key, claims);
    const former = claims.get(owner);
    const claim = value === undefined ? undefined : claimFrom(owner, value);
    // Beside what the host says in its next life: that one may know nothing of the term that it had.
    if (lost && former !== undefined) claims.set(formerKey(owner), { ...former, lost });
    if (claim !== undefined) claims.set(owner, claim);
    else claims.delete(owner);
  }

  /** Draws the conclusions from the claims to a name. */
  #settle(key: string, nowMs: number): void {
    const parts = partsOf(key);
    const claims = this.#claims.get(key);
    if (parts === undefined || claims === undefined) return;
    const winner = winnerOf(claims.values());
    if (winner === undefined) {
      this.#claims.delete(key);
      this.#dueMs.delete(key);
      if (this.#shown.get(key)?.definition !== undefined) this.#tell({ type: "removed", ...parts });
      this.#shown.delete(key);
      return;
    }
    if (!winner.lost) for (const [claimant, { lost }] of claims) if (lost) claims.delete(claimant);
    if (!winner.awaited) this.#show(key, parts, winner);
    if (winner.owner !== this.membership.id) this.#yield(key, parts, winner, nowMs);
    const isHeld = !winner.lost && !winner.awaited && this.membership.isLive(winner.owner);
    const isLess = (winner.awaited ? this.#shown.get(key) : winner)?.definition === undefined;
    if (isHeld || isLess) this.#dueMs.delete(key);
    else if (!this.#dueMs.has(key)) {
      const ranks = this.#rank() + (winner.lost ? LOST_RANKS : 0) + (winner.awaited ? AWAITED_RANKS : 0);
      this.#dueMs.set(key, nowMs + TAKEOVER_MS * ranks);
    }
  }

  #show(key: string, parts: { kind: Kind; name: string }, winner: Claim): void {
    const shown = this.#shown.get(key);
    this.#shown.set(key, winner);
    // By the text: a host may say another thing with the same numbers in its next life.
    if (shown?.owner === winner.owner && shown.text === winner.text) return;
    if (winner.definition !== undefined)
      this.#tell({ type: "defined", ...definitionOf(parts.kind, parts.name, winner) });
    else if (shown?.definition !== undefined) this.#tell({ type: "removed", ...parts });
  }

  /** Gives up this host's claim, if it has one, for the one that stands. */
  #yield(key: string, parts: { kind: Kind; name: string }, { owner, term }: Claim, nowMs: number): void {
    const { id } = this.membership;
    const claims = this.#claims.get(key);
    if (claims?.get(id)?.owner !== id) return;
    const text = JSON.stringify({ term, yields: owner });
    claims.set(id, { owner, term, revision: 0, definition: undefined, text, lost: false, awaited: true });
    this.membership.set(key, text, nowMs);
    this.#bury(key, nowMs);
    this.#tell({ type: "superseded", ...parts, by: owner });
  }

  #takeOver(key: string, nowMs: number): void {
    this.#dueMs.delete(key);
    const shown = this.#shown.get(key);
    const term = winnerOf(this.#claims.get(key)?.values() ?? [])?.term ?? COUNTER_MAX;
    if (shown === undefined || !this.membership.isLive(this.membership.id) || term >= COUNTER_MAX) return;
    this.#graves.delete(key);
    this.#write(key, { ...shown, term: term + 1 }, nowMs);
  }

  /** What this host says of a name now is of use for some time only. */
  #bury(key: string, nowMs: number): void {
    this.#graves.delete(key);
    this.#graves.set(key, nowMs + GRAVE_MS);
    const [oldest] = this.#graves.keys();
    if (this.#graves.size > GRAVES_MAX && oldest !== undefined) this.#forget(oldest, nowMs);
  }

  /** Forgets that a name was taken back or yielded. */
  #forget(key: string, nowMs: number): void {
    this.#graves.delete(key);
    this.membership.remove(key, nowMs);
  }

  #write(
    key: string,
    { term, revision, definition }: Pick<Claim, "term" | "revision" | "definition">,
    nowMs: number,
  ): void {
    this.membership.set(key, JSON.stringify({ term, revision, definition }), nowMs);
  }

  /** How many of those that take part joined before this host. */
  #rank(): number {
    this.#place ??= this.membership
      .hosts()
      .filter(({ id }) => this.membership.isLive(id))
      .findIndex(({ self }) => self);
    return Math.min(TAKEOVER_RANKS, Math.max(0, this.#place));
  }

  #tell(event: GroupEvent | RegistryEvent): void {
    if (this.#events.length < groupLimits.events) this.#events.push(event);
    else this.membership.counters.missed += 1;
  }
}

/** The key of a name's entry. @throws {SluiceError} `invalid_value` where there is no name. */
function keyOf(kind: Kind, name: string): string {
  if (name === "") throw new SluiceError("invalid_value", `Cannot name a ${kind} ""`, { value: name });
  return `${kind}/${name}`;
}

/** Where the claim of a host's former life lies; no id has a space. */
function formerKey(owner: string): string {
  return `${owner} before`;
}

/** Kind and name of an entry that is a claim. */
function partsOf(key: string): { kind: Kind; name: string } | undefined {
  const at = key.indexOf("/");
  const kind = key.slice(0, Math.max(0, at));
  const isKind = (word: string): word is Kind => word === "channel" || word === "contract" || word === "filter";
  return isKind(kind) && at + 1 < key.length ? { kind, name: key.slice(at + 1) } : undefined;
}

/** A claim as a peer wrote it; undefined where it wrote something else. */
function claimFrom(claimant: string, text: string): Claim | undefined {
  try {
    const { term, revision, definition, yields } = JSON.parse(text);
    const isCount = (count: unknown) =>
      Number.isSafeInteger(count) && Number(count) >= 1 && Number(count) <= COUNTER_MAX;
    if (!isCount(term)) return undefined;
    if (typeof yields === "string")
      return { owner: yields, term, revision: 0, definition: undefined, text, lost: false, awaited: true };
    return isCount(revision)
      ? { owner: claimant, term, revision, definition, text, lost: false, awaited: false }
      : undefined;
  } catch {
    return undefined;
  }
}

function definitionOf(kind: Kind, name: string, { owner, term, revision, definition }: Claim): Definition {
  return { kind, name, contact: owner, term, revision, definition };
}

/** Below 0: the first one stands. Of two about the same contact and term, the one that says more. */
function compareClaims(one: Claim, other: Claim): number {
  return (
    other.term - one.term ||
    (one.owner < other.owner ? -1 : one.owner > other.owner ? 1 : 0) ||
    Number(one.awaited) - Number(other.awaited) ||
    Number(one.lost) - Number(other.lost)
  );
}

function winnerOf(claims: Iterable<Claim>): Claim | undefined {
  let winner: Claim | undefined;
  for (const claim of claims) if (winner === undefined || compareClaims(claim, winner) < 0) winner = claim;
  return winner;
}
