/**
 * The fast way in: JSON events → encoded protobuf events, bytes to bytes, in one pass and without values in between.
 *
 * Each method says whether it could; false means "look at it with reader.ts and the schemas", which then either take it
 * too, or refuse it with a reason. A property test holds that both ways give the same events.
 */
import { limits } from "../../limits.ts";
import {
  ATTRIBUTES,
  CONTENT_TYPE,
  DATA,
  DATA_BASE64,
  DELIVER_BY,
  fieldOf,
  ID,
  isAttributeName,
  KEY,
  PRIORITY,
  SOURCE,
  SUBJECT,
  TIME,
  TTL,
  TYPE,
} from "./event-fields.ts";
import { FieldWriter, varintBytes } from "./field-writer.ts";
import { JSON_MEDIA_TYPE, mediaForm } from "./media.ts";
import { BRACE_CLOSE, BRACE_OPEN, bytesOf, COLON, COMMA, QUOTE, skipValue } from "./scan.ts";

/** Tags of Event, schemas/sluice/v1/event.proto: field number × 8 + wire type. */
const TAG_ID = 0x0a;
const TAG_SOURCE = 0x12;
const TAG_TYPE = 0x1a;
const TAG_SUBJECT = 0x22;
const TAG_TIME = 0x29;
const TAG_PRIORITY = 0x30;
const TAG_DELIVER_BY = 0x39;
const TAG_TTL = 0x40;
const TAG_KEY = 0x4a;
const TAG_ATTRIBUTE = 0x52;
const TAG_CONTENT_TYPE = 0x5a;
const TAG_DATA = 0x62;
/** Tags of a map entry and of Value. */
const TAG_NAME = 0x0a;
const TAG_VALUE = 0x12;
const TAG_BOOLEAN = 0x08;
const TAG_NUMBER = 0x11;
const TAG_TEXT = 0x1a;
const TAG_INTEGER = 0x20;

/** Integers up to this are doubled without leaving the exact ones. */
const ZIGZAG_MAX = 0xf_ffff_ffff_ffff;

const jsonMediaType = bytesOf(JSON_MEDIA_TYPE);
/**
 * Writes events into `out` as fields of a Publish.
 *
 *   1A │ size │ members in the order of the text … │ 62 │ size │ data
 *        ▲ as many bytes as the last event took; moved by a few bytes where this one differs
 *
 * `data` comes last, because the media type that says what it means may stand behind it. All else is written where it is
 * read, since the order of protobuf fields carries no meaning.
 */
export class EventWriter extends FieldWriter {
  /** Containers around a member of the event, for the limit of nesting. */
  depth = 0;
  /** Bytes that the size of the last event took: the best guess for the next. */
  #sizeBytes = 1;
  #mediaType = "";
  /** Names of the attributes of this event, as [at, end) of `out`. */
  readonly #names = new Int32Array(2 * limits.attributes);

  /** Reads one event and writes it as a length-delimited field with `tag`. */
  event(tag: number): boolean {
    const guess = this.#sizeBytes;
    const start = this.to + 1;
    this.out[this.to] = tag;
    this.to = start + guess;
    if (!this.#members()) return false;
    const size = this.to - start - guess;
    const sizeBytes = varintBytes(size);
    if (sizeBytes !== guess) {
      this.out.copyWithin(start + sizeBytes, start + guess, this.to);
      this.#sizeBytes = sizeBytes;
    }
    this.to = start;
    this.varint(size);
    this.to += size;
    return true;
  }

  /** The object of one event, from its opening to its closing brace. */
  #members(): boolean {
    if (!this.takes(BRACE_OPEN)) return false;
    this.#mediaType = "";
    let seen = 0;
    let dataAt = 0;
    let dataEnd = 0;
    let more = !this.takes(BRACE_CLOSE);
    while (more) {
      this.space();
      if (!this.readText()) return false;
      const field = fieldOf(this);
      if (field < 0 || (seen & (1 << field)) !== 0 || !this.takes(COLON)) return false;
      seen |= 1 << field;
      this.space();
      if (field === DATA) {
        dataAt = this.at;
        dataEnd = skipValue(this.input, dataAt, this.end, this.depth);
        if (dataEnd < 0) return false;
        this.at = dataEnd;
      } else if (!this.#field(field)) return false;
      more = this.takes(COMMA);
      if (!more && !this.takes(BRACE_CLOSE)) return false;
    }
    const twice = (1 << DATA) | (1 << DATA_BASE64);
    const deadlines = (1 << DELIVER_BY) | (1 << TTL);
    if ((seen & (1 << TYPE)) === 0 || (seen & twice) === twice || (seen & deadlines) === deadlines) return false;
    // The media type may come after the payload that it rules.
    return dataAt === 0 || this.#data(dataAt, dataEnd);
  }

  /** The value of one member other than `data`. */
  #field(field: number): boolean {
    switch (field) {
      case ID:
        return this.textField(TAG_ID, limits.eventBytes);
      case SOURCE:
        return this.textField(TAG_SOURCE, limits.eventBytes);
      case TYPE:
        return this.textField(TAG_TYPE, limits.typeBytes) && this.textEnd > this.textAt;
      case SUBJECT:
        return this.textField(TAG_SUBJECT, limits.eventBytes);
      case KEY:
        return this.textField(TAG_KEY, limits.keyBytes);
      case CONTENT_TYPE:
        return this.textField(TAG_CONTENT_TYPE, limits.eventBytes) && this.#noteMediaType();
      case TIME:
        return this.momentField(TAG_TIME);
      case DELIVER_BY:
        return this.momentField(TAG_DELIVER_BY);
      case PRIORITY:
        return this.wholeField(TAG_PRIORITY, 9);
      case TTL:
        return this.wholeField(TAG_TTL, limits.durationMs);
      case ATTRIBUTES:
        return this.#attributes();
      default:
        return this.base64Field(TAG_DATA);
    }
  }

