/**
 * What hosts of a group say to one another about the group: six messages, as objects. How they travel is not said here.
 *
 * Every message may be lost, doubled, late, or overtaken by later ones. `from` stands on all: it shows who is there, and whether
 * the sender has news about itself.
 */
import { COUNTER_MAX, groupLimits } from "./settings.ts";

/** What a host is taken for. `left` is its own word, `suspect` and `dead` are what others say of it. */
export type Standing = "alive" | "suspect" | "dead" | "left";

/** Of two statements about the same version of a host the one with the higher rank stands, so all end up with the same. */
export const standingRank: Readonly<Record<Standing, number>> = Object.freeze({
  alive: 0,
  suspect: 1,
  dead: 2,
  left: 3,
});

/** Whether that host takes no part any more. */
export function isGone(standing: Standing): boolean {
  return standing === "dead" || standing === "left";
}

/** Where a message goes. The id is absent while only an address is known. */
export interface Address {
  readonly id?: string;
  readonly url: string;
}

/** Who speaks, and how new it is itself. */
export interface Sender {
  readonly id: string;
  readonly url: string;
  readonly incarnation: number;
  readonly version: number;
}

/** Asks for an {@link Ack}. */
export interface Ping {
  readonly kind: "ping";
  /** Says in 16 digits what the sender knows; see {@link Records.fingerprint}. Hosts that know the same show the same. */
  readonly fingerprint: string;
}

/** Answers a {@link Ping}. */
export interface Ack {
  readonly kind: "ack";
  readonly fingerprint: string;
}

/** Asks to ping somebody in the sender's stead. */
export interface Probe {
  readonly kind: "probe";
  readonly host: { readonly id: string; readonly url: string };
}

/** Answers a {@link Probe}: that host has just been heard. */
export interface Vouch {
  readonly kind: "vouch";
  readonly id: string;
}

/** How much the sender knows of one host. */
export interface SummaryLine {
  readonly id: string;
  readonly incarnation: number;
  readonly version: number;
  readonly floor: number;
  readonly standing: Standing;
}

/** Asks for whatever is newer than the lines. */
export interface Summary {
  readonly kind: "summary";
  /** Whether these are all hosts that the sender knows: then it also wants those that are missing, and gives what it has. */
  readonly complete: boolean;
  readonly lines: readonly SummaryLine[];
}

/** One entry on its way. */
export interface EntryNews {
  readonly key: string;
  /** Absent: the entry has been removed. */
  readonly value?: string;
  readonly version: number;
  /** How long ago its owner wrote it, as far as known: each host adds how long it has held it. Clocks need not agree. */
  readonly ageMs: number;
}

/** What is new about one host: all entries of versions after `from` up to `to`. */
export interface RecordNews {
  readonly id: string;
  readonly url: string;
  readonly incarnation: number;
  /** By the clock of that host: all compare the same number, so nobody's clock need be right. */
  readonly joinedAtMs: number;
  readonly standing: Standing;
  /** How long it has been gone; means nothing otherwise. */
  readonly standingAgeMs: number;
  readonly from: number;
  readonly to: number;
  /** Removed entries up to this version are not told any more. */
  readonly floor: number;
  readonly entries: readonly EntryNews[];
}

/** Tells what is new. */
export interface News {
  readonly kind: "news";
  /** Whether there was more than would fit: whoever has made use of this asks again. */
  readonly more: boolean;
  readonly records: readonly RecordNews[];
}

/** Any of them, without its sender. */
export type Body = Ping | Ack | Probe | Vouch | Summary | News;

/** A message. */
export type Message = { readonly from: Sender } & Body;

/** A message that is to be sent. */
export interface Outgoing {
  readonly to: Address;
  readonly message: Message;
}

const isCounter = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= COUNTER_MAX;
const isAge = (value: number): boolean => Number.isFinite(value) && value >= 0;
const isId = (value: string): boolean => /^[a-z0-9]{1,64}$/.test(value);
const isUrl = (value: string): boolean => value.length > 0 && value.length <= groupLimits.urlBytes;

/**
 * Says what is wrong with a message whose fields have the right types: numbers out of range, names that cannot be, too much of
 * anything.
 *
 * @returns The first fault, naming field and value; undefined for a sound message.
 */
export function faultOf(message: Message): string | undefined {
  const { from } = message;
  if (!isId(from.id)) return `from.id is "${shown(from.id)}"`;
  if (!isUrl(from.url)) return `from.url is "${shown(from.url)}"`;
  if (!isCounter(from.incarnation) || !isCounter(from.version)) return "from has counters out of range";
  if (message.kind === "ping" || message.kind === "ack")
    return /^[0-9a-f]{16}$/.test(message.fingerprint) ? undefined : `fingerprint is "${shown(message.fingerprint)}"`;
  if (message.kind === "probe")
    return isId(message.host.id) && isUrl(message.host.url) ? undefined : `host is "${shown(message.host.id)}"`;
  if (message.kind === "vouch") return isId(message.id) ? undefined : `id is "${shown(message.id)}"`;
  if (message.kind === "summary") {
    if (message.lines.length > groupLimits.hosts) return `lines are ${message.lines.length}`;
    return firstFault(message.lines, faultOfLine, "lines");
  }
  if (message.records.length > groupLimits.hosts) return `records are ${message.records.length}`;
  return firstFault(message.records, faultOfRecord, "records");
}

function faultOfLine({ id, incarnation, version, floor }: SummaryLine): string | undefined {
  if (!isId(id)) return `id is "${shown(id)}"`;
  return [incarnation, version, floor].every(isCounter) ? undefined : "counters out of range";
}

function faultOfRecord(record: RecordNews): string | undefined {
  const { id, url, incarnation, from, to, floor, entries } = record;
  if (!isId(id)) return `id is "${shown(id)}"`;
  if (!isUrl(url)) return `url is "${shown(url)}"`;
  if (![incarnation, from, to, floor].every(isCounter) || from > to || floor > COUNTER_MAX)
    return "counters out of range";
  if (!isAge(record.standingAgeMs) || !Number.isFinite(record.joinedAtMs)) return "times out of range";
  if (entries.length > groupLimits.entries) return `entries are ${entries.length}`;
  let last = from;
  for (const { key, value, version, ageMs } of entries) {
    if (key.length === 0 || key.length > groupLimits.keyBytes) return `a key of ${key.length} characters`;
    if (value !== undefined && value.length > groupLimits.valueBytes) return `a value of ${value.length} characters`;
    // Rising: what is cut off is always the newest, so that the rest has no holes.
    if (!(version > last && version <= to)) return `version ${version} of "${shown(key)}" after ${last}, up to ${to}`;
    if (!isAge(ageMs)) return `age ${ageMs} of "${shown(key)}"`;
    last = version;
  }
  return undefined;
}

function firstFault<Value>(
  values: readonly Value[],
  fault: (value: Value) => string | undefined,
  name: string,
): string | undefined {
  for (const [index, value] of values.entries()) {
    const found = fault(value);
    if (found !== undefined) return `${name}[${index}]: ${found}`;
  }
  return undefined;
}

/** What a stranger wrote, short enough for a log. */
function shown(value: string): string {
  return value.slice(0, 64);
}
