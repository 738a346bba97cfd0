/**
 * Frames of sessions within the process, read and written without a detour over messages: events stay bytes until
 * somebody looks at them. Numbers are those of schemas/sluice/v1/frame.proto.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { STAGE_OFFSET } from "../../core-wasm/abi.ts";
import type { Core } from "../core/instance.ts";
import { type Event, EventSchema } from "../gen/sluice/v1/event_pb.ts";
import { type HostFrame, HostFrameSchema } from "../gen/sluice/v1/frame_pb.ts";

/** One delivery to an embedded handler. */
export interface LocalDelivery {
  readonly channel: string;
  /** Counts per (channel, epoch). */
  readonly sequence: number;
  readonly epoch: number;
  /** Dense count of this subscription's deliveries, from 1. */
  readonly number: number;
  /** Decoded at the first look. */
  readonly event: Event;
}

class LazyDelivery implements LocalDelivery {
  readonly channel: string;
  readonly sequence: number;
  readonly epoch: number;
  readonly number: number;
  #bytes: Uint8Array | undefined;
  #event: Event | undefined = undefined;

  constructor(channel: string, sequence: number, epoch: number, number: number, bytes: Uint8Array) {
    this.channel = channel;
    this.sequence = sequence;
    this.epoch = epoch;
    this.number = number;
    this.#bytes = bytes;
  }

  get event(): Event {
    if (this.#event === undefined) {
      this.#event = fromBinary(EventSchema, this.#bytes as Uint8Array);
      this.#bytes = undefined;
    }
    return this.#event;
  }
}

/** What the reading of deliveries depends on. */
export interface DeliveryContext {
  /** Number of the first delivery. */
  readonly firstNumber: number;
  readonly epoch: number;
  channelName(channelNumber: number): string;
  /** Gets frames that are no deliveries. */
  readonly onFrame: (frame: HostFrame) => void;
}

/**
 * Reads what drain() wrote for a session within the process.
 *
 * @param drained Whole size-delimited frames; deliveries keep views of it.
 */
export function readDeliveries(drained: Uint8Array, context: DeliveryContext): LocalDelivery[] {
  const deliveries: LocalDelivery[] = [];
  readFrames(
    drained,
    ({ channelNumber, sequence, event }) => {
      const number = context.firstNumber + deliveries.length;
      deliveries.push(new LazyDelivery(context.channelName(channelNumber), sequence, context.epoch, number, event));
    },
    context.onFrame,
  );
  return deliveries;
}

/** A delivery as it travels. */
export interface RawDelivery {
  readonly channelNumber: number;
  readonly sequence: number;
  /** 0: the frame does not say, because the session has one membership of the channel. */
  readonly member: number;
  /** 1 but for one that was made before. */
  readonly attempt: number;
  /** Of a delivery that was made before; undefined: it counts on from the one before it. */
  readonly number: number | undefined;
  /** Encoded; a view of what was read. */
  readonly event: Uint8Array<ArrayBuffer>;
}

/**
 * Reads whole size-delimited HostFrames, as drain() writes them.
 *
 * @param onDelivery Gets each delivery, in order.
 * @param onFrame Gets each other frame.
 */
export function readFrames(
  drained: Uint8Array,
  onDelivery: (delivery: RawDelivery) => void,
  onFrame: (frame: HostFrame) => void,
): void {
  const reader = new BinaryReader(drained);
  while (reader.pos < reader.len) {
    const end = reader.uint32() + reader.pos;
    const frameAt = reader.pos;
    const [field] = reader.tag();
    if (field === HOST_FRAME_DELIVER) readDeliver(reader, onDelivery);
    else onFrame(fromBinary(HostFrameSchema, drained.subarray(frameAt, end)));
    reader.pos = end;
  }
}

const HOST_FRAME_DELIVER = 1;
const DELIVERY_CHANNEL_NUMBER = 1;
const DELIVERY_SEQUENCE = 2;
const DELIVERY_EVENT = 3;
const DELIVERY_MEMBER = 4;
const DELIVERY_ATTEMPT = 6;
const DELIVERY_NUMBER = 7;

/** A Deliver message holds deliveries as its only field. */
function readDeliver(reader: BinaryReader, onDelivery: (delivery: RawDelivery) => void): void {
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) {
    reader.tag();
    const deliveryEnd = reader.uint32() + reader.pos;
    let channelNumber = 0;
    let sequence = 0;
    let member = 0;
    let attempt = 1;
    let number: number | undefined;
    let event = new Uint8Array(0);
    while (reader.pos < deliveryEnd) {
      const [field, wireType] = reader.tag();
      if (field === DELIVERY_CHANNEL_NUMBER) channelNumber = reader.uint32();
      else if (field === DELIVERY_SEQUENCE) sequence = Number(reader.uint64());
      else if (field === DELIVERY_EVENT) event = reader.bytes() as Uint8Array<ArrayBuffer>;
      else if (field === DELIVERY_MEMBER) member = reader.uint32();
      else if (field === DELIVERY_ATTEMPT) attempt = reader.uint32();
      else if (field === DELIVERY_NUMBER) number = Number(reader.uint64());
      else reader.skip(wireType);
    }
    onDelivery({ channelNumber, sequence, member, attempt, number, event });
  }
}

/** Tag and size in front of each event of a publish, at most. */
export const HEADER_BYTES = 8;

/** Writes ClientFrame { ref: 0, publish: { channel_number, events } } to STAGE; returns its size. */
export function placePublish(core: Core, channelNumber: number, events: readonly Uint8Array[]): number {
  const { bytes } = core.views;
  let body = 1 + varintBytes(channelNumber);
  for (const event of events) body += 1 + varintBytes(event.length) + event.length;
  let at = STAGE_OFFSET;
  // A ref asks for a receipt; its value does not matter, since publishing is synchronous.
  bytes[at++] = 0x08;
  bytes[at++] = 0;
  bytes[at++] = 0x12;
  at = varintWrite(bytes, at, body);
  bytes[at++] = 0x10;
  at = varintWrite(bytes, at, channelNumber);
  for (const event of events) {
    bytes[at++] = 0x1a;
    at = varintWrite(bytes, at, event.length);
    bytes.set(event, at);
    at += event.length;
  }
  return at - STAGE_OFFSET;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest !== 0; rest >>>= 7) bytes++;
  return bytes;
}

function varintWrite(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let to = at;
  for (; rest > 127; rest >>>= 7) bytes[to++] = (rest & 127) | 128;
  bytes[to++] = rest;
  return to;
}
