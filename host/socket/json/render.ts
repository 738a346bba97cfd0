/**
 * The fast way out of a JSON session: what drain() wrote → WebSocket text messages, deliveries grouped, each event
 * rendered once for all its sinks.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { FRAME_RAW_TAG } from "../../../core-wasm/abi.ts";
import { HostFrameSchema } from "../../gen/sluice/v1/frame_pb.ts";
import { limits } from "../../limits.ts";
import { HEADER_BYTES_MAX, headerBytes, OPCODE_TEXT, writeHeader } from "../../session/websocket-frame.ts";
import { ChannelNames } from "./channel-names.ts";
import { DeliveryScan, TAG_DELIVER } from "./delivery.ts";
import { EventRenderer } from "./event-renderer.ts";
import { type HostNames, jsonFromHostFrame, type SessionNames } from "./host.ts";
import { FieldReader } from "./proto.ts";
import { printOf, RenderedEvents } from "./rendered.ts";
import { bytesOf } from "./scan.ts";
import { Sink } from "./sink.ts";

/** What the rendering of one session's output depends on. */
export interface RenderSettings extends SessionNames {
  /** Most deliveries in one deliver frame. */
  readonly events: number;
  /** Bytes, as drained, after which a deliver frame ends. */
  readonly bytes: number;
  readonly firstNumber: number;
}

const part = {
  head: bytesOf('{"deliver":{"events":['),
  tail: bytesOf("]}}"),
  number: bytesOf('{"number":'),
  member: bytesOf(',"attempt":1,"member":"m'),
  noMember: bytesOf(',"attempt":1,"channel":'),
  channel: bytesOf('","channel":'),
  sequence: bytesOf(',"sequence":'),
  epoch: bytesOf(',"epoch":'),
  event: bytesOf(',"event":'),
};
/** Room for the fixed parts of one entry and its numbers. */
const ENTRY_BYTES = 256;
/** The buffer at the beginning, and the most that is kept between calls. */
const OUT_BYTES = 262_144;
const OUT_BYTES_KEPT = 1_048_576;

/**
 * Renders for all sessions of one host.
 *
 *   {"deliver":{"events":[ {"number":7,"attempt":1,"member":"m3","channel": "c","sequence":9,"epoch":1,"event":{…}} , … ]}}
 *                          ◄── the session's own, written each time ──►    ◄── shared by all sinks, kept in a ring ──►
 */
export class Renderer {
  readonly #names: HostNames;
  readonly #channels: ChannelNames;
  readonly #events = new EventRenderer();
  readonly #rendered = new RenderedEvents(limits.renderCacheEvents, limits.renderCacheBytes);
  readonly #reader = new FieldReader();
  #sink = new Sink(OUT_BYTES);
  #epoch = 0;
  /** Of the last deliver frame. */
  #headerBytes = HEADER_BYTES_MAX;
  readonly #delivery = new DeliveryScan();

  constructor(names: HostNames) {
    this.#names = names;
    this.#channels = new ChannelNames(names);
  }

