/**
 * What is known of one host: its standing, and the entries that it, and nobody else, writes.
 *
 * Every change gets the next version. Entries lie in the order of their versions, so "what is new since 17" is the end of the
 * list, and a copy that has everything up to 17 has no holes.
 */
import { bytesFromText } from "../check.ts";
import { type EntryNews, isGone, type RecordNews, type Standing, type SummaryLine } from "./message.ts";
import { groupLimits } from "./settings.ts";

/** One entry. */
export interface Entry {
  readonly key: string;
  /** Undefined: removed, and kept so that others hear of it. */
  readonly value: string | undefined;
  readonly version: number;
  /** When its owner wrote it, by our own clock. */
  readonly setAtMs: number;
}

/** What a message needs beside texts: numbers, tags, the sender; rounded up. */
const ENTRY_OVERHEAD_BYTES = 32;
const RECORD_OVERHEAD_BYTES = 128;

/** Bytes that an entry takes in a message and counts against its host. */
export function entryBytes({ key, value }: { readonly key: string; readonly value?: string | undefined }): number {
  return ENTRY_OVERHEAD_BYTES + textBytes(key) + (value === undefined ? 0 : textBytes(value));
}

/** Bytes of UTF-8; lone surrogates, which it cannot say, count as what is put in their place. */
function textBytes(text: string): number {
  return bytesFromText(text)?.length ?? text.length * 3;
}

/** One host as another one knows it, or as it knows itself. */
export class HostRecord {
  readonly id: string;
  url: string;
  /** Counts the lives of that host: larger after each start. */
  incarnation: number;
  joinedAtMs: number;
  /** Of the newest change that is known. */
  version = 0;
  /** Removals up to this version have been forgotten by their owner; who is older and did not hear of them starts over. */
  floor = 0;
  standing: Standing = "alive";
  /** Since when, by our own clock. */
  standingAtMs: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(id: string, url: string, incarnation: number, joinedAtMs: number, nowMs: number) {
    this.id = id;
    this.url = url;
    this.incarnation = incarnation;
    this.joinedAtMs = joinedAtMs;
    this.standingAtMs = nowMs;
  }

  /** Whether it takes part: suspects do, until they are dead. */
  get isLive(): boolean {
    return !isGone(this.standing);
  }

  /** Entries, removed ones included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** All entries, oldest change first; removed ones included. */
  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** Takes an entry, unless its present version is as new. @returns Whether it was taken. */
  put(entry: Entry): boolean {
    const present = this.#entries.get(entry.key);
    if (present !== undefined && present.version >= entry.version) return false;
    this.#drop(entry.key);
    this.#entries.set(entry.key, entry);
    this.#bytes += entryBytes(entry);
    return true;
  }

  /** Whether an entry of that size may be added or take the place of the present one. */
  hasRoom(entry: { readonly key: string; readonly value?: string | undefined }): boolean {
    const present = this.#entries.get(entry.key);
    const bytes = this.#bytes + entryBytes(entry) - (present === undefined ? 0 : entryBytes(present));
    const size = this.#entries.size + (present === undefined ? 1 : 0);
    return size <= groupLimits.entries && bytes <= groupLimits.recordBytes;
  }

  /** Forgets removals up to `floor`. */
  raiseFloor(floor: number): void {
    if (floor <= this.floor) return;
    this.floor = floor;
    for (const { key, value, version } of this.#entries.values()) {
      if (version > floor) break;
      if (value === undefined) this.#drop(key);
    }
  }

  /** Forgets all entries. @returns What was there and not removed. */
  clear(): Entry[] {
    const had = [...this.#entries.values()].filter(({ value }) => value !== undefined);
    this.#entries.clear();
    this.#bytes = 0;
    this.version = 0;
    this.floor = 0;
    return had;
  }

  line(): SummaryLine {
    const { id, incarnation, version, floor, standing } = this;
    return { id, incarnation, version, floor, standing };
  }

  /** The version from which somebody with that line must be told; 0 where it has to start over. */
  sinceFor(line: SummaryLine): number {
    if (line.incarnation !== this.incarnation) return 0;
    return line.version < this.floor && line.floor < this.floor ? 0 : Math.min(line.version, this.version);
  }

  /**
   * What is new since a version, as much as fits.
   *
   * @param room Bytes; the first entry is told even if it is larger.
   * @returns `bytes`: how many it takes; `cut`: whether there is more.
   */
  news(from: number, nowMs: number, room: number): { news: RecordNews; bytes: number; cut: boolean } {
    const entries: EntryNews[] = [];
    let bytes = RECORD_OVERHEAD_BYTES + this.url.length;
    let cut = false;
    // Nothing newer than the newest: the usual case when only the standing is told.
    const list = from < this.version ? this.#entries.values() : [];
    for (const entry of list) {
      if (entry.version <= from) continue;
      bytes += entryBytes(entry);
      if (entries.length > 0 && bytes > room) {
        cut = true;
        break;
      }
      const { key, value, version } = entry;
      const told = { key, version, ageMs: Math.max(0, nowMs - entry.setAtMs) };
      entries.push(value === undefined ? told : { ...told, value });
    }
    const { id, url, incarnation, joinedAtMs, standing, floor } = this;
    const to = cut ? (entries.at(-1)?.version ?? from) : this.version;
    const standingAgeMs = this.isLive ? 0 : Math.max(0, nowMs - this.standingAtMs);
    return {
      news: { id, url, incarnation, joinedAtMs, standing, standingAgeMs, from, to, floor, entries },
      bytes,
      cut,
    };
  }

  #drop(key: string): void {
    const present = this.#entries.get(key);
    if (present === undefined) return;
    this.#bytes -= entryBytes(present);
    this.#entries.delete(key);
  }
}
