/**
 * The opening handshake of a WebSocket, as a decision about a request: no socket, no runtime.
 *
 * Source: RFC 6455 §4.2 (server), §11.3; RFC 9110 §15.5.22 (426). No extension is ever negotiated.
 */
import { SluiceError } from "../../errors.ts";
import type { ConnectionKind } from "../../session/connection.ts";

/** What of a request matters. Names of headers are in lower case. */
export interface UpgradeRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Says whether a page of that origin may connect. */
export type OriginCheck = (origin: string, host: string) => boolean;

/** What to do with the request. */
export type Handshake =
  | {
      readonly ok: true;
      readonly kind: ConnectionKind;
      readonly protocol: string;
      /** The key to be hashed for Sec-WebSocket-Accept. */
      readonly key: string;
      /** A token that came as a subprotocol, or in Authorization. */
      readonly token: string | undefined;
    }
  | {
      readonly ok: false;
      readonly status: number;
      readonly error: SluiceError;
      readonly headers: Readonly<Record<string, string>>;
    };

/** Subprotocols, the preferred one first where a client offers both. */
export const subprotocols: Readonly<Record<string, ConnectionKind>> = Object.freeze({
  "sluice.v1.proto": "websocket",
  "sluice.v1.json": "websocket-json",
});

/** Hashed together with the key (RFC 6455 §1.3). */
export const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const BEARER = "bearer.";
const VERSION = "13";

/**
 * Decides about a request for `/v1/socket`.
 *
 * @param isAllowed Asked only where a browser sent an Origin.
 * @returns The first of the client's subprotocols that we speak wins: it knows what it prefers.
 */
export function negotiate(request: UpgradeRequest, isAllowed: OriginCheck): Handshake {
  const { method } = request;
  if (method !== "GET")
    return refuse(405, "method_not_allowed", `Cannot open a WebSocket by ${method}, only by GET`, { allow: "GET" });
  if (
    !tokens(header(request, "upgrade")).includes("websocket") ||
    !tokens(header(request, "connection")).includes("upgrade")
  ) {
    return upgradeRequired("This address speaks WebSocket: send Upgrade: websocket");
  }
  const version = header(request, "sec-websocket-version");
  if (version !== VERSION)
    return upgradeRequired(`WebSocket version ${version || "(none)"} is not spoken here, only ${VERSION}`);
  const key = header(request, "sec-websocket-key");
  if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key)) {
    return refuse(400, "websocket_protocol", "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  const origin = header(request, "origin");
  if (origin !== "" && !isAllowed(origin, header(request, "host"))) {
    return refuse(
      403,
      "forbidden",
      `Pages of ${origin.slice(0, 128)} may not connect to this host`,
      {},
      origin.slice(0, 128),
    );
  }
  const offered = list(header(request, "sec-websocket-protocol"));
  const protocol = offered.find((name) => Object.hasOwn(subprotocols, name));
  const kind = protocol === undefined ? undefined : subprotocols[protocol];
  if (protocol === undefined || kind === undefined) {
    const known = Object.keys(subprotocols);
    return refuse(
      400,
      "websocket_protocol",
      `Offer one of the subprotocols ${known.join(", ")}`,
      {},
      offered.filter(isNoSecret).join(", "),
    );
  }
  return { ok: true, kind, protocol, key, token: tokenFrom(offered, header(request, "authorization")) };
}

/** Browsers cannot set headers on a WebSocket, so the token may come as a subprotocol; it is never echoed. */
function tokenFrom(offered: readonly string[], authorization: string): string | undefined {
  const bearer = offered.find((name) => name.startsWith(BEARER));
  if (bearer !== undefined) return bearer.slice(BEARER.length);
  return /^bearer +(\S+)$/i.exec(authorization)?.[1];
}

function isNoSecret(name: string): boolean {
  return !name.startsWith(BEARER);
}

function upgradeRequired(detail: string): Handshake {
  const headers = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": VERSION };
  return { ok: false, status: 426, error: new SluiceError("websocket_protocol", detail), headers };
}

function refuse(
  status: number,
  code: SluiceError["code"],
  detail: string,
  headers: Readonly<Record<string, string>> = {},
  value?: string,
): Handshake {
  return { ok: false, status, error: new SluiceError(code, detail, value === undefined ? {} : { value }), headers };
}

/** Repeated headers count as one list (RFC 9110 §5.2). */
function header(request: UpgradeRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value.trim() : value === undefined ? "" : value.join(", ").trim();
}

function list(value: string): string[] {
  return value === "" ? [] : value.split(",").map((part) => part.trim());
}

function tokens(value: string): string[] {
  return list(value.toLowerCase());
}

/**
 * The rule about origins. Without one any web page could talk to a host on its reader's own machine.
 *
 * A host that listens on loopback takes pages from loopback only, whatever their `Host` header says: a name of somebody
 * else that suddenly leads to 127.0.0.1 (DNS rebinding) makes origin and host equal. Other hosts take their own pages.
 *
 * @param allowed Further origins, as browsers send them: "https://example.org".
 * @param loopback Whether the host listens on loopback only.
 */
export function createOriginCheck(allowed: readonly string[], loopback: boolean): OriginCheck {
  return (origin, host) => {
    if (allowed.includes(origin)) return true;
    if (!URL.canParse(origin)) return false;
    const { host: originHost, hostname } = new URL(origin);
    return loopback ? isLoopbackName(hostname) : originHost === host;
  };
}

/** Whether a name or address means this machine. Brackets around IPv6 are taken. */
export function isLoopbackName(name: string): boolean {
  const bare = name.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost") || bare === "::1") return true;
  return /^(::ffff:)?127(\.\d{1,3}){3}$/.test(bare);
}
