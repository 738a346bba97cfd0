/**
 * What differs between the kinds of connections, in one table: whoever brings a new one adds a row here, and a renderer in
 * the service where its peers do not read frames.
 */
import {
  CONNECTION_LOCAL,
  CONNECTION_STREAM,
  CONNECTION_WEBSOCKET,
  CONNECTION_WEBSOCKET_JSON,
} from "../../core-wasm/abi.ts";
import type { ConnectionKind } from "./connection.ts";

/** One kind, as sessions see it. */
export interface KindTraits {
  /** CONNECTION_… : how the core cuts what comes in, and frames what drain() gives. */
  readonly core: number;
  /** It has one membership and ends with it: its peer cannot ask for another. */
  readonly single?: true;
  /** Its peer never speaks, so that silence means nothing: the renderer's heartbeat finds out who is gone (sweep.ts). */
  readonly mute?: true;
}

/** All kinds; "local" is a session without a carrier (local.ts). */
export const kinds: { readonly [Kind in ConnectionKind | "local"]: KindTraits } = Object.freeze({
  stream: { core: CONNECTION_STREAM },
  websocket: { core: CONNECTION_WEBSOCKET },
  "websocket-json": { core: CONNECTION_WEBSOCKET_JSON },
  // Nothing comes in; what goes out is drained as plain frames, and rendered.
  sse: { core: CONNECTION_STREAM, single: true, mute: true },
  "sse-cloudevents": { core: CONNECTION_STREAM, single: true, mute: true },
  "sse-delivery": { core: CONNECTION_STREAM, single: true, mute: true },
  local: { core: CONNECTION_LOCAL },
});
