/**
 * All hosts that one host knows, itself included, and the one rule by which news is taken or left.
 *
 * The rule: of two statements about a host the one about its later (incarnation, version) stands; of two about the same one that with
 * the higher standing. Only the host itself writes new versions. So statements may come late, twice and in any order, and all who
 * have heard the same end up with the same. A host that hears itself called suspect or dead writes a new version, which outlives
 * that word everywhere.
 */
import { hashText } from "../hash.ts";
import { isGone, type RecordNews, type Standing, type SummaryLine, standingRank } from "./message.ts";
import { HostRecord } from "./record.ts";
import { COUNTER_MAX, type GroupTimes, groupLimits } from "./settings.ts";

/** What happened, told after it did. */
export type GroupEvent =
  /** A host came, came back, is in doubt, or is gone. */
  | { readonly type: Standing; readonly id: string }
  /** It began a new life: what it wrote in its former one has been taken back, each entry with an event of its own. */
  | { readonly type: "restarted"; readonly id: string }
  /** One who was gone is remembered no longer. */
  | { readonly type: "forgotten"; readonly id: string }
  /**
   * A host wrote an entry, or has it no more; this host's own are told, too. `lost`: it was not removed, but the life of the host that
   * wrote it is over, or what it holds is about to be told anew.
   */
  | {
      readonly type: "entry";
      readonly id: string;
      readonly key: string;
      readonly value: string | undefined;
      readonly lost: boolean;
    }
  /** A host, or an entry of one, finds no room here. */
  | { readonly type: "refused"; readonly id: string; readonly limit: "hosts" | "entries" }
  /** Another process uses this host's id. */
  | { readonly type: "conflict"; readonly id: string; readonly url: string };

/**
 * What became of news: `applied`, it changed something; `known`, it did not; `gap`, it begins after what is known here, so the
 * rest must be asked for.
 */
export type Outcome = "applied" | "known" | "gap";

/** What {@link Records} needs. */
export interface RecordsSettings {
  readonly self: HostRecord;
  readonly times: GroupTimes;
  readonly tell: (event: GroupEvent) => void;
  /** Called when something about a host is new here, with the version that was known before. */
  readonly heat: (id: string, fromVersion: number) => void;
}

/** The hosts that are known. */
export class Records {
  readonly self: HostRecord;
  readonly #settings: RecordsSettings;
  readonly #byId = new Map<string, HostRecord>();
  /** Ids of all who take part, sorted: the ring. Undefined after a change. */
  #ring: readonly string[] | undefined;
  #fingerprint: string | undefined;

  constructor(settings: RecordsSettings) {
    this.#settings = settings;
    this.self = settings.self;
    this.#byId.set(this.self.id, this.self);
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): HostRecord | undefined {
    return this.#byId.get(id);
  }

  /** All of them, in the order in which they became known. */
  all(): IterableIterator<HostRecord> {
    return this.#byId.values();
  }

  /** Ids of all who take part, this host included while it does, sorted: neighbours watch one another. */
  get ring(): readonly string[] {
    this.#ring ??= [...this.#byId.values()]
      .filter(({ isLive }) => isLive)
      .map(({ id }) => id)
      .sort();
    return this.#ring;
  }

