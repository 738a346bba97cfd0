/**
 * The fast way out: an encoded protobuf Event → JSON text, bytes to bytes, in the order of members of event.ts.
 *
 * What is rare (a number beyond 2^53, a name twice, a year beyond 2255) goes the slow way over protobuf-es; a property
 * test holds that both write the same text.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import { AttributesRenderer } from "./attributes-renderer.ts";
import { treeFromEvent } from "./event.ts";
import { JSON_MEDIA_TYPE, mediaForm } from "./media.ts";
import { MomentRenderer } from "./moment-renderer.ts";
import { FieldReader } from "./proto.ts";
import { isUtf8 } from "./reader.ts";
import { bytesOf, isJsonValue } from "./scan.ts";
import type { Sink } from "./sink.ts";
import { textFromTree } from "./write.ts";

/** Field numbers of Event, schemas/sluice/v1/event.proto. */
const ID = 1;
const SOURCE = 2;
const TYPE = 3;
const SUBJECT = 4;
const TIME = 5;
const PRIORITY = 6;
const DELIVER_BY = 7;
const TTL = 8;
const KEY = 9;
const ATTRIBUTES = 10;
const CONTENT_TYPE = 11;
const DATA = 12;
const FIELDS = 13;

const texts = [ID, SOURCE, TYPE, SUBJECT];
const names = [
  "",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "priority",
  "deliverBy",
  "ttlMs",
  "key",
  "attributes",
  "dataContentType",
  "data",
].map((name) => bytesOf(`"${name}":`));
const dataBase64 = bytesOf('"dataBase64":');
/** Room for the largest part between two requests for room: a name, a number, punctuation. */
const SMALL_BYTES = 128;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const jsonMediaType = bytesOf(JSON_MEDIA_TYPE);

/** The id of an event that has none of its own. */
export interface DerivedId {
  /** Writes it as a JSON string; there is room for a small value. */
  write(sink: Sink): void;
  text(): string;
}

/** Writes events to a sink. */
export class EventRenderer {
  readonly #reader = new FieldReader();
  /** Where the value of each field begins, -1 where it is absent; the last one counts, as in protobuf. */
  readonly #at = new Int32Array(FIELDS);
  readonly #end = new Int32Array(FIELDS);
  readonly #value = new Float64Array(FIELDS);
  readonly #attributes = new AttributesRenderer();
  readonly #moments = new MomentRenderer();
  #first = false;

