/**
 * Publishes from JSON without a detour over values: the WebSocket frame, and the body of HTTP.
 *
 * `undefined` means that the text is not plainly a publish; client.ts then takes it, or says what is wrong with it.
 */
import { limits } from "../../limits.ts";
import { EventWriter } from "./event-writer.ts";
import { BRACE_CLOSE, BRACE_OPEN, BRACKET_CLOSE, BRACKET_OPEN, bytesOf, COLON, COMMA } from "./scan.ts";

/** Tags of ClientFrame and Publish, schemas/sluice/v1/frame.proto. */
const TAG_REF = 0x08;
const TAG_PUBLISH = 0x12;
const TAG_CHANNEL = 0x0a;
const TAG_EVENTS = 0x1a;
const TAG_NUMBER = 0x20;

const REF = bytesOf("ref");
const PUBLISH = bytesOf("publish");
const CHANNEL = bytesOf("channel");
const EVENTS = bytesOf("events");
const NUMBER = bytesOf("number");

/** Room for what stands before the Publish and is known last: `ref`, and the size. */
const HEAD_BYTES = 16;

/** A publish, encoded. */
export interface WrittenPublish {
  /** A ClientFrame, or from HTTP a Publish without channel; valid until the next call. */
  readonly bytes: Uint8Array;
  readonly ref: number | undefined;
}

/**
 * Reads publishes. It holds a buffer, so one serves all sessions.
 *
 *   … free … │ 08 ref │ 12 size │ 0A channel │ 1A event │ 1A event …
 *   ◄──────────── HEAD_BYTES ──►
 *
 * The head is written last and backwards from the Publish, so that neither `ref` behind the events nor the size of the
 * whole moves a byte of them.
 */
export class PublishReader {
  readonly #writer = new EventWriter();
  #events = 0;
  #ref: number | undefined;

  /** Reads `{"ref":1,"publish":{"channel":"c","events":[…]}}`. */
  frame(text: Uint8Array): WrittenPublish | undefined {
    const writer = this.#begin(text, 4);
    this.#ref = undefined;
    if (!this.#frameMembers() || !ended(writer)) return undefined;
    const bytes = writer.to - HEAD_BYTES;
    const head = this.#ref === undefined ? 0 : 1 + sizeOf(this.#ref);
    const at = HEAD_BYTES - 1 - sizeOf(bytes) - head;
    const end = writer.to;
    writer.to = at;
    if (this.#ref !== undefined) {
      writer.out[writer.to++] = TAG_REF;
      writer.varint(this.#ref);
    }
    writer.out[writer.to++] = TAG_PUBLISH;
    writer.varint(bytes);
    return end - at > limits.frameBytes ? undefined : this.#written(at, end);
  }

  /** Reads one event, or an array of them. */
  events(body: Uint8Array): WrittenPublish | undefined {
    const writer = this.#begin(body, 1);
    this.#ref = undefined;
    writer.space();
    if (body[writer.at] === BRACKET_OPEN) {
      writer.depth = 2;
      if (!this.#eventArray()) return undefined;
    } else if (!this.#event()) return undefined;
    return ended(writer) ? this.#written(HEAD_BYTES, writer.to) : undefined;
  }

  #begin(text: Uint8Array, depth: number): EventWriter {
    const writer = this.#writer;
    writer.start(text, HEAD_BYTES);
    writer.depth = depth;
    this.#events = 0;
    return writer;
  }

  #written(at: number, end: number): WrittenPublish {
    return { bytes: this.#writer.out.subarray(at, end), ref: this.#ref };
  }

  /** The outer object: one `publish`, and a `ref` before or behind it. */
  #frameMembers(): boolean {
    const writer = this.#writer;
    let published = false;
    if (!writer.takes(BRACE_OPEN)) return false;
    do {
      writer.space();
      if (!writer.readText()) return false;
      if (!published && writer.textIs(PUBLISH)) {
        published = true;
        if (!writer.takes(COLON) || !this.#publishMembers()) return false;
      } else if (this.#ref === undefined && writer.textIs(REF)) {
        if (!writer.takes(COLON)) return false;
        writer.space();
        if (!writer.readNumber() || !isCount(writer.number, 0xffff_ffff)) return false;
        // "-0" is the number 0 to JSON.
        this.#ref = writer.number + 0;
      } else return false;
    } while (writer.takes(COMMA));
    return published && writer.takes(BRACE_CLOSE);
  }

  /** The publish itself. Fields are written in the order in which they come; the core takes any. */
  #publishMembers(): boolean {
    const writer = this.#writer;
    let channel = false;
    let events = false;
    let number = false;
    if (!writer.takes(BRACE_OPEN)) return false;
    do {
      writer.space();
      if (!writer.readText()) return false;
      if (!events && writer.textIs(EVENTS)) {
        events = true;
        if (!writer.takes(COLON) || !this.#eventArray()) return false;
      } else if (!channel && writer.textIs(CHANNEL)) {
        channel = true;
        if (!writer.takes(COLON) || !this.#channel()) return false;
      } else if (!number && writer.textIs(NUMBER)) {
        number = true;
        if (!writer.takes(COLON)) return false;
        writer.space();
        if (!writer.wholeField(TAG_NUMBER, Number.MAX_SAFE_INTEGER)) return false;
      } else return false;
    } while (writer.takes(COMMA));
    return channel && events && writer.takes(BRACE_CLOSE);
  }

  /** The channel by its name; numbers of channels exist in binary only. */
  #channel(): boolean {
    const writer = this.#writer;
    writer.space();
    if (!writer.readText() || !isChannelName(writer.text, writer.textAt, writer.textEnd)) return false;
    writer.writeText(TAG_CHANNEL);
    return true;
  }

  /** Events, at most limits.publishEvents. */
  #eventArray(): boolean {
    const writer = this.#writer;
    if (!writer.takes(BRACKET_OPEN)) return false;
    if (writer.takes(BRACKET_CLOSE)) return true;
    do {
      if (this.#events === limits.publishEvents || !this.#event()) return false;
    } while (writer.takes(COMMA));
    return writer.takes(BRACKET_CLOSE);
  }

  #event(): boolean {
    if (!this.#writer.event(TAG_EVENTS)) return false;
    this.#events += 1;
    return true;
  }
}

/** Nothing may come behind the value. */
function ended(writer: EventWriter): boolean {
  writer.space();
  return writer.at === writer.end;
}

function isCount(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

/** Bytes of a varint of 32 bits. */
function sizeOf(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/** As channelName of the channel's definition. */
function isChannelName(text: Uint8Array, at: number, end: number): boolean {
  if (end === at || end - at > limits.channelNameBytes) return false;
  for (let index = at; index < end; index += 1) {
    const byte = text[index] as number;
    const letter = byte | 0x20;
    if ((letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f) continue;
    // . / and - may follow, not begin.
    if (index === at || byte < 0x2d || byte > 0x2f) return false;
  }
  return true;
}