  /** Those who take part, but this host. */
  others(): HostRecord[] {
    return [...this.#byId.values()].filter((record) => record.isLive && record !== this.self);
  }

  /** What all of this amounts to, in 16 digits: two hosts that know the same show the same. */
  get fingerprint(): string {
    this.#fingerprint ??= hashText(
      [...this.#byId.values()]
        .map(({ id, incarnation, version, standing }) => `${id} ${incarnation} ${version} ${standing}`)
        .sort()
        .join("\n"),
    );
    return this.#fingerprint;
  }

  summary(): SummaryLine[] {
    return [...this.#byId.values()].map((record) => record.line());
  }

  /** Takes what is new, by the rule above. */
  merge(news: RecordNews, nowMs: number): Outcome {
    if (news.id === this.self.id) return this.#hearOfSelf(news, nowMs);
    const known = this.#byId.get(news.id);
    if (known === undefined) return this.#meet(news, nowMs);
    if (news.incarnation < known.incarnation) return "known";
    if (news.incarnation > known.incarnation) return this.#restart(known, news, nowMs);
    return this.#follow(known, news, nowMs);
  }

  /** Says what a host is taken for. @returns Whether that is new. */
  setStanding(record: HostRecord, standing: Standing, nowMs: number, ageMs = 0): boolean {
    if (record.standing === standing) return false;
    record.standing = standing;
    record.standingAtMs = nowMs - ageMs;
    this.touched();
    this.#settings.heat(record.id, record.version);
    this.#settings.tell({ type: standing, id: record.id });
    return true;
  }

  /** This host writes a new version of itself. */
  advance(): void {
    const before = this.self.version;
    this.self.version += 1;
    this.touched();
    this.#settings.heat(this.self.id, before);
  }

  /** Forgets those who have been gone for long, and the first of those who are too many. */
  forget(nowMs: number): void {
    const gone = [...this.#byId.values()]
      .filter((record) => !record.isLive && record !== this.self)
      .sort((one, other) => one.standingAtMs - other.standingAtMs);
    const tooMany = gone.length - groupLimits.goneHosts;
    for (const [index, record] of gone.entries())
      if (index < tooMany || nowMs - record.standingAtMs >= this.#settings.times.forgetMs) this.#remove(record);
  }

  /** To be called after a record has changed: what was derived from it is stale. */
  touched(): void {
    this.#ring = undefined;
    this.#fingerprint = undefined;
  }

  #remove(record: HostRecord): void {
    this.#byId.delete(record.id);
    this.touched();
    this.#settings.tell({ type: "forgotten", id: record.id });
  }

  #meet(news: RecordNews, nowMs: number): Outcome {
    // Everybody forgets it at about this age; whoever is a moment later must not remind the others.
    if (isGone(news.standing) && news.standingAgeMs >= this.#settings.times.forgetMs) return "known";
    if (news.from > 0) return "gap";
    if (this.#byId.size >= groupLimits.hosts && !this.#makeRoom()) {
      this.#settings.tell({ type: "refused", id: news.id, limit: "hosts" });
      return "known";
    }
    const record = new HostRecord(news.id, news.url, news.incarnation, news.joinedAtMs, nowMs - news.standingAgeMs);
    record.standing = news.standing;
    this.#byId.set(record.id, record);
    this.touched();
    this.#settings.tell({ type: news.standing, id: record.id });
    this.#take(record, news, nowMs);
    return "applied";
  }

  #makeRoom(): boolean {
    const first = [...this.#byId.values()]
      .filter((record) => !record.isLive && record !== this.self)
      .sort((one, other) => one.standingAtMs - other.standingAtMs)[0];
    if (first !== undefined) this.#remove(first);
    return first !== undefined;
  }

  #restart(known: HostRecord, news: RecordNews, nowMs: number): Outcome {
    if (news.from > 0) return "gap";
    known.incarnation = news.incarnation;
    known.joinedAtMs = news.joinedAtMs;
    this.#settings.tell({ type: "restarted", id: known.id });
    this.#clear(known);
    this.#take(known, news, nowMs);
    this.touched();
    this.setStanding(known, this.#believed(known, news), nowMs, news.standingAgeMs);
    return "applied";
  }

  #follow(known: HostRecord, news: RecordNews, nowMs: number): Outcome {
    if (news.from > known.version) return "gap";
    // Removals that we did not hear of are not told any more: what is left has to be told anew.
    if (news.from === 0 && known.version < news.floor && known.floor < news.floor) this.#clear(known);
    if (news.to > known.version) {
      this.#take(known, news, nowMs);
      this.setStanding(known, this.#believed(known, news), nowMs, news.standingAgeMs);
      return "applied";
    }
    if (news.to < known.version || standingRank[news.standing] <= standingRank[known.standing]) return "known";
    return this.setStanding(known, this.#believed(known, news), nowMs, news.standingAgeMs) ? "applied" : "known";
  }

  /**
   * Nobody dies here by hearsay: whoever others call dead becomes suspect and has its time to answer. Without that the two halves
   * of a healed partition would bury one another's hosts.
   */
  #believed(known: HostRecord, { standing }: RecordNews): Standing {
    return standing === "dead" && known.isLive ? "suspect" : standing;
  }

  #take(record: HostRecord, news: RecordNews, nowMs: number): void {
    const before = record.version;
    record.url = news.url;
    for (const { key, value, version, ageMs } of news.entries) {
      if (version <= before) continue;
      const entry = { key, value, version, setAtMs: nowMs - ageMs };
      if (!record.hasRoom(entry)) this.#settings.tell({ type: "refused", id: record.id, limit: "entries" });
      else if (record.put(entry)) this.#settings.tell({ type: "entry", id: record.id, key, value, lost: false });
    }
    record.version = Math.max(before, news.to);
    // From a start, or with everything in between, we have heard of all removals that its owner has forgotten.
    if (news.from === 0 || record.version >= news.floor) record.raiseFloor(news.floor);
    this.touched();
    this.#settings.heat(record.id, before);
  }

  #clear(record: HostRecord): void {
    for (const { key } of record.clear())
      this.#settings.tell({ type: "entry", id: record.id, key, value: undefined, lost: true });
  }

  /** Others may be wrong about us, or know a former life of ours, or another process has our id. */
  #hearOfSelf(news: RecordNews, nowMs: number): Outcome {
    const { self } = this;
    // Having left, this host lets everything be said of it.
    if (!self.isLive || news.incarnation < self.incarnation) return "known";
    const isForeign = news.incarnation > self.incarnation || news.to > self.version || news.standing === "left";
    if (isForeign) {
      if (news.url !== self.url) this.#settings.tell({ type: "conflict", id: self.id, url: news.url });
      if (news.incarnation >= COUNTER_MAX) return "known";
      self.incarnation = news.incarnation + 1;
      self.standingAtMs = nowMs;
      this.touched();
      this.#settings.heat(self.id, 0);
      return "applied";
    }
    if (news.to < self.version || news.standing === "alive") return "known";
    this.advance();
    return "applied";
  }
}
