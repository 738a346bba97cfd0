/**
 * Attributes on the fast way out: the entries of `map<string, Value>` → one JSON object.
 *
 * What no encoder of ours writes (a name twice, a value with two kinds, its parts in another order) goes the slow way.
 */
import { limits } from "../../limits.ts";
import type { FieldReader } from "./proto.ts";
import { bytesOf } from "./scan.ts";
import type { Sink } from "./sink.ts";

/** Tags of a map entry and of Value, schemas/sluice/v1/event.proto. */
const TAG_NAME = 0x0a;
const TAG_VALUE = 0x12;
const TAG_BOOLEAN = 0x08;
const TAG_NUMBER = 0x11;
const TAG_TEXT = 0x1a;
const TAG_INTEGER = 0x20;

const words = { true: bytesOf("true"), false: bytesOf("false") };
/** Room for a number or a word, and punctuation. */
const SMALL_BYTES = 64;

/** A double on its way from bytes; cheaper than a view of the source for each. */
const doubleBytes = new Uint8Array(8);
const doubleView = new DataView(doubleBytes.buffer);

/** Gathers the entries of one event while it is scanned, and then writes them. */
export class AttributesRenderer {
  /** Entries gathered. */
  count = 0;
  /** [at, end) of the entries, then of their names. */
  readonly #entries = new Int32Array(2 * limits.attributes);
  readonly #names = new Int32Array(2 * limits.attributes);

  /** Begins with a new event. */
  start(): void {
    this.count = 0;
  }

  /** Gathers the entry at [at, end); false where there are too many. */
  add(at: number, end: number): boolean {
    if (this.count === limits.attributes) return false;
    this.#entries[2 * this.count] = at;
    this.#entries[2 * this.count + 1] = end;
    this.count += 1;
    return true;
  }

  /**
   * Writes them as a JSON object.
   *
   * @returns How many; -1 for what goes the slow way. Only where it is above 0 has something whole been written.
   */
  write(sink: Sink, reader: FieldReader): number {
    sink.room(1);
    sink.bytes[sink.at++] = 0x7b;
    let written = 0;
    for (let index = 0; index < this.count; index += 1) {
      const outcome = this.#attribute(sink, reader, index, written);
      if (outcome < 0) return -1;
      written += outcome;
    }
    sink.room(1);
    sink.bytes[sink.at++] = 0x7d;
    return written;
  }

  /** Writes one attribute. Returns 1, 0 for a value that JSON has no word for, -1 for what goes the slow way. */
  #attribute(sink: Sink, reader: FieldReader, index: number, written: number): number {
    const { bytes } = reader;
    reader.at = this.#entries[2 * index] as number;
    const end = this.#entries[2 * index + 1] as number;
    // As every encoder writes an entry: name, then value, each once, the value with one kind.
    if (reader.varint() !== TAG_NAME) return -1;
    const nameBytes = reader.varint();
    const nameAt = reader.at;
    reader.at += nameBytes;
    if (!this.#isNew(bytes, index, nameAt, reader.at) || reader.varint() !== TAG_VALUE) return -1;
    const size = reader.varint();
    if (reader.failed || reader.at + size !== end) return -1;
    const start = sink.at;
    sink.room(SMALL_BYTES + nameBytes);
    if (written > 0) sink.bytes[sink.at++] = 0x2c;
    sink.text(bytes, nameAt, nameAt + nameBytes);
    sink.room(1);
    sink.bytes[sink.at++] = 0x3a;
    const outcome = scalarInto(sink, reader, end);
    if (outcome <= 0) sink.at = start;
    return outcome;
  }

  /** Notes the name of an entry; false where it came before. */
  #isNew(bytes: Uint8Array, count: number, at: number, end: number): boolean {
    const known = this.#names;
    for (let index = 0; index < 2 * count; index += 2) {
      const from = known[index] as number;
      const size = (known[index + 1] as number) - from;
      if (size !== end - at) continue;
      let same = 0;
      while (same < size && bytes[from + same] === bytes[at + same]) same += 1;
      if (same === size) return false;
    }
    known[2 * count] = at;
    known[2 * count + 1] = end;
    return true;
  }
}

/** Writes one value that ends at `end`. Returns as #attribute(). */
function scalarInto(sink: Sink, reader: FieldReader, end: number): number {
  sink.room(SMALL_BYTES);
  let outcome = 1;
  switch (reader.varint()) {
    case TAG_BOOLEAN: {
      const value = reader.varint();
      sink.ascii(value === 0 ? words.false : words.true);
      break;
    }
    case TAG_NUMBER:
      outcome = numberInto(sink, reader);
      break;
    case TAG_TEXT: {
      const size = reader.varint();
      sink.text(reader.bytes, reader.at, reader.at + size);
      reader.at += size;
      break;
    }
    case TAG_INTEGER: {
      const zigzag = reader.varint();
      if (zigzag % 2 === 1) sink.bytes[sink.at++] = 0x2d;
      sink.whole(zigzag % 2 === 1 ? (zigzag + 1) / 2 : zigzag / 2);
      break;
    }
    default:
      return -1;
  }
  return reader.failed || reader.at !== end ? -1 : outcome;
}

function numberInto(sink: Sink, reader: FieldReader): number {
  for (let index = 0; index < 8; index += 1) doubleBytes[index] = reader.bytes[reader.at++] as number;
  const number = doubleView.getFloat64(0, true);
  if (!Number.isFinite(number)) return 0;
  sink.latin(String(number));
  return 1;
}
