// Publishes over HTTP, one event per request: Sluice, and the same framework with nothing behind it.
import { readFileSync } from "node:fs";
import path from "node:path";
import { postRequest } from "../driver/requests.mjs";
import { startPeer } from "./process-peer.mjs";
import { startSluice } from "./sluice-process.mjs";

const SERVER = path.join(import.meta.dirname, "servers/hono-json.mjs");
const PATH = "/v1/channels/subj01/events";

const unsupported = () => Promise.reject(new Error("This peer is asked over HTTP only"));

/** The same request for both. @param {number} port @returns {(payload: Buffer) => Buffer} */
const requestTo = (port) => (payload) =>
  postRequest(port, PATH, JSON.stringify({ type: "t", data: payload.toString("latin1") }));

/** @returns {Promise<import('./peer.mjs').Peer>} */
export async function startSluiceOverHttp() {
  const child = await startSluice();
  return {
    ...child,
    name: "sluice-http",
    request: requestTo(child.port),
    openSink: unsupported,
    openSource: unsupported,
  };
}

/** @returns {Promise<import('./peer.mjs').Peer>} */
export async function startHono() {
  const child = await startPeer(process.execPath, (port) => [SERVER, String(port)]);
  // Its exports hide its package.json.
  const manifest = path.join(import.meta.dirname, "../../node_modules/hono/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  return {
    ...child,
    name: "hono",
    version,
    request: requestTo(child.port),
    openSink: unsupported,
    openSource: unsupported,
  };
}
