/**
 * What drain() wrote, decoded by protobuf-es and kept apart by kind.
 */
import { fromBinary } from "@bufbuild/protobuf";
import * as abi from "../../core-wasm/abi.ts";
import type { Event } from "../../host/gen/sluice/v1/event_pb.ts";
import { type HostFrame, HostFrameSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import { OPCODE_BINARY, serverFrames, serverMessages } from "./websocket.ts";
import { splitSizeDelimited } from "./wire.ts";

/** One delivery. */
export interface Delivered {
  /** Of the inbox, counted by the harness from RESULT_NUMBER_…. */
  readonly number: bigint;
  /** Of its attempts: 1, but for a delivery that was made before, which also says its number itself. */
  readonly attempt: number;
  readonly channel: number;
  readonly sequence: bigint;
  /** 0: not told. */
  readonly member: number;
  readonly event: Event;
}

/** Everything one or several calls of drain() wrote for one connection. */
export interface Drained {
  /** As written, WebSocket framing included. */
  readonly bytes: Uint8Array;
  readonly frames: readonly HostFrame[];
  /** Frames without their size prefix, in the order of `frames`. */
  readonly rawFrames: readonly Uint8Array[];
  readonly deliveries: readonly Delivered[];
  /** `"<channel number>/<reason>"` → count. */
  readonly dropped: ReadonlyMap<string, number>;
  /** WebSocket control frames. */
  readonly controls: readonly { opcode: number; payload: Uint8Array }[];
}

/** Says how the output of a connection is framed. */
export function isWebSocket(kind: number): boolean {
  return kind === abi.CONNECTION_WEBSOCKET;
}

/**
 * Unwraps WebSocket messages.
 *
 * @throws {RangeError} for text messages: a binary session gets binary ones.
 */
function unwrap(bytes: Uint8Array): { frames: Uint8Array[]; controls: { opcode: number; payload: Uint8Array }[] } {
  const frames: Uint8Array[] = [];
  const controls: { opcode: number; payload: Uint8Array }[] = [];
  for (const message of serverMessages(serverFrames(bytes))) {
    if (message.opcode === OPCODE_BINARY) frames.push(...splitSizeDelimited(message.payload));
    else if (message.opcode >= 8) controls.push(message);
    else throw new RangeError(`A message of opcode ${message.opcode} on a binary session`);
  }
  return { frames, controls };
}

/** On a JSON session WebSocket control frames travel as frames of their own, whose content goes out as it is. */
function withoutRaw(all: readonly Uint8Array[]): ReturnType<typeof unwrap> {
  const isRaw = (frame: Uint8Array): boolean => frame[0] === abi.FRAME_RAW_TAG;
  const controls = all
    .filter(isRaw)
    .flatMap((frame) => serverFrames(splitSizeDelimited(frame.subarray(1))[0] ?? frame));
  return {
    frames: all.filter((frame) => !isRaw(frame)),
    controls: controls.map(({ opcode, payload }) => ({ opcode, payload })),
  };
}

/**
 * Decodes the output of one drain().
 *
 * @param kind CONNECTION_… of the connection.
 * @param bytes A copy of what was written.
 * @param firstNumber RESULT_NUMBER of that call.
 * @param deliveriesTold RESULT_DELIVERIES of that call.
 * @throws {RangeError} where the told count is not what the bytes hold.
 */
export function parseDrained(kind: number, bytes: Uint8Array, firstNumber: bigint, deliveriesTold: number): Drained {
  const { frames: rawFrames, controls } = isWebSocket(kind) ? unwrap(bytes) : withoutRaw(splitSizeDelimited(bytes));
  const frames = rawFrames.map((frame) => fromBinary(HostFrameSchema, frame));
  const deliveries: Delivered[] = [];
  const dropped = new Map<string, number>();
  let fresh = 0;
  for (const { kind: frame } of frames) {
    if (frame.case === "deliver") {
      for (const delivery of frame.value.events) {
        if (delivery.event === undefined) throw new RangeError("A delivery has no event");
        deliveries.push({
          number: delivery.number ?? firstNumber + BigInt(fresh++),
          attempt: delivery.attempt ?? 1,
          channel: delivery.channelNumber,
          sequence: delivery.sequence,
          member: delivery.member,
          event: delivery.event,
        });
      }
    } else if (frame.case === "dropped") {
      const name = `${frame.value.channelNumber}/${frame.value.reason}`;
      dropped.set(name, (dropped.get(name) ?? 0) + Number(frame.value.count));
    }
  }
  if (fresh !== deliveriesTold) {
    throw new RangeError(`RESULT_DELIVERIES is ${deliveriesTold}, the bytes hold ${fresh}`);
  }
  return { bytes, frames, rawFrames, deliveries, dropped, controls };
}

/** Nothing drained. */
export const NOTHING: Drained = {
  bytes: new Uint8Array(0),
  frames: [],
  rawFrames: [],
  deliveries: [],
  dropped: new Map(),
  controls: [],
};

/** Puts consecutive outputs of one connection together. */
export function mergeDrained(parts: readonly Drained[]): Drained {
  const dropped = new Map<string, number>();
  for (const part of parts) {
    for (const [name, count] of part.dropped) dropped.set(name, (dropped.get(name) ?? 0) + count);
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    at += part.bytes.length;
  }
  return {
    bytes,
    frames: parts.flatMap((part) => part.frames),
    rawFrames: parts.flatMap((part) => part.rawFrames),
    deliveries: parts.flatMap((part) => part.deliveries),
    dropped,
    controls: parts.flatMap((part) => part.controls),
  };
}