  /**
   * Writes the event at [at, end) of `bytes`.
   *
   * @param derivedId Writes the id, without quotes, where the event has none.
   */
  render(sink: Sink, bytes: Uint8Array, at: number, end: number, derivedId: DerivedId): void {
    const start = sink.at;
    if (this.#scan(bytes, at, end) && this.#write(sink, derivedId)) return;
    sink.at = start;
    const tree = treeFromEvent(fromBinary(EventSchema, bytes.subarray(at, end))) as { id?: string };
    const text = bytesOf(textFromTree({ ...tree, id: tree.id ?? derivedId.text() }));
    sink.copy(text, 0, text.length);
  }

  /** Notes where each field lies. False for what goes the slow way. */
  #scan(bytes: Uint8Array, at: number, end: number): boolean {
    const reader = this.#reader;
    reader.start(bytes, at);
    this.#at.fill(-1);
    this.#attributes.start();
    while (reader.at < end) {
      const tag = reader.varint();
      const field = tag >>> 3;
      if (field >= FIELDS) {
        reader.skip(tag);
        continue;
      }
      switch (tag & 7) {
        case 0:
          this.#at[field] = reader.at;
          this.#value[field] = reader.varint();
          break;
        case 1:
          this.#at[field] = reader.at;
          reader.at += 8;
          break;
        case 2: {
          const size = reader.varint();
          if (field === ATTRIBUTES && !this.#attributes.add(reader.at, reader.at + size)) return false;
          this.#at[field] = reader.at;
          this.#end[field] = reader.at + size;
          reader.at += size;
          break;
        }
        default:
          return false;
      }
      if (reader.failed) return false;
    }
    return reader.at === end;
  }

  /** Writes what was scanned, in the order of treeFromEvent(). False, with something half written, for the slow way. */
  #write(sink: Sink, derivedId: DerivedId): boolean {
    const { bytes } = this.#reader;
    sink.room(SMALL_BYTES);
    sink.bytes[sink.at++] = 0x7b;
    this.#first = true;
    if (!this.#has(ID)) {
      this.#name(sink, ID);
      derivedId.write(sink);
    }
    for (const field of texts) this.#text(sink, field);
    if (!this.#moment(sink, TIME)) return false;
    this.#whole(sink, PRIORITY);
    if (!this.#moment(sink, DELIVER_BY)) return false;
    if (this.#at[DELIVER_BY] === -1) this.#whole(sink, TTL);
    this.#text(sink, KEY);
    if (!this.#writeAttributes(sink)) return false;
    this.#text(sink, CONTENT_TYPE);
    if (this.#at[DATA] !== -1) this.#data(sink, bytes, this.#at[DATA] as number, this.#end[DATA] as number);
    sink.room(1);
    sink.bytes[sink.at++] = 0x7d;
    return true;
  }

  /** Whether a text is there and not empty. */
  #has(field: number): boolean {
    return this.#at[field] !== -1 && (this.#end[field] as number) > (this.#at[field] as number);
  }

  /** Begins a member; it also sees to room for a small value. */
  #name(sink: Sink, field: number): void {
    this.#member(sink, names[field] as Uint8Array);
  }

  /** A comma where one is due, and the name with its colon. */
  #member(sink: Sink, name: Uint8Array): void {
    sink.room(SMALL_BYTES);
    if (!this.#first) sink.bytes[sink.at++] = 0x2c;
    this.#first = false;
    sink.ascii(name);
  }

  /** A text; the core has checked that it is UTF-8. */
  #text(sink: Sink, field: number): void {
    if (!this.#has(field)) return;
    this.#name(sink, field);
    sink.text(this.#reader.bytes, this.#at[field] as number, this.#end[field] as number);
  }

  /** A number without fraction. */
  #whole(sink: Sink, field: number): void {
    if (this.#at[field] === -1) return;
    this.#name(sink, field);
    sink.whole(this.#value[field] as number);
  }

  /** False where the moment needs 64 bits. */
  #moment(sink: Sink, field: number): boolean {
    const at = this.#at[field] as number;
    if (at === -1) return true;
    this.#name(sink, field);
    return this.#moments.write(sink, this.#reader.bytes, at);
  }

  /** False for what goes the slow way. */
  #writeAttributes(sink: Sink): boolean {
    if (this.#attributes.count === 0) return true;
    const before = sink.at;
    const wasFirst = this.#first;
    this.#name(sink, ATTRIBUTES);
    const written = this.#attributes.write(sink, this.#reader);
    if (written > 0) return true;
    // Not one of them could be said in JSON: then the member is absent.
    sink.at = before;
    this.#first = wasFirst;
    return written === 0;
  }

  /** The payload, of which nobody has checked anything yet: a publisher must not be able to break its readers. */
  #data(sink: Sink, bytes: Uint8Array, at: number, end: number): void {
    const form = this.#mediaForm(bytes);
    if (form === "json" && isJsonValue(bytes, at, end) && isUtf8(bytes, at, end)) {
      this.#name(sink, DATA);
      sink.copy(bytes, at, end);
    } else if (form === "text" && isUtf8(bytes, at, end)) {
      this.#name(sink, DATA);
      sink.text(bytes, at, end);
    } else {
      this.#member(sink, dataBase64);
      sink.base64(bytes, at, end);
    }
  }

  /** Nearly all events have none, or plain JSON: those are told without making a string. */
  #mediaForm(bytes: Uint8Array) {
    if (!this.#has(CONTENT_TYPE)) return "json";
    const at = this.#at[CONTENT_TYPE] as number;
    const end = this.#end[CONTENT_TYPE] as number;
    let same = 0;
    while (same < jsonMediaType.length && bytes[at + same] === jsonMediaType[same]) same += 1;
    if (same === end - at) return "json";
    return mediaForm(decoder.decode(bytes.subarray(at, end)));
  }
}
