// The control: the core's way of a plain event in plain JavaScript, line for line the same job and nothing besides.
//
// Publish frames are parsed in one pass, structure and ASCII checked, each event stored once as the frame in which it will
// be delivered, sinks hold (offset, bytes) runs that grow, drain copies runs. It lacks credit, quotas, keys, deadlines,
// partial input: what it leaves out speaks for it, not for the core.

const LOG_BYTES = 16 << 20;
/** The log begins anew when less than this is left: the largest event fits. */
const LOG_MARGIN_BYTES = 2 << 20;
const RUNS_MAX = 65_536;

const EVENT_SOURCE = 2;
const EVENT_TYPE = 3;

/** @param {number} value */
const varintBytes = (value) => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4);

class Sink {
  runs = new Int32Array(RUNS_MAX * 2);
  count = 0;
  /** @param {Uint8Array | null} type The only type wanted; null: any. */
  constructor(type) {
    this.type = type;
  }
}

export class Control {
  #log = new Uint8Array(LOG_BYTES);
  #end = 0;
  #sequence = 0;
  #at = 0;
  /** @type {Sink[]} */ #sinks;

  /** @param {readonly (Uint8Array | null)[]} types One entry per sink: the type it wants, null for any. */
  constructor(types) {
    this.#sinks = types.map((type) => new Sink(type));
  }

  /** Takes whole size-delimited publish frames. @param {Uint8Array} bytes @param {number} at @param {number} to */
  ingest(bytes, at, to) {
    this.#at = at;
    while (this.#at < to) {
      const frameEnd = this.#varint(bytes) + this.#at;
      if (frameEnd > to || this.#varint(bytes) !== 18) throw new Error("no publish frame");
      const publishEnd = this.#varint(bytes) + this.#at;
      while (this.#at < publishEnd) {
        const key = this.#varint(bytes);
        const value = this.#varint(bytes);
        if (key !== 26) continue;
        this.#event(bytes, this.#at, this.#at + value);
        this.#at += value;
      }
    }
  }

  /** @param {Uint8Array} bytes */
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

  /** @param {Uint8Array} bytes @param {number} from @param {number} to */
  #event(bytes, from, to) {
    let typeAt = 0;
    let typeBytes = 0;
    const resume = this.#at;
    while (this.#at < to) {
      const key = this.#varint(bytes);
      const wire = key & 7;
      if (wire === 1) this.#at += 8;
      else if (wire === 0) this.#varint(bytes);
      else if (wire === 2) {
        const size = this.#varint(bytes);
        const field = key >>> 3;
        if (field === EVENT_TYPE) {
          typeAt = this.#at;
          typeBytes = size;
        }
        if (field === EVENT_SOURCE || field === EVENT_TYPE) assertAscii(bytes, this.#at, this.#at + size);
        this.#at += size;
      } else throw new Error("unknown wire type");
    }
    if (this.#at !== to || typeBytes === 0) throw new Error("malformed event");
    this.#at = resume;
    this.#store(bytes, from, to, typeAt, typeBytes);
  }

  /** @param {Uint8Array} bytes @param {number} from @param {number} to @param {number} typeAt @param {number} typeBytes */
  #store(bytes, from, to, typeAt, typeBytes) {
    const log = this.#log;
    if (this.#end + LOG_MARGIN_BYTES > LOG_BYTES) this.#end = 0;
    const start = this.#end;
    const sequence = ++this.#sequence;
    const event = to - from;
    const delivery = 2 + 1 + varintBytes(sequence) + 1 + varintBytes(event) + event;
    const deliver = 1 + varintBytes(delivery) + delivery;
    let at = this.#put(start, 1 + varintBytes(deliver) + deliver);
    log[at++] = 10;
    at = this.#put(at, deliver);
    log[at++] = 10;
    at = this.#put(at, delivery);
    log[at++] = 8;
    log[at++] = 1;
    log[at++] = 16;
    at = this.#put(at, sequence);
    log[at++] = 26;
    at = this.#put(at, event);
    log.set(bytes.subarray(from, to), at);
    this.#end = at + event;
    for (const sink of this.#sinks) {
      if (sink.type === null || same(bytes, typeAt, typeBytes, sink.type)) push(sink, start, this.#end - start);
    }
  }

  /** @param {number} at @param {number} value @returns {number} Where the varint ends. */
  #put(at, value) {
    while (value >= 128) {
      this.#log[at++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.#log[at++] = value;
    return at;
  }

  /** Copies what waits for a sink. @param {number} index @param {Uint8Array} out @returns {number} Bytes. */
  drain(index, out) {
    const sink = /** @type {Sink} */ (this.#sinks[index]);
    let written = 0;
    for (let run = 0; run < sink.count; run++) {
      const start = /** @type {number} */ (sink.runs[run * 2]);
      const bytes = /** @type {number} */ (sink.runs[run * 2 + 1]);
      out.set(this.#log.subarray(start, start + bytes), written);
      written += bytes;
    }
    sink.count = 0;
    return written;
  }
}

/** Adds to the last run where the new frame follows it. @param {Sink} sink @param {number} start @param {number} bytes */
function push(sink, start, bytes) {
  const last = (sink.count - 1) * 2;
  if (
    sink.count > 0 &&
    /** @type {number} */ (sink.runs[last]) + /** @type {number} */ (sink.runs[last + 1]) === start
  ) {
    sink.runs[last + 1] = /** @type {number} */ (sink.runs[last + 1]) + bytes;
    return;
  }
  sink.runs[last + 2] = start;
  sink.runs[last + 3] = bytes;
  sink.count++;
}

/** Throws where a byte is none of ASCII. @param {Uint8Array} bytes @param {number} from @param {number} to */
export function assertAscii(bytes, from, to) {
  for (let i = from; i < to; i++) if (/** @type {number} */ (bytes[i]) > 127) throw new Error("not ASCII");
}

/** @param {Uint8Array} bytes @param {number} at @param {number} size @param {Uint8Array} wanted */
function same(bytes, at, size, wanted) {
  if (size !== wanted.length) return false;
  for (let i = 0; i < size; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
