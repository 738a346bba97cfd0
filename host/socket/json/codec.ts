/**
 * The JSON codec of a host: what every plane that speaks JSON imports.
 *
 * Two ways lead through it. The fast one goes from bytes to bytes and knows publishes (publish.ts) and deliveries
 * (render.ts). Whatever it does not take goes the slow one, over values, zod schemas and protobuf-es, which knows every
 * frame and says what is wrong with a bad one. Tests hold that both agree.
 */
import { toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../errors.ts";
import { ClientFrameSchema } from "../../gen/sluice/v1/frame_pb.ts";
import { limits } from "../../limits.ts";
import { clientFrameFromJson } from "./client.ts";
import type { HostNames } from "./host.ts";
import { PublishReader } from "./publish.ts";
import { Renderer, type RenderSettings } from "./render.ts";

export { clientFrameFromJson, type FrameRead, jsonFromClientFrame } from "./client.ts";
export { eventFromJson, jsonFromEvent, textFromEvent } from "./event.ts";
export { type HostNames, hostFrameFromJson, jsonFromHostFrame, type SessionNames } from "./host.ts";
export type { RenderSettings } from "./render.ts";

/** A text message read: the binary frame it stands for, or what is wrong with it. */
export type TextRead =
  | {
      readonly ok: true;
      /** An encoded ClientFrame of at most limits.frameBytes, valid until the next read. */
      readonly frame: Uint8Array;
    }
  | { readonly ok: false; readonly error: SluiceError; readonly ref?: number };

/** JSON on a WebSocket; one serves all sessions of a host. */
export interface SocketCodec {
  /** Reads one text message: UTF-8, checked by the core. */
  read(text: Uint8Array): TextRead;
  /**
   * Renders what drain() wrote for a JSON session: whole size-delimited HostFrames.
   *
   * @returns Complete WebSocket frames, valid until the next call, or for good once keep() was called.
   */
  render(drained: Uint8Array, settings: RenderSettings): Uint8Array;
  /** The last rendering is still being sent: leave its bytes alone. */
  keep(): void;
  /** Forgets rendered events; to be called when a channel is removed, whose number another may get. */
  clear(): void;
}

/** Makes the codec of a host. */
export function createSocketCodec(names: HostNames): SocketCodec {
  const publishes = new PublishReader();
  const renderer = new Renderer(names);
  return Object.freeze({
    read(text: Uint8Array): TextRead {
      const written = publishes.frame(text);
      if (written === undefined) return readSlowly(text);
      return { ok: true, frame: written.bytes };
    },
    render: (drained: Uint8Array, settings: RenderSettings) => renderer.render(drained, settings),
    keep: () => renderer.keep(),
    clear: () => renderer.clear(),
  });
}

function readSlowly(text: Uint8Array): TextRead {
  const read = clientFrameFromJson(text);
  if (!read.ok) return read;
  const { ref } = read.frame;
  const frame = toBinary(ClientFrameSchema, read.frame);
  if (frame.length <= limits.frameBytes) return { ok: true, frame };
  const error = new SluiceError(
    "frame_too_large",
    `Cannot take a frame of ${frame.length} bytes, limit is ${limits.frameBytes}`,
    {
      value: frame.length,
      limit: limits.frameBytes,
    },
  );
  return { ok: false, error, ...(ref === undefined ? {} : { ref }) };
}
