/**
 * Client frames that come up to the host, decoded. The core has looked at their outermost level only.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { SluiceError } from "../errors.ts";
import { type ClientFrame, ClientFrameSchema } from "../gen/sluice/v1/frame_pb.ts";

/** Field numbers of schemas/sluice/v1/frame.proto. */
const CLIENT_FRAME_PUBLISH = 2;
const PUBLISH_CHANNEL = 1;
const PUBLISH_CHANNEL_NUMBER = 2;

/**
 * Decodes a whole frame.
 *
 * @throws {SluiceError} `malformed`: no well-formed protobuf within, or text that is not UTF-8.
 */
export function clientFrameFrom(bytes: Uint8Array): ClientFrame {
  return decoded(() => fromBinary(ClientFrameSchema, bytes));
}

/** The channel that a publish names. */
export interface NamedChannel {
  readonly name: string;
  /** 0: by name. */
  readonly number: number;
}

/**
 * Reads only which channel a publish is for: its events may be many, and what is wrong with one is the core's to say.
 *
 * @param bytes A ClientFrame whose kind is publish.
 * @throws {SluiceError} `malformed`.
 */
export function publishChannelFrom(bytes: Uint8Array): NamedChannel {
  return decoded(() => {
    const reader = new BinaryReader(bytes);
    let name = "";
    let number = 0;
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field !== CLIENT_FRAME_PUBLISH) {
        reader.skip(wireType);
        continue;
      }
      const end = reader.uint32() + reader.pos;
      while (reader.pos < end) {
        const [inner, innerType] = reader.tag();
        if (inner === PUBLISH_CHANNEL) name = reader.string();
        else if (inner === PUBLISH_CHANNEL_NUMBER) number = reader.uint32();
        else reader.skip(innerType);
      }
    }
    return { name, number };
  });
}

function decoded<Value>(decode: () => Value): Value {
  try {
    return decode();
  } catch (cause) {
    throw new SluiceError("malformed", "The frame is not well-formed protobuf within, or has text that is not UTF-8", {
      cause,
    });
  }
}
