/**
 * Frames and events in the encoding of protobuf-es, and the small lists that calls of the core take.
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { ClientFrameSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import { join, raw, utf8 } from "./wire.ts";

/** What create() takes for an Event. */
export type EventInit = MessageInitShape<typeof EventSchema>;

/** What create() takes for a ClientFrame. */
export type ClientFrameInit = MessageInitShape<typeof ClientFrameSchema>;

/** A ClientFrame in its shortest encoding. */
export function encodeFrame(frame: ClientFrameInit): Uint8Array {
  return toBinary(ClientFrameSchema, create(ClientFrameSchema, frame));
}

/** An event as protobuf-es encodes it. */
export function encodeEvent(event: EventInit): Uint8Array {
  return toBinary(EventSchema, create(EventSchema, event));
}

/** A publish on a channel number; with `ref` it asks for a receipt. */
export function publishFrame(channelNumber: number, events: readonly EventInit[], ref?: number): ClientFrameInit {
  const kind = { case: "publish" as const, value: { channelNumber, events: [...events] } };
  return ref === undefined ? { kind } : { ref, kind };
}

/** Types as channelTypes() and memberTypes() want them: u16 length + bytes each. */
export function typeList(types: readonly string[]): Uint8Array {
  return join(
    ...types.map((type) => {
      const bytes = utf8(type);
      return join(raw(bytes.length & 255, bytes.length >> 8), bytes);
    }),
  );
}
