/**
 * WebSocket: after the handshake the socket is ours and the core does the framing.
 */
import { createHash } from "node:crypto";
import { IncomingMessage, maxHeaderSize, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { codes, problemBody, problemContentType, SluiceError, sluiceErrorFrom } from "../../errors.ts";
import { ACCEPT_GUID, negotiate, type OriginCheck } from "../../socket/websocket/handshake.ts";
import { type CarrySettings, carry, hangUp } from "./tcp.ts";

/** Where sessions are opened. */
export const SOCKET_PATH = "/v1/socket";

/** Whether a request target is that path; queries are ignored, a second slash or dots are another path. */
export function isSocketPath(target: string): boolean {
  return target === SOCKET_PATH || target.startsWith(`${SOCKET_PATH}?`);
}

/** What Node's parser says of a request: that it has an Upgrade header, or is CONNECT. */
const asked = Symbol("asked");

/**
 * A request that counts as an upgrade only where it asks for a WebSocket; to be given to `createServer`.
 *
 * Where there is a listener for 'upgrade', Node takes every request with an Upgrade header away from the app. But clients
 * that speak HTTP/2 as well offer it with each request (`curl --http2`, Java's HttpClient), and RFC 9110 §7.8 has a server
 * ignore what it does not want.
 */
export class HttpRequest extends IncomingMessage {
  // Not a private field: the constructor of IncomingMessage sets `upgrade` before there are any.
  [asked]?: boolean;

  get upgrade(): boolean {
    if (this[asked] !== true) return false;
    return this.method === "CONNECT" || /\bwebsocket\b/i.test(this.headers.upgrade ?? "");
  }

  set upgrade(value: boolean | null) {
    this[asked] = value === true;
  }
}

/**
 * Makes the listener for 'upgrade' of an HTTP server.
 *
 * @param requestId Names a refusal, for the operator to find it.
 */
export function createUpgrade(
  settings: CarrySettings,
  isAllowed: OriginCheck,
  requestId: () => string,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, duplex, head) => {
    const socket = duplex as Socket;
    socket.on("error", () => {});
    const fail = (status: number, error: SluiceError, headers: Readonly<Record<string, string>>): void =>
      refuse(socket, status, error, headers, requestId());
    if (!isSocketPath(request.url ?? "")) {
      return fail(
        404,
        new SluiceError(
          "not_found",
          `There is no WebSocket at ${(request.url ?? "").slice(0, 128)}, only at ${SOCKET_PATH}`,
        ),
        {},
      );
    }
    const handshake = negotiate({ method: request.method ?? "", headers: request.headers }, isAllowed);
    if (!handshake.ok) return fail(handshake.status, handshake.error, handshake.headers);
    const crowded = settings.admission?.ask(socket.remoteAddress);
    if (crowded !== undefined) return fail(codes.rate_limited.status, crowded, retryAfter(crowded));
    try {
      carry(socket, handshake.kind, settings, acceptBytes(handshake.key, handshake.protocol), head);
    } catch (thrown) {
      const error = sluiceErrorFrom(thrown);
      // Too many sessions is this host's trouble, not the request's.
      const status = error.code === "limit_reached" ? 503 : codes[error.code].status;
      fail(status, error, retryAfter(error));
    }
  };
}

function retryAfter({ retryMs = 1_000 }: SluiceError): Readonly<Record<string, string>> {
  return { "retry-after": String(Math.max(1, Math.ceil(retryMs / 1_000))) };
}

/** Tells a connection that is one too many so, before it has asked for anything. */
export function refuseConnection(socket: Socket, error: SluiceError, requestId: string): void {
  socket.on("error", () => {});
  refuse(socket, codes[error.code].status, error, retryAfter(error), requestId);
}

/**
 * Answers what is no request of HTTP, or takes too long to become one. Nothing may be read from such a connection any more.
 *
 * @param error What Node's parser said.
 */
export function refuseUnreadable(socket: Socket, { code }: NodeJS.ErrnoException, requestId: string): void {
  if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, error] = refusalOf(code);
  refuse(socket, status, error, {}, requestId);
}

function refusalOf(code: string | undefined): readonly [status: number, error: SluiceError] {
  if (code === "HPE_HEADER_OVERFLOW") {
    const limit = maxHeaderSize;
    return [431, new SluiceError("limit_reached", `Cannot take headers of more than ${limit} bytes`, { limit })];
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return [408, new SluiceError("frame_timeout", "A request was begun and not finished in time")];
  return [400, new SluiceError("malformed", "Cannot read this as a request of HTTP/1.1")];
}

function acceptBytes(key: string, protocol: string): Uint8Array {
  // SHA-1 is what RFC 6455 §4.2.2 asks for; it guards against confused proxies, not against attackers.
  const accept = createHash("sha1")
    .update(key + ACCEPT_GUID)
    .digest("base64");
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** An HTTP answer by hand: after 'upgrade' Node's own response object is out of reach. */
function refuse(
  socket: Socket,
  status: number,
  error: SluiceError,
  headers: Readonly<Record<string, string>>,
  instance: string,
): void {
  const body = Buffer.from(JSON.stringify(problemBody(error, instance, status)));
  const fields = {
    // Only a 426 says something else here (RFC 9110 §7.8): then the connection may go on to be a WebSocket.
    connection: "close",
    ...headers,
    "content-type": problemContentType,
    "content-length": String(body.length),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("\r\n")}\r\n\r\n`);
  socket.end(body);
  hangUp(socket);
}