  /**
   * Renders whole size-delimited HostFrames.
   *
   * @returns Complete WebSocket frames; valid until the next call, or for good after keep().
   */
  render(drained: Uint8Array, settings: RenderSettings): Uint8Array {
    if (this.#sink.bytes.length > OUT_BYTES_KEPT) this.#sink = new Sink(OUT_BYTES);
    this.#sink.at = 0;
    const epoch = this.#names.epoch();
    if (epoch !== this.#epoch) this.clear();
    this.#epoch = epoch;
    let number = settings.firstNumber;
    let at = 0;
    while (at < drained.length) {
      this.#reader.start(drained, at);
      const size = this.#reader.varint();
      const from = this.#reader.at;
      const tag = drained[from];
      if (tag === TAG_DELIVER) {
        const events = this.#deliveries(drained, at, number, settings);
        if (events > 0) {
          number += events;
          at = this.#reader.at;
          continue;
        }
        number += this.#slowDelivery(drained.subarray(from, from + size), number, settings);
      } else if (tag === FRAME_RAW_TAG) this.#raw(drained, from + 1);
      else this.#slow(drained.subarray(from, from + size), settings);
      at = from + size;
    }
    return this.#sink.bytes.subarray(0, this.#sink.at);
  }

  /** The bytes of the last call are still in use: the next call takes others. */
  keep(): void {
    this.#sink = new Sink(OUT_BYTES);
  }

  /** Forgets rendered events; to be called when a channel is removed, whose number another may get. */
  clear(): void {
    this.#rendered.clear();
  }

  /**
   * Renders as many deliver frames as fit one JSON frame; leaves the reader behind the last.
   *
   * @returns How many; 0 where the first is one for the slow way.
   */
  #deliveries(drained: Uint8Array, from: number, firstNumber: number, settings: RenderSettings): number {
    const sink = this.#sink;
    let at = from;
    let count = 0;
    sink.room(HEADER_BYTES_MAX + ENTRY_BYTES);
    const start = sink.at;
    // The header's size is known last; messages of one session mostly need as much as the one before.
    sink.at += this.#headerBytes;
    sink.ascii(part.head);
    while (at < drained.length && count < settings.events && at - from < settings.bytes) {
      const behind = this.#delivery.read(drained, at);
      if (behind < 0) break;
      sink.room(ENTRY_BYTES);
      if (count > 0) sink.bytes[sink.at++] = 0x2c;
      this.#entry(drained, firstNumber + count, settings);
      count += 1;
      at = behind;
    }
    this.#reader.at = at;
    if (count === 0) {
      sink.at = start;
      return 0;
    }
    sink.room(part.tail.length);
    sink.ascii(part.tail);
    this.#closeMessage(start);
    return count;
  }

  /** Puts the header before the text that begins `#headerBytes` behind `start`. */
  #closeMessage(start: number): void {
    const sink = this.#sink;
    const from = start + this.#headerBytes;
    const size = sink.at - from;
    const needed = headerBytes(size);
    if (needed !== this.#headerBytes) {
      sink.room(HEADER_BYTES_MAX);
      sink.bytes.copyWithin(start + needed, from, sink.at);
      this.#headerBytes = needed;
    }
    sink.at = writeHeader(sink.bytes, start, OPCODE_TEXT, size) + size;
  }

  /** Writes one entry: what is the session's own, then what all sinks share. */
  #entry(drained: Uint8Array, number: number, settings: RenderSettings): void {
    const sink = this.#sink;
    const { channel, sequence, eventAt, eventEnd } = this.#delivery;
    const member = this.#delivery.member || settings.memberOf(channel);
    sink.ascii(part.number);
    sink.whole(number);
    if (member === undefined) sink.ascii(part.noMember);
    else {
      sink.ascii(part.member);
      sink.whole(member);
      sink.ascii(part.channel);
    }
    const print = printOf(drained, eventAt, eventEnd);
    const slot = this.#rendered.find(channel, sequence, print);
    if (slot >= 0) {
      const at = this.#rendered.at(slot);
      sink.copy(this.#rendered.ring, at, at + this.#rendered.size(slot));
      return;
    }
    const from = sink.at;
    this.#shared(drained);
    this.#rendered.keep(channel, sequence, print, sink.bytes, from, sink.at);
  }

  /** From the channel's name to the end of the entry. */
  #shared(drained: Uint8Array): void {
    const sink = this.#sink;
    const { channel, sequence, eventAt, eventEnd } = this.#delivery;
    this.#channels.select(channel, sequence, this.#epoch);
    const name = this.#channels.nameJson;
    sink.copy(name, 0, name.length);
    sink.room(ENTRY_BYTES);
    sink.ascii(part.sequence);
    sink.whole(sequence);
    sink.ascii(part.epoch);
    sink.whole(this.#epoch);
    sink.ascii(part.event);
    this.#events.render(sink, drained, eventAt, eventEnd, this.#channels);
    sink.room(1);
    sink.bytes[sink.at++] = 0x7d;
  }

  /** A delivery that was made before, which says its number itself. Returns how many events counted on. */
  #slowDelivery(frame: Uint8Array, firstNumber: number, settings: RenderSettings): number {
    const { kind } = fromBinary(HostFrameSchema, frame);
    this.#slow(frame, { ...settings, firstNumber });
    return kind.case === "deliver" ? kind.value.events.filter(({ number: told }) => told === undefined).length : 0;
  }

  #slow(frame: Uint8Array, session: SessionNames): void {
    const text = bytesOf(jsonFromHostFrame(fromBinary(HostFrameSchema, frame), this.#names, session));
    const sink = this.#sink;
    sink.room(HEADER_BYTES_MAX);
    sink.at = writeHeader(sink.bytes, sink.at, OPCODE_TEXT, text.length);
    sink.copy(text, 0, text.length);
  }

  /** A WebSocket control frame that passes as it is; `at` is behind the tag. */
  #raw(drained: Uint8Array, at: number): void {
    this.#reader.start(drained, at);
    const size = this.#reader.varint();
    this.#sink.copy(drained, this.#reader.at, this.#reader.at + size);
  }
}
