// All peers by name. A peer whose program is missing is left out by name, never silently.

import { startHono, startSluiceOverHttp } from "./http.mjs";
import { startAedes, startMosquitto } from "./mqtt.mjs";
import { startNats } from "./nats.mjs";
import { startRedis } from "./redis.mjs";
import { startRelay } from "./relay.mjs";
import { startSluiceOverTcp } from "./sluice.mjs";
import { startSluiceOverJson } from "./sluice-json.mjs";
import { startSluiceOverEventStream } from "./sluice-sse.mjs";
import { startSluiceOverWebSocket } from "./sluice-ws.mjs";
import { startWs } from "./ws.mjs";

/** @type {Readonly<Record<string, () => Promise<import('./peer.mjs').Peer>>>} */
export const starters = Object.freeze({
  sluice: startSluiceOverTcp,
  "sluice-ws": startSluiceOverWebSocket,
  "sluice-json": startSluiceOverJson,
  "sluice-sse": startSluiceOverEventStream,
  "sluice-http": startSluiceOverHttp,
  hono: startHono,
  nats: startNats,
  redis: startRedis,
  ws: startWs,
  relay: startRelay,
  mosquitto: startMosquitto,
  aedes: startAedes,
});
