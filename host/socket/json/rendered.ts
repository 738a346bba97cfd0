/**
 * Rendered events kept for further sinks: what one sink was sent as JSON is copied for the next.
 *
 * An entry is found by channel and sequence. A channel that was removed gives its number back, so the event's size and
 * some of its bytes must agree too, and whoever removes a channel calls clear(). Text lies in one ring; what the ring has
 * overwritten is not found any more.
 */

/** Finds and keeps texts by (channel, sequence) within one epoch. */
export class RenderedEvents {
  readonly #mask: number;
  readonly #bytes: number;
  /** Made at the first use: hosts without JSON sessions need none. */
  #ring: Uint8Array = new Uint8Array(0);
  readonly #channels: Uint32Array;
  readonly #sequences: Float64Array;
  readonly #prints: Uint32Array;
  readonly #sizes: Uint32Array;
  /** Where a text begins, counted since the beginning and not modulo the ring. */
  readonly #starts: Float64Array;
  #head = 0;

  /**
   * @param entries A power of two.
   * @param bytes Of the ring; texts above a quarter of it are not kept.
   */
  constructor(entries: number, bytes: number) {
    this.#mask = entries - 1;
    this.#bytes = bytes;
    this.#channels = new Uint32Array(entries);
    this.#sequences = new Float64Array(entries);
    this.#prints = new Uint32Array(entries);
    this.#sizes = new Uint32Array(entries);
    this.#starts = new Float64Array(entries);
  }

  /** The ring, in which a found text lies. */
  get ring(): Uint8Array {
    return this.#ring;
  }

  /** Forgets everything. */
  clear(): void {
    this.#channels.fill(0);
  }

  /** Slot of a text, or -1. Its place and size are then told by at() and size(). */
  find(channel: number, sequence: number, print: number): number {
    const slot = this.#slot(channel, sequence);
    const known =
      this.#channels[slot] === channel && this.#sequences[slot] === sequence && this.#prints[slot] === print;
    return known && (this.#starts[slot] as number) >= this.#head - this.#bytes ? slot : -1;
  }

  /** Where in the ring the text of a slot begins. */
  at(slot: number): number {
    return (this.#starts[slot] as number) % this.#bytes;
  }

  /** Bytes of the text of a slot. */
  size(slot: number): number {
    return this.#sizes[slot] as number;
  }

  /** Keeps [from, end) of `text`. Channel numbers begin at 1. */
  keep(channel: number, sequence: number, print: number, text: Uint8Array, from: number, end: number): void {
    const size = end - from;
    if (size > this.#bytes / 4) return;
    if (this.#ring.length === 0) this.#ring = new Uint8Array(this.#bytes);
    let start = this.#head;
    // A text does not wrap: the rest of the ring is left empty.
    if ((start % this.#bytes) + size > this.#bytes) start += this.#bytes - (start % this.#bytes);
    this.#ring.set(text.subarray(from, end), start % this.#bytes);
    this.#head = start + size;
    const slot = this.#slot(channel, sequence);
    this.#channels[slot] = channel;
    this.#sequences[slot] = sequence;
    this.#prints[slot] = print;
    this.#sizes[slot] = size;
    this.#starts[slot] = start;
  }

  /** Events that follow one another lie side by side; channels are spread. */
  #slot(channel: number, sequence: number): number {
    return (sequence + Math.imul(channel, 0x9e37_79b1)) & this.#mask;
  }
}

/**
 * A number that differs for most events that differ: their size, their first and their last bytes, where the fields that
 * the core appends (the moment of acceptance) lie.
 */
export function printOf(bytes: Uint8Array, at: number, end: number): number {
  const size = end - at;
  let print = size;
  const step = size < 24 ? 1 : size >> 4;
  for (let index = at; index < end; index += step) print = (Math.imul(print, 31) + (bytes[index] as number)) | 0;
  for (let index = Math.max(at, end - 8); index < end; index += 1)
    print = (Math.imul(print, 31) + (bytes[index] as number)) | 0;
  return print >>> 0;
}
