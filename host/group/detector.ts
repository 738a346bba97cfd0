/**
 * Who is still there. Each host pings its neighbours on the ring and one other, whatever the size of the group; whoever owes an
 * answer for long is suspect, and dead if it does not speak for itself in time.
 *
 * Neighbours on a ring and not only chance (as in SWIM): everybody is asked in every round, so noticing takes as long in a large group
 * as in a small one. Asked, and not expected to call: hosts that differ about the ring accuse nobody.
 *
 * Source: A. Das, I. Gupta, A. Motivala, SWIM (DSN 2002), for indirect pings and suspicion.
 */
import type { Address } from "./message.ts";
import type { HostRecord } from "./record.ts";
import { groupLimits } from "./settings.ts";
import { choose, type Surroundings } from "./surroundings.ts";

/** Pings, and what follows from silence. */
export class Detector {
  readonly #around: Surroundings;
  /** Since when hosts have owed an answer, and whether others were asked to ping them. */
  readonly #owed = new Map<string, { sinceMs: number; probed: boolean }>();
  /** Whom to tell when somebody answers. */
  #vouches: { readonly id: string; readonly to: Address; readonly untilMs: number }[] = [];

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Somebody spoke, to us or to one who tells us. */
  heard(id: string): void {
    this.#owed.delete(id);
    if (this.#vouches.length === 0) return;
    for (const vouch of this.#vouches) if (vouch.id === id) this.#around.send(vouch.to, { kind: "vouch", id });
    this.#vouches = this.#vouches.filter((vouch) => vouch.id !== id);
  }

  /** Pings for somebody else, who is told of the answer. */
  probe(host: { readonly id: string; readonly url: string }, to: Address, nowMs: number): void {
    if (this.#vouches.length >= groupLimits.vouches) return;
    this.#vouches.push({ id: host.id, to, untilMs: nowMs + this.#around.times.silenceMs });
    this.#ping(host);
  }

  /** This process stood still: nobody else is to blame for that. */
  excuse(lateMs: number): void {
    for (const owed of this.#owed.values()) owed.sinceMs += lateMs;
    for (const record of this.#around.records.all()) if (record.standing === "suspect") record.standingAtMs += lateMs;
  }

  /** One round: looks at who owes an answer, then asks again. */
  round(nowMs: number): void {
    const { records, random } = this.#around;
    this.#vouches = this.#vouches.filter(({ untilMs }) => untilMs > nowMs);
    for (const [id, owed] of this.#owed) this.#lookAt(records.get(id), id, owed, nowMs);
    this.settle(nowMs);
    const targets = new Set(this.#neighbours());
    for (const id of this.#owed.keys()) targets.add(id);
    const others = records.others();
    // Many in doubt at once: perhaps it is us. All are asked soon, so that a host that is cut off knows it as soon as the others.
    const doubts = others.filter(({ standing }) => standing === "suspect").length;
    const strangers = others.filter(({ id }) => !targets.has(id));
    for (const { id } of choose(strangers, 1 + doubts, random)) targets.add(id);
    let left = groupLimits.pings;
    for (const id of targets) {
      const record = records.get(id);
      if (record === undefined || left-- <= 0) continue;
      if (!this.#owed.has(id)) this.#owed.set(id, { sinceMs: nowMs, probed: false });
      this.#ping(record);
    }
  }

  /** Whoever has been suspect for long enough is dead. */
  settle(nowMs: number): void {
    const { records, times } = this.#around;
    for (const record of records.all())
      if (record.standing === "suspect" && nowMs >= record.standingAtMs + times.suspicionMs)
        records.setStanding(record, "dead", nowMs);
  }

  /** When {@link settle} has something to do. */
  get settlesAtMs(): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const { standing, standingAtMs } of this.#around.records.all())
      if (standing === "suspect") atMs = Math.min(atMs, standingAtMs + this.#around.times.suspicionMs);
    return atMs;
  }

  #lookAt(record: HostRecord | undefined, id: string, owed: { sinceMs: number; probed: boolean }, nowMs: number): void {
    const { records, times, random, send } = this.#around;
    if (record === undefined || !record.isLive) {
      this.#owed.delete(id);
      return;
    }
    const silentMs = nowMs - owed.sinceMs;
    if (silentMs >= times.silenceMs) {
      this.#owed.delete(id);
      if (record.standing === "alive") records.setStanding(record, "suspect", nowMs);
    } else if (silentMs >= times.indirectMs && !owed.probed) {
      owed.probed = true;
      const helpers = records.others().filter((other) => other !== record);
      const host = { id, url: record.url };
      for (const helper of choose(helpers, groupLimits.probes, random)) send(helper, { kind: "probe", host });
    }
  }

  /** The next ones on the ring. */
  #neighbours(): string[] {
    const { ring, self } = this.#around.records;
    const at = ring.indexOf(self.id);
    const count = Math.min(groupLimits.watched, ring.length - 1);
    return Array.from({ length: Math.max(0, count) }, (_, step) => ring[(at + 1 + step) % ring.length] as string);
  }

  #ping(to: Address): void {
    this.#around.send(to, { kind: "ping", fingerprint: this.#around.records.fingerprint });
  }
}