  #noteMediaType(): boolean {
    this.#mediaType = this.textIs(jsonMediaType) ? JSON_MEDIA_TYPE : this.textString();
    return true;
  }

  /** The object of attributes; each entry is a field of its own (map<string, Value>). */
  #attributes(): boolean {
    if (!this.takes(BRACE_OPEN)) return false;
    let more = !this.takes(BRACE_CLOSE);
    for (let count = 0; more; count += 1) {
      if (count === limits.attributes) return false;
      this.space();
      if (!this.readText() || !this.#attribute(count)) return false;
      more = this.takes(COMMA);
      if (!more && !this.takes(BRACE_CLOSE)) return false;
    }
    return true;
  }

  /** One map entry; its name has just been read. The size of the entry is known only behind the value: it is patched in. */
  #attribute(count: number): boolean {
    if (!isAttributeName(this.text, this.textAt, this.textEnd)) return false;
    const start = this.to;
    this.to = start + 2;
    this.writeText(TAG_NAME);
    if (!this.#isNew(count, this.to - (this.textEnd - this.textAt), this.to)) return false;
    if (!this.takes(COLON)) return false;
    this.space();
    if (!this.#value()) return false;
    const size = this.to - start - 2;
    this.out[start] = TAG_ATTRIBUTE;
    if (size <= 0x7f) {
      this.out[start + 1] = size;
      return true;
    }
    const sizeBytes = varintBytes(size);
    this.out.copyWithin(start + 1 + sizeBytes, start + 2, this.to);
    this.to = start + 1;
    this.varint(size);
    // The name has moved, and later names are compared with it.
    this.#names[2 * count] = (this.#names[2 * count] as number) + sizeBytes - 1;
    this.#names[2 * count + 1] = (this.#names[2 * count + 1] as number) + sizeBytes - 1;
    this.to += size;
    return true;
  }

  /** Notes the name at [at, end) of `out`; false where it came before. */
  #isNew(count: number, at: number, end: number): boolean {
    const { out } = this;
    const known = this.#names;
    for (let index = 0; index < 2 * count; index += 2) {
      const from = known[index] as number;
      const bytes = (known[index + 1] as number) - from;
      if (bytes !== end - at) continue;
      let same = 0;
      while (same < bytes && out[from + same] === out[at + same]) same += 1;
      if (same === bytes) return false;
    }
    known[2 * count] = at;
    known[2 * count + 1] = end;
    return true;
  }

  /** Field 2 of a map entry: a Value with one kind. */
  #value(): boolean {
    const { out } = this;
    const first = this.input[this.at];
    out[this.to++] = TAG_VALUE;
    if (first === QUOTE) {
      if (!this.readText()) return false;
      const bytes = this.textEnd - this.textAt;
      this.varint(1 + varintBytes(bytes) + bytes);
      this.writeText(TAG_TEXT);
      return true;
    }
    if (first === 0x74 || first === 0x66) {
      const behind = skipValue(this.input, this.at, this.end, 0);
      if (behind < 0) return false;
      this.at = behind;
      out[this.to++] = 2;
      out[this.to++] = TAG_BOOLEAN;
      out[this.to++] = first === 0x74 ? 1 : 0;
      return true;
    }
    return this.readNumber() && this.#numberValue();
  }

  /** A safe integer is `integer`, anything else `number`; see value.ts. */
  #numberValue(): boolean {
    const { out, number } = this;
    if (!Number.isSafeInteger(number)) {
      out[this.to++] = 9;
      out[this.to++] = TAG_NUMBER;
      this.view.setFloat64(this.to, number, true);
      this.to += 8;
      return true;
    }
    if (Math.abs(number) > ZIGZAG_MAX) return this.#wideValue(BigInt(number));
    const zigzag = number < 0 ? -2 * number - 1 : 2 * number;
    out[this.to++] = 1 + varintBytes(zigzag);
    out[this.to++] = TAG_INTEGER;
    this.varint(zigzag);
    return true;
  }

  /** An integer whose zigzag form is beyond 2^53; it takes eight bytes of seven bits. */
  #wideValue(number: bigint): boolean {
    const { out } = this;
    out[this.to++] = 9;
    out[this.to++] = TAG_INTEGER;
    let rest = number < 0n ? -2n * number - 1n : 2n * number;
    for (let count = 0; count < 7; count += 1) {
      out[this.to++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    out[this.to++] = Number(rest);
    return true;
  }

  /** The payload that lies at [at, end) of the text: JSON as it stands, or the content of a string. */
  #data(at: number, end: number): boolean {
    if (this.#mediaType !== "" && mediaForm(this.#mediaType) !== "json") {
      const behind = this.at;
      this.at = at;
      if (!this.readText()) return false;
      this.at = behind;
      this.writeText(TAG_DATA);
      return true;
    }
    this.out[this.to++] = TAG_DATA;
    this.varint(end - at);
    this.copy(this.input, at, end);
    return true;
  }
}
