/**
 * How news reaches everybody: gossip while it is fresh, and an exchange of summaries for whoever missed it.
 *
 * Gossip tells some hosts by chance, in a few rounds, and stops: a change costs each host a bounded number of messages, and a group
 * at rest none. What gossip missed is found by fingerprints, which travel with pings: where two differ, summaries are compared and
 * only what is missing is sent, in both directions.
 *
 * Source: R. van Renesse et al., Efficient Reconciliation and Flow Control for Anti-Entropy Protocols (LADIS 2008).
 */
import { type Address, type News, type RecordNews, type Summary, type SummaryLine, standingRank } from "./message.ts";
import type { HostRecord } from "./record.ts";
import { groupLimits } from "./settings.ts";
import { choose, type Surroundings } from "./surroundings.ts";

/** News that is still told. */
interface Hot {
  /** What was known before each of the last rounds: everything after the first is told, so that each change is told in every one. */
  readonly marks: number[];
  /** Rounds that are left for a change of standing, which has no version. */
  rounds: number;
}

/** Gossip and exchanges of one host. */
export class Spread {
  readonly #around: Surroundings;
  readonly #hot = new Map<string, Hot>();
  #exchangedAtMs = Number.NEGATIVE_INFINITY;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Whether there is anything to tell. */
  get isHot(): boolean {
    return this.#hot.size > 0;
  }

  /** A host's record has changed here; before, that version of it was known. */
  heat(id: string, fromVersion: number): void {
    const hot = this.#hot.get(id);
    const rounds = this.#rounds();
    if (hot === undefined) this.#hot.set(id, { marks: [fromVersion], rounds });
    else {
      hot.rounds = rounds;
      // It began anew: what was told of its former life is void.
      if (fromVersion < (hot.marks[0] ?? 0)) hot.marks.splice(0, hot.marks.length, fromVersion);
    }
  }

  /** One round of gossip. */
  round(nowMs: number): void {
    const { records, random, send } = this.#around;
    const told: RecordNews[] = [];
    let room: number = groupLimits.messageBytes;
    for (const [id, hot] of this.#hot) {
      const record = records.get(id);
      if (record === undefined) this.#hot.delete(id);
      if (record === undefined) continue;
      const { news, bytes, cut } = record.news(Math.min(hot.marks[0] ?? 0, record.version), nowMs, room);
      // The first one always fits; the others wait for the next round, and then come first.
      if (told.length > 0 && bytes > room) break;
      room -= bytes;
      told.push(news);
      this.#cool(id, hot, record, cut ? news.to : undefined);
    }
    if (told.length === 0) return;
    for (const target of choose(records.others(), groupLimits.fanOut, random))
      send(target, { kind: "news", more: false, records: told });
  }

  /** Tells some hosts about one record at once. */
  announce(record: HostRecord, fromVersion: number, targets: readonly Address[], nowMs: number): void {
    const { news, cut } = record.news(fromVersion, nowMs, groupLimits.messageBytes);
    for (const target of targets) this.#around.send(target, { kind: "news", more: cut, records: [news] });
  }

  /** Somebody answered that knows other things than we do. */
  compare(fingerprint: string, to: Address, nowMs: number): void {
    const { records, times } = this.#around;
    if (fingerprint === records.fingerprint || nowMs - this.#exchangedAtMs < times.exchangeMs) return;
    this.#exchangedAtMs = nowMs;
    this.ask(to);
  }

  /** Begins an exchange: with everybody's line, or with those of some hosts. */
  ask(to: Address, lines?: readonly SummaryLine[]): void {
    const complete = lines === undefined;
    this.#around.send(to, { kind: "summary", complete, lines: lines ?? this.#around.records.summary() });
  }

  /** The line of a host, also of one that is not known: everything about it is new. */
  lineOf(id: string): SummaryLine {
    return this.#around.records.get(id)?.line() ?? { id, incarnation: 0, version: 0, floor: 0, standing: "alive" };
  }

  /** Answers a summary: with what is newer here, and, if it was a complete one, with lines for what is newer there. */
  answer({ lines, complete }: Summary, to: Address, nowMs: number): void {
    const { records, send } = this.#around;
    const wanted: SummaryLine[] = [];
    const given: { record: HostRecord; from: number }[] = [];
    const named = new Set<string>();
    for (const line of lines) {
      named.add(line.id);
      const record = records.get(line.id);
      const order = record === undefined ? -1 : compareLines(record.line(), line);
      if (order < 0) wanted.push(this.lineOf(line.id));
      else if (order > 0 && record !== undefined) given.push({ record, from: record.sinceFor(line) });
    }
    if (complete) for (const record of records.all()) if (!named.has(record.id)) given.push({ record, from: 0 });
    if (given.length > 0) send(to, this.#news(given, nowMs));
    if (complete && wanted.length > 0) this.ask(to, wanted);
  }

  /** Takes news; asks the sender for what is missing. */
  take({ records: told, more }: News, from: Address, nowMs: number): void {
    const { records } = this.#around;
    const gaps: SummaryLine[] = [];
    let applied = false;
    for (const news of told) {
      const outcome = records.merge(news, nowMs);
      if (outcome === "gap") gaps.push(this.lineOf(news.id));
      applied ||= outcome === "applied";
    }
    if (gaps.length > 0) this.ask(from, gaps);
    // Where nothing was of use, asking again would bring the same.
    else if (more && applied) this.ask(from);
  }

  #news(given: readonly { record: HostRecord; from: number }[], nowMs: number): News {
    const told: RecordNews[] = [];
    let room: number = groupLimits.messageBytes;
    for (const { record, from } of given) {
      const { news, bytes, cut } = record.news(from, nowMs, room);
      if (told.length > 0 && bytes > room) return { kind: "news", more: true, records: told };
      told.push(news);
      room -= bytes;
      if (cut) return { kind: "news", more: true, records: told };
    }
    return { kind: "news", more: false, records: told };
  }

  /** One round less for what has just been told; `cutAt`: so far, and no further, it fitted. */
  #cool(id: string, hot: Hot, record: HostRecord, cutAt: number | undefined): void {
    this.#hot.delete(id);
    if (cutAt !== undefined) {
      hot.marks.splice(0, hot.marks.length, cutAt);
    } else {
      hot.rounds -= 1;
      hot.marks.push(record.version);
      if (hot.marks.length > this.#rounds()) hot.marks.shift();
      if (hot.rounds <= 0 && hot.marks[0] === record.version) return;
    }
    // Back to the end: those that found no room come first.
    this.#hot.set(id, hot);
  }

  /** So many that all but one host in thousands are told; exchanges reach that one. */
  #rounds(): number {
    return 1 + Math.ceil(Math.log10(this.#around.records.size + 1));
  }
}

/** Which of two lines about a host is the later one: above 0, the first. */
function compareLines(one: SummaryLine, other: SummaryLine): number {
  return (
    one.incarnation - other.incarnation ||
    one.version - other.version ||
    standingRank[one.standing] - standingRank[other.standing]
  );
}
