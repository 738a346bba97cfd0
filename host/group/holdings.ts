/**
 * Filter modules go to the hosts that need them, by digest: a host says which it holds, and one that needs another is told whom to fetch
 * it from. The bytes themselves travel by links, and a host believes them once their digest is right.
 */
import { SluiceError } from "../errors.ts";
import { Advertised } from "./advertised.ts";
import type { Membership } from "./membership.ts";
import type { GroupEvent } from "./records.ts";
import { choose } from "./surroundings.ts";

/** Ask that host for these bytes; answer with hold(), or with failed(). */
export interface FetchEvent {
  readonly type: "fetch";
  readonly digest: string;
  readonly from: string;
}

/** After so long without bytes another holder is asked. */
const FETCH_MS = 5_000;
/** Modules that a host waits for. */
const WANTS_MAX = 1_024;

interface Want {
  /** Whom it was asked of, and until when that may take; undefined while nobody holds it. */
  asked: { readonly from: string; readonly untilMs: number } | undefined;
}

/** What hosts hold, and what this host needs. */
export class Holdings {
  readonly #random: () => number;
  readonly #held: Advertised;
  readonly #wants = new Map<string, Want>();
  #events: FetchEvent[] = [];

  constructor(membership: Membership, random: () => number) {
    this.#random = random;
    this.#held = new Advertised(membership, "bytes");
  }

  /** When {@link tick} is to be called at the latest. */
  get nextAtMs(): number {
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const { asked } of this.#wants.values()) nextAtMs = Math.min(nextAtMs, asked?.untilMs ?? nextAtMs);
    return nextAtMs;
  }

  /** This host has the bytes of that digest. */
  hold(digest: string, nowMs: number): void {
    this.#wants.delete(digest);
    this.#held.add(digest, nowMs);
  }

  /** It has them no more. */
  drop(digest: string, nowMs: number): void {
    this.#held.remove(digest, nowMs);
  }

  /**
   * This host needs them. Harmless when it has them or already waits.
   *
   * @throws {SluiceError} `limit_reached` while it waits for too many.
   */
  want(digest: string, nowMs: number): void {
    if (this.#held.isOwn(digest) || this.#wants.has(digest)) return;
    if (this.#wants.size >= WANTS_MAX)
      throw new SluiceError("limit_reached", `Cannot wait for "${digest}" beside ${WANTS_MAX} others`, {
        value: digest,
        limit: WANTS_MAX,
      });
    this.#wants.set(digest, { asked: undefined });
    this.#ask(digest, nowMs);
  }

  /** It needs them no more. */
  unwant(digest: string): void {
    this.#wants.delete(digest);
  }

  /** Who was asked did not have them, or sent others. */
  failed(digest: string, nowMs: number): void {
    this.#ask(digest, nowMs);
  }

  /** Takes in what happened: somebody may hold what is needed, or be gone who was asked. */
  follow(event: GroupEvent, nowMs: number): void {
    const digest = this.#held.follow(event);
    if (digest !== undefined && this.#wants.get(digest)?.asked === undefined) this.#ask(digest, nowMs);
    const isGone = event.type === "dead" || event.type === "left";
    if (!isGone && event.type !== "alive") return;
    // One that is back may hold what nobody else does.
    for (const [wanted, { asked }] of this.#wants)
      if (asked?.from === (isGone ? event.id : undefined)) this.#ask(wanted, nowMs);
  }

  /** Asks others where one was asked in vain. */
  tick(nowMs: number): void {
    for (const [digest, { asked }] of this.#wants)
      if (asked !== undefined && asked.untilMs <= nowMs) this.#ask(digest, nowMs);
  }

  /** Whom to ask for what, since the last call. */
  take(): FetchEvent[] {
    return this.#events.splice(0);
  }

  /** Asks one of the holders by chance, so that not all hosts ask the same one; another one than before, if there is one. */
  #ask(digest: string, nowMs: number): void {
    const want = this.#wants.get(digest);
    if (want === undefined) return;
    const holders = this.#held.others(digest);
    const fresh = holders.filter((id) => id !== want.asked?.from);
    const [from] = choose(fresh.length > 0 ? fresh : holders, 1, this.#random);
    want.asked = from === undefined ? undefined : { from, untilMs: nowMs + FETCH_MS };
    if (from !== undefined) this.#events.push({ type: "fetch", digest, from });
  }
}
