// The control of `mailbox`: an ordered inbox as one writes it in plain TypeScript, with a binary heap, doing what the core is asked for.
//
// Both sides take the same publish frames, find each event and its priority and time to live, keep it as the frame in which it will be
// delivered, copy those that leave next into the buffer of the socket, and count for each channel whether they are in time. What it leaves
// out (credit, quotas, matching, other types of events, partial input, a bound on memory) speaks for it.
import { assertAscii } from "./control.mjs";

const SLAB_BYTES = 262_144;
/** A slab is left behind when less than this is free: larger than any event here. */
const MARGIN_BYTES = 1_024;
const PRIORITY_DEFAULT = 4;
const EVENT_SOURCE = 2;
const EVENT_TYPE = 3;
const EVENT_PRIORITY = 6;
const PRIORITY_MAX = 9;
const EVENT_TTL = 8;

/** @param {number} value */
const varintBytes = (value) => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4);

/** @typedef {{ channel: number, priority: number, deadline: number, arrival: number, slab: Buffer, from: number, to: number }} Entry */

/**
 * Whether one entry leaves before another: the higher priority, then the earlier deadline, then what came first.
 *
 * @param {Entry} one @param {Entry} other
 */
const before = (one, other) =>
  one.priority !== other.priority
    ? one.priority > other.priority
    : one.deadline !== other.deadline
      ? one.deadline < other.deadline
      : one.arrival < other.arrival;

/** The inbox. */
export class MailboxControl {
  /** @type {Entry[]} */ #heap = [];
  // Entries refer to what they are part of, so a slab is garbage when the last of them has left: no list of free ones to keep.
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #end = 0;
  #arrivals = 0;
  #at = 0;
  /** By channel. @type {Map<number, { met: number, missed: number }>} */ #accounts = new Map();

  /** Takes whole size-delimited publish frames. @param {Buffer} bytes @param {number} to @param {number} now ms. */
  ingest(bytes, to, now) {
    this.#at = 0;
    while (this.#at < to) {
      const frameEnd = this.#varint(bytes) + this.#at;
      if (frameEnd > to || this.#varint(bytes) !== 18) throw new Error("no publish frame");
      const publishEnd = this.#varint(bytes) + this.#at;
      let channel = 0;
      while (this.#at < publishEnd) {
        const key = this.#varint(bytes);
        const value = this.#varint(bytes);
        if (key === 26) this.#event(channel, bytes, this.#at, this.#at + value, now);
        else if (key === 16) channel = value;
      }
    }
  }

  /** @param {Buffer} bytes */
  #varint(bytes) {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = /** @type {number} */ (bytes[this.#at++]);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
      shift += 7;
    }
  }

  /** @param {number} channel @param {Buffer} bytes @param {number} from @param {number} to @param {number} now */
  #event(channel, bytes, from, to, now) {
    let priority = PRIORITY_DEFAULT;
    let deadline = Number.POSITIVE_INFINITY;
    while (this.#at < to) {
      const key = this.#varint(bytes);
      const wire = key & 7;
      if (wire === 1) this.#at += 8;
      else if (wire === 2) {
        const size = this.#varint(bytes);
        const field = key >>> 3;
        if (field === EVENT_SOURCE || field === EVENT_TYPE) assertAscii(bytes, this.#at, this.#at + size);
        this.#at += size;
      } else if (wire === 0) {
        const value = this.#varint(bytes);
        if (key >>> 3 === EVENT_PRIORITY) priority = value;
        else if (key >>> 3 === EVENT_TTL) deadline = now + value;
      } else throw new Error("unknown wire type");
    }
    if (this.#at !== to || priority > PRIORITY_MAX) throw new Error("malformed event");
    const arrival = this.#arrivals++;
    const slab = this.#room();
    const start = this.#end;
    this.#store(slab, bytes, from, to, arrival);
    this.#push({ channel, priority, deadline, arrival, slab, from: start, to: this.#end });
  }

  #room() {
    if (this.#end + MARGIN_BYTES > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#end = 0;
    }
    return this.#slab;
  }

  /** Writes the frame that delivers an event. @param {Buffer} slab @param {Buffer} bytes @param {number} from @param {number} to @param {number} sequence */
  #store(slab, bytes, from, to, sequence) {
    const event = to - from;
    const delivery = 2 + 1 + varintBytes(sequence) + 1 + varintBytes(event) + event;
    this.#put(slab, 1 + varintBytes(1 + varintBytes(delivery) + delivery) + 1 + varintBytes(delivery) + delivery);
    slab[this.#end++] = 10;
    this.#put(slab, 1 + varintBytes(delivery) + delivery);
    slab[this.#end++] = 10;
    this.#put(slab, delivery);
    slab[this.#end++] = 8;
    slab[this.#end++] = 1;
    slab[this.#end++] = 16;
    this.#put(slab, sequence);
    slab[this.#end++] = 26;
    this.#put(slab, event);
    bytes.copy(slab, this.#end, from, to);
    this.#end += event;
  }

  /** @param {Buffer} slab @param {number} value */
  #put(slab, value) {
    while (value >= 128) {
      slab[this.#end++] = (value & 127) | 128;
      value >>>= 7;
    }
    slab[this.#end++] = value;
  }

  /** @param {Entry} entry */
  #push(entry) {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = /** @type {Entry} */ (heap[(place - 1) >> 1]);
      if (!before(entry, parent)) break;
      heap[place] = parent;
      place = (place - 1) >> 1;
    }
    heap[place] = entry;
  }

  /** Copies those that leave next. @param {number} count @param {Buffer} out @param {number} now ms. @returns {number} Bytes. */
  drain(count, out, now) {
    let used = 0;
    for (let n = 0; n < count; n++) {
      const { channel, deadline, slab, from, to } = this.#pop();
      used += slab.copy(out, used, from, to);
      if (deadline !== Number.POSITIVE_INFINITY) this.#count(channel, deadline >= now);
    }
    return used;
  }

  /** @param {number} channel @param {boolean} met */
  #count(channel, met) {
    const account = this.#accounts.get(channel) ?? { met: 0, missed: 0 };
    if (met) account.met++;
    else account.missed++;
    if (account.met + account.missed === 1) this.#accounts.set(channel, account);
  }

  #pop() {
    const heap = this.#heap;
    const first = /** @type {Entry} */ (heap[0]);
    const last = /** @type {Entry} */ (heap.pop());
    if (heap.length === 0) return first;
    let place = 0;
    for (let child = 1; child < heap.length; child = place * 2 + 1) {
      const right = heap[child + 1];
      if (right !== undefined && before(right, /** @type {Entry} */ (heap[child]))) child++;
      const best = /** @type {Entry} */ (heap[child]);
      if (!before(best, last)) break;
      heap[place] = best;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}
