/**
 * The way out of an SSE session: what drain() wrote → text/event-stream, each event rendered once for all its sinks.
 *
 * Nothing in an event differs from sink to sink, so a sink costs one copy per event. Source of the format: WHATWG HTML §9.2.
 *
 *   id: AQEBNmtq…AAAAAAB        the position behind this event
 *   data: {"id":"…","type":…}   the event, on one line
 */
import { fromBinary } from "@bufbuild/protobuf";
import { type HostFrame, HostFrameSchema } from "../../gen/sluice/v1/frame_pb.ts";
import { limits } from "../../limits.ts";
import type { OutputRenderer } from "../../session/engine.ts";
import { ChannelNames } from "../json/channel-names.ts";
import { DeliveryScan } from "../json/delivery.ts";
import { type HostNames, jsonFromHostFrame } from "../json/host.ts";
import { FieldReader } from "../json/proto.ts";
import { printOf, RenderedEvents } from "../json/rendered.ts";
import { bytesOf } from "../json/scan.ts";
import { Sink } from "../json/sink.ts";
import { headOf, writeTail } from "./position.ts";

/** What the host must know to write positions, beside names. */
export interface StreamNames extends HostNames {
  readonly hostId: string;
  /** Incarnation of the channel that has this number; undefined where it was removed. */
  incarnation(channelNumber: number): number | undefined;
}

/** Writes events in one form. */
export interface EventWriter {
  /**
   * Writes the event at [at, end) of `bytes` as JSON. Line breaks may stand between its tokens.
   *
   * @param channel Turned to this event.
   */
  render(sink: Sink, bytes: Uint8Array, at: number, end: number, channel: ChannelNames): void;
}

/** The buffer at the beginning, and the most that is kept between calls. */
const OUT_BYTES = 262_144;
const OUT_BYTES_KEPT = 1_048_576;
/** Field names, the end of an id, line ends. */
const SMALL_BYTES = 64;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

const idField = bytesOf("id: ");
const dataField = bytesOf("data: ");
const lineEnd = bytesOf("\n");
const eventEnd = bytesOf("\n\n");

/** Renders for all sessions of one host that read one form. */
export class StreamRenderer implements OutputRenderer {
  /** A comment: proxies see life, clients see nothing. */
  readonly heartbeat: Uint8Array = bytesOf(":\n\n");
  readonly #names: StreamNames;
  readonly #channels: ChannelNames;
  readonly #writer: EventWriter;
  readonly #rendered = new RenderedEvents(limits.renderCacheEvents, limits.renderCacheBytes);
  readonly #reader = new FieldReader();
  readonly #delivery = new DeliveryScan();
  #sink = new Sink(OUT_BYTES);
  #epoch = 0;
  /** What ids begin with, of the channel of the last event; empty where that channel was removed. */
  #head: Uint8Array = new Uint8Array(0);
  #headChannel = 0;
  #headIncarnation: number | undefined = undefined;

  constructor(names: StreamNames, writer: EventWriter) {
    this.#names = names;
    this.#channels = new ChannelNames(names);
    this.#writer = writer;
  }

