/**
 * Size-delimited binary frames for the command line's own clients: written without building messages twice, read from
 * chunks split anywhere.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  ClientFrameSchema,
  DeliverSchema,
  type HostFrame,
  HostFrameSchema,
  PublishSchema,
} from "../gen/sluice/v1/frame_pb.ts";
import { CliError } from "./failure.ts";

/** A host writes no larger frames than it takes; this leaves room without letting a stranger fill our memory. */
const FRAME_BYTES_MAX = 16 * 2 ** 20;

const REF = ClientFrameSchema.field.ref.number;
const PUBLISH = ClientFrameSchema.field.publish.number;
const CHANNEL = PublishSchema.field.channel.number;
const CHANNEL_NUMBER = PublishSchema.field.channelNumber.number;
const EVENTS = PublishSchema.field.events.number;
const DELIVER_TAG = (HostFrameSchema.field.deliver.number << 3) | WireType.LengthDelimited;
const DELIVERY_TAG = (DeliverSchema.field.events.number << 3) | WireType.LengthDelimited;

/**
 * One size-delimited publish frame around events that are encoded already.
 *
 * @param channel By name, or by the number that `joined` told (shorter on the wire).
 * @param ref Asks for a receipt under this number; absent: none is sent.
 */
export function publishFrame(channel: string | number, events: readonly Uint8Array[], ref?: number): Uint8Array {
  const frame = new BinaryWriter();
  if (ref !== undefined) frame.tag(REF, WireType.Varint).uint32(ref);
  frame.tag(PUBLISH, WireType.LengthDelimited).fork();
  if (typeof channel === "string") frame.tag(CHANNEL, WireType.LengthDelimited).string(channel);
  else frame.tag(CHANNEL_NUMBER, WireType.Varint).uint32(channel);
  for (const event of events) frame.tag(EVENTS, WireType.LengthDelimited).bytes(event);
  frame.join();
  return delimited(frame.finish());
}

/** Puts the size in front of a frame. */
export function delimited(frame: Uint8Array): Uint8Array {
  return new BinaryWriter().bytes(frame).finish();
}

/**
 * Makes a splitter of size-delimited frames: feed it chunks split anywhere, it calls back once per complete frame.
 *
 * @param onFrame Gets the frame without its size. The bytes are valid during the call only.
 * @returns The feeding function. It throws CliError where a size is beyond reason: the other side is no Sluice host.
 */
export function createFrameSplitter(onFrame: (frame: Uint8Array) => void): (chunk: Uint8Array) => void {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  /** Bytes of `rest` at which it is worth looking again: a large frame is put together once, not once per chunk. */
  let neededBytes = 0;
  return (chunk) => {
    if (restBytes > 0) {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes < neededBytes) {
        // Copied: the chunk belongs to the socket, which may write into it again.
        rest[rest.length - 1] = chunk.slice();
        return;
      }
    }
    const bytes = restBytes > 0 ? Buffer.concat(rest) : chunk;
    let at = 0;
    neededBytes = 0;
    for (;;) {
      const size = varintAt(bytes, at);
      if (size === undefined) break;
      if (size.value > FRAME_BYTES_MAX) {
        throw new CliError(`the host announced a frame of ${size.value} bytes; is it the TCP port of a Sluice host?`);
      }
      if (size.end + size.value > bytes.length) {
        neededBytes = size.end + size.value - at;
        break;
      }
      at = size.end + size.value;
      onFrame(bytes.subarray(size.end, at));
    }
    restBytes = bytes.length - at;
    rest = restBytes === 0 ? [] : [bytes.slice(at)];
  };
}

/** A splitter that decodes each frame. Throws CliError where one is no HostFrame. */
export function createFrameReader(onFrame: (frame: HostFrame) => void): (chunk: Uint8Array) => void {
  return createFrameSplitter((bytes) => onFrame(hostFrameFrom(bytes)));
}

/** Decodes one frame. */
export function hostFrameFrom(bytes: Uint8Array): HostFrame {
  try {
    return fromBinary(HostFrameSchema, bytes);
  } catch (cause) {
    throw new CliError("the host sent something that is no frame; is it a Sluice host of this version?", { cause });
  }
}

/**
 * Counts the deliveries in one encoded HostFrame without decoding it; 0 for every other kind.
 *
 * A Deliver is field 1 of HostFrame and holds its deliveries as field 1 (schemas/sluice/v1/frame.proto).
 */
export function deliveriesIn(frame: Uint8Array): number {
  if (frame[0] !== DELIVER_TAG) return 0;
  const size = varintAt(frame, 1);
  if (size === undefined) return 0;
  let count = 0;
  for (let at = size.end; at < frame.length; ) {
    const entry = frame[at] === DELIVERY_TAG ? varintAt(frame, at + 1) : undefined;
    if (entry === undefined) break;
    count += 1;
    at = entry.end + entry.value;
  }
  return count;
}

/** Reads a varint of at most 5 bytes; undefined where it is not complete yet. */
function varintAt(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return { value: Number.POSITIVE_INFINITY, end: at + 5 };
}
