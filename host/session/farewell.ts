/**
 * What a session is told when the core is gone and cannot say it: where to come back, and why it ends.
 */
import { toBinary } from "@bufbuild/protobuf";
import { codes, type SluiceError } from "../errors.ts";
import { HostFrameSchema } from "../gen/sluice/v1/frame_pb.ts";
import type { Engine, OutputRenderer } from "./engine.ts";
import { drainFrame, problemFrame } from "./frames.ts";
import { defaultGrouping } from "./inbox.ts";
import type { Session } from "./session.ts";
import { closeFrame, OPCODE_BINARY, websocketFrame } from "./websocket-frame.ts";

/**
 * The last bytes for a session, framed as its carrier wants: `drain`, `problem`, and a WebSocket close frame.
 *
 * They follow whole frames on the wire: what drain() writes never ends within one.
 */
export function farewellBytes(engine: Engine, session: Session, error: SluiceError): Uint8Array {
  const drain = sized(toBinary(HostFrameSchema, drainFrame(engine.options.drainRetryMs)));
  const frames = concat([drain, problemBytes(error)]);
  const { kind, renderer } = session;
  const body = renderer === undefined ? frames : rendered(renderer, frames);
  if (kind !== "websocket" && kind !== "websocket-json") return body;
  const goodbye = closeFrame(codes[error.code].close, `${error.code}: ${error.message}`);
  return concat([kind === "websocket" ? websocketFrame(OPCODE_BINARY, body) : body, goodbye]);
}

function rendered(renderer: OutputRenderer, frames: Uint8Array): Uint8Array {
  const { events, bytes } = defaultGrouping;
  return renderer.render(frames, { firstNumber: 1, events, bytes, memberOf: () => undefined }).slice();
}

/** A problem as the only thing that a peer without a session is told: a size-delimited frame. */
export function problemBytes(error: SluiceError): Uint8Array {
  return sized(toBinary(HostFrameSchema, problemFrame(error, undefined)));
}

/** A frame with its size before it. */
function sized(frame: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  for (let rest = frame.length; ; rest >>>= 7) {
    if (rest < 128) {
      prefix.push(rest);
      break;
    }
    prefix.push((rest & 127) | 128);
  }
  return concat([Uint8Array.from(prefix), frame]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