  render(drained: Uint8Array): Uint8Array {
    if (this.#sink.bytes.length > OUT_BYTES_KEPT) this.#sink = new Sink(OUT_BYTES);
    const sink = this.#sink;
    sink.at = 0;
    const epoch = this.#names.epoch();
    if (epoch !== this.#epoch) this.clear();
    this.#epoch = epoch;
    let at = 0;
    while (at < drained.length) {
      const behind = this.#delivery.read(drained, at);
      if (behind > 0) {
        this.#event(drained);
        at = behind;
        continue;
      }
      this.#reader.start(drained, at);
      const size = this.#reader.varint();
      at = this.#reader.at + size;
      this.#other(fromBinary(HostFrameSchema, drained.subarray(at - size, at)));
    }
    return sink.bytes.subarray(0, sink.at);
  }

  keep(): void {
    this.#sink = new Sink(OUT_BYTES);
  }

  /** Forgets rendered events; to be called when a channel is removed, whose number another may get. */
  clear(): void {
    this.#rendered.clear();
    this.#headChannel = 0;
  }

  #event(drained: Uint8Array): void {
    const sink = this.#sink;
    const { channel, sequence, eventAt, eventEnd: end } = this.#delivery;
    const print = printOf(drained, eventAt, end);
    const slot = this.#rendered.find(channel, sequence, print);
    if (slot >= 0) {
      const at = this.#rendered.at(slot);
      sink.copy(this.#rendered.ring, at, at + this.#rendered.size(slot));
      return;
    }
    const from = sink.at;
    this.#write(drained, channel, sequence, eventAt, end);
    this.#rendered.keep(channel, sequence, print, sink.bytes, from, sink.at);
  }

  #write(drained: Uint8Array, channel: number, sequence: number, at: number, end: number): void {
    const sink = this.#sink;
    this.#turnTo(channel);
    sink.room(this.#head.length + SMALL_BYTES);
    // A channel that is gone has no place to come back to.
    if (this.#head.length > 0) {
      sink.ascii(idField);
      sink.ascii(this.#head);
      sink.at = writeTail(sink.bytes, sink.at, sequence);
      sink.ascii(lineEnd);
    }
    sink.ascii(dataField);
    const from = sink.at;
    this.#channels.select(channel, sequence, this.#epoch);
    this.#writer.render(sink, drained, at, end, this.#channels);
    joinLines(sink.bytes.subarray(from, sink.at));
    sink.room(SMALL_BYTES);
    sink.ascii(eventEnd);
  }

  #turnTo(channel: number): void {
    const incarnation = this.#names.incarnation(channel);
    if (channel === this.#headChannel && incarnation === this.#headIncarnation) return;
    this.#headChannel = channel;
    this.#headIncarnation = incarnation;
    const { hostId } = this.#names;
    this.#head =
      incarnation === undefined
        ? new Uint8Array(0)
        : bytesOf(headOf({ host: hostId, epoch: this.#epoch, channel: incarnation }));
  }

  /** What is no event of the channel: told by an event of that name, or not at all. */
  #other(frame: HostFrame): void {
    // The core writes one plain delivery per frame: silence about any other would be a loss that nobody sees.
    if (frame.kind.case === "deliver")
      throw new Error("The core wrote a delivery of a shape that this host does not know");
    const text = noticeFrom(frame, this.#names);
    if (text !== undefined) this.#copy(bytesOf(text));
  }

  #copy(bytes: Uint8Array): void {
    this.#sink.copy(bytes, 0, bytes.length);
  }
}

/** Line breaks in JSON stand between tokens only, where a space says the same. */
function joinLines(text: Uint8Array): void {
  for (const lineBreak of [LINE_FEED, CARRIAGE_RETURN]) {
    for (let at = text.indexOf(lineBreak); at >= 0; at = text.indexOf(lineBreak, at + 1)) text[at] = SPACE;
  }
}

/**
 * Frames of which a subscriber is told. Its own join it knows from the answer's header fields, and it publishes nothing that
 * could be credited or receipted.
 */
const told: ReadonlySet<HostFrame["kind"]["case"]> = new Set(["dropped", "missed", "left", "drain", "problem"]);

function noticeFrom(frame: HostFrame, names: HostNames): string | undefined {
  const { kind } = frame;
  if (kind.case === undefined || !told.has(kind.case)) return undefined;
  const json = jsonFromHostFrame(frame, names, { memberOf: () => undefined });
  const [data] = Object.values(JSON.parse(json) as Record<string, unknown>);
  // `retry` sets after how long a client comes back, without it doing anything.
  const retry = kind.case === "drain" ? { retryMs: Number(kind.value.retryMs) } : {};
  return notice(kind.case, data, retry);
}

/**
 * Writes what is no event of the channel.
 *
 * @param name Of the SSE event.
 * @param data What JSON.stringify() takes.
 * @param fields Position and delay before a reconnect that the client keeps from now on.
 */
export function notice(name: string, data: unknown, fields: { id?: string; retryMs?: number } = {}): string {
  return `event: ${name}\n${fieldsOf(fields)}data: ${JSON.stringify(data)}\n\n`;
}

/** Fields that tell a client where it is and when to come back, without an event. */
export function settings(fields: { id?: string; retryMs?: number }): string {
  return `${fieldsOf(fields)}\n`;
}

function fieldsOf({ id, retryMs }: { id?: string; retryMs?: number }): string {
  return (id === undefined ? "" : `id: ${id}\n`) + (retryMs === undefined ? "" : `retry: ${retryMs}\n`);
}
