/**
 * What an SSE `id:` says: a place in the sequence of one channel, opaque to clients, which only ever send it back.
 *
 *   ┌─────────┬────────────┬────────────────────┬─────────┬─────────┐ ┌──────────────┐
 *   │ version │ epoch      │ channel            │ host id │ padding │ │ sequence     │   all of it as base64url
 *   │ 1 byte  │ varint     │ incarnation varint │ ASCII   │ 0–2 × 0 │ │ 6 bytes, BE  │
 *   └─────────┴────────────┴────────────────────┴─────────┴─────────┘ └──────────────┘
 *     the same for all events of a channel, a multiple of 3 bytes      8 characters, written per event
 *
 * Host and epoch make sequences of different cores differ; the incarnation tells a channel from a later one of that name.
 */

/** A place in a channel: everything up to `sequence` is behind it. */
export interface RingPosition {
  /** Id of the host: [a-z0-9]{1,64}. */
  readonly host: string;
  readonly epoch: number;
  /** Incarnation of the channel in that host's life, from 1; 0: that of a pattern, which is a place in no channel. */
  readonly channel: number;
  /** 0: before the first event. Below 2^48: at a million events a second, nine years of one epoch. */
  readonly sequence: number;
}

const VERSION = 1;
/** Characters of the sequence. */
const TAIL = 8;
/** Longest id that is looked at: version, two varints of 2^53, the longest host id, padding, sequence. */
const ID_CHARACTERS_MAX = 124;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const digits = Uint8Array.from(alphabet, (letter) => letter.charCodeAt(0));
const hostPattern = /^[a-z0-9]{1,64}$/;

/** What the ids of one channel begin with. */
export function headOf({ host, epoch, channel }: Omit<RingPosition, "sequence">): string {
  const bytes = [VERSION, ...varint(epoch), ...varint(channel), ...Array.from(host, (letter) => letter.charCodeAt(0))];
  while (bytes.length % 3 !== 0) bytes.push(0);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

/**
 * Writes the end of an id to `to`, where there is room for 8 bytes.
 *
 * @returns The index behind it.
 */
export function writeTail(to: Uint8Array, at: number, sequence: number): number {
  let rest = sequence;
  for (let index = at + TAIL - 1; index >= at; index -= 1) {
    to[index] = digits[rest % 64] as number;
    rest = Math.floor(rest / 64);
  }
  return at + TAIL;
}

/** The id of a position. */
export function idFromPosition(position: RingPosition): string {
  const tail = new Uint8Array(TAIL);
  writeTail(tail, 0, position.sequence);
  return headOf(position) + String.fromCharCode(...tail);
}

/**
 * Reads an id that a client sent back. It is foreign input: whatever is not exactly what we write is no position.
 */
export function positionFromId(id: string): RingPosition | undefined {
  if (id.length > ID_CHARACTERS_MAX || id.length <= TAIL || id.length % 4 !== 0 || !/^[\w-]+$/.test(id))
    return undefined;
  let sequence = 0;
  for (const letter of id.slice(-TAIL)) sequence = sequence * 64 + alphabet.indexOf(letter);
  const head = atob(id.slice(0, -TAIL).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Array.from(head, (letter) => letter.charCodeAt(0));
  if (bytes.shift() !== VERSION) return undefined;
  const epoch = takeVarint(bytes);
  const channel = takeVarint(bytes);
  const host = String.fromCharCode(...bytes).replace(/\0{0,2}$/, "");
  if (epoch === undefined || channel === undefined || !hostPattern.test(host)) return undefined;
  const position = { host, epoch, channel, sequence };
  // One position has one id: what reads alike and is written differently was not written by a host.
  return idFromPosition(position) === id ? position : undefined;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

function takeVarint(bytes: number[]): number | undefined {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes.shift();
    if (byte === undefined) return undefined;
    value += (byte % 128) * scale;
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    if (byte < 128) return value;
  }
}
