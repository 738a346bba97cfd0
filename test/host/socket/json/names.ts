/** Names that a host would tell, for tests without one. */
import { create, toBinary } from "@bufbuild/protobuf";
import { type HostFrame, HostFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import type { HostNames, SessionNames } from "../../../../host/socket/json/codec.ts";
import { varint } from "../../../core-wasm/wire.ts";
import type { HostInit } from "./arbitraries.ts";

/** Channel 5 is "orders", 6 "a/b"; the epoch is 7. */
export const testNames: HostNames = {
  channelName: (channelNumber) => ({ 5: "orders", 6: "a/b" })[channelNumber],
  derivedId: (channelNumber, sequence, epoch) =>
    `host-${epoch.toString(36)}-${channelNumber.toString(36)}-${sequence.toString(36)}`,
  epoch: () => 7,
};

/** A session that is told nothing. */
export const noSession: SessionNames = { memberOf: () => undefined };

/** Frames as drain() writes them. */
export function drained(...frames: readonly (HostInit | Uint8Array)[]): Uint8Array {
  const parts = frames.flatMap((frame) => {
    const bytes = frame instanceof Uint8Array ? frame : toBinary(HostFrameSchema, create(HostFrameSchema, frame));
    return [...varint(BigInt(bytes.length)), ...bytes];
  });
  return Uint8Array.from(parts);
}

/** One WebSocket message. */
export interface Message {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** Unmasked, final WebSocket frames taken apart (RFC 6455 §5.2). */
export function messagesFrom(bytes: Uint8Array): Message[] {
  const messages: Message[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const head = view.getUint8(at);
    if ((head & 0xf0) !== 0x80) throw new Error(`Byte ${at} is ${head}, no final frame without reserved bits`);
    const short = view.getUint8(at + 1);
    if (short > 127) throw new Error(`The frame at ${at} is masked`);
    const size = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    const from = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (from + size > bytes.length) throw new Error(`The frame at ${at} is cut off`);
    messages.push({ opcode: head & 0x0f, payload: bytes.slice(from, from + size) });
    at = from + size;
  }
  return messages;
}

/** Texts of text messages. */
export function textsFrom(bytes: Uint8Array): string[] {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return messagesFrom(bytes).map(({ opcode, payload }) => {
    if (opcode !== 1) throw new Error(`Opcode ${opcode} is no text`);
    return decoder.decode(payload);
  });
}

/** A host frame as a message. */
export function hostMessage(init: HostInit): HostFrame {
  return create(HostFrameSchema, init);
}
