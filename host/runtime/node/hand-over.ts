/**
 * Responses that go on as sessions: the header by node:http, everything behind it straight to the socket under it, like a
 * WebSocket. A response written chunk by chunk would cost several calls, copies and a promise per write.
 *
 * The body ends with the connection (RFC 9112 §6.3), so it needs no framing: what is cut off is an event that no client
 * dispatches.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { problemAnswer } from "../../control/problem.ts";
import type { ControlBindings, HandedOver } from "../../control/request.ts";
import { SluiceError, sluiceErrorFrom } from "../../errors.ts";
import { SocketAdapter } from "./socket-adapter.ts";
import type { CarrySettings } from "./tcp.ts";

/** Answers one request; the app gets what this runtime knows of it. */
export type BoundFetch = (request: Request, bindings: ControlBindings) => Response | Promise<Response>;

/** A subscription, however it is asked for: curl accepts anything and names nothing. */
const subscriptionPattern = /^\/v1\/channels\/[^/?]+\/events(?:\?|$)/;

/** Whether a request may be answered by a stream: only those need what follows. */
export function asksForStream({ method, headers, url = "" }: IncomingMessage): boolean {
  if (method !== "GET") return false;
  return subscriptionPattern.test(url) || (headers.accept?.includes("text/event-stream") ?? false);
}

/** Makes the listener for such requests. */
export function createStreamListener(fetch: BoundFetch, settings: CarrySettings) {
  return getRequestListener(
    async (request, { outgoing }) => {
      const response = outgoing as ServerResponse;
      const { socket } = response;
      const slot: { handed: HandedOver | undefined } = { handed: undefined };
      const handOver = (handed: HandedOver): void => {
        slot.handed = handed;
      };
      const answer = await fetch(request, {
        client: socket?.remoteAddress,
        // Not with a response that waits for an earlier one on its connection, nor where sockets are not Node's.
        handOver: canHandOver(socket) ? handOver : undefined,
      });
      if (slot.handed === undefined) return answer;
      begin(slot.handed, response, answer, settings);
      return RESPONSE_ALREADY_SENT;
    },
    { overrideGlobalObjects: false, errorHandler: answerUnreadable },
  );
}

/** Answers a request of whose address or `Host` no URL can be made; the app answers all others, its own faults included. */
export function answerUnreadable(error: unknown): Response {
  const refusal =
    error instanceof RequestError
      ? new SluiceError("malformed", "Cannot read the address or the Host of this request", { cause: error })
      : sluiceErrorFrom(error);
  const { status, headers, body } = problemAnswer(refusal, crypto.randomUUID());
  return new Response(body, { status, headers });
}

function canHandOver(socket: Socket | null): boolean {
  const handle = (socket as { _handle?: { writeQueueSize?: unknown } | null } | null)?._handle;
  return typeof handle?.writeQueueSize === "number";
}

/**
 * Takes a socket away from node:http's parser: what comes after a request whose answer ends with the connection is no request
 * any more (RFC 9112 §9.6), and there would be no way to answer it.
 */
function stopReading(socket: Socket): void {
  // A listener makes the parser let go of the handle; only then are its own listeners all there is.
  const ignore = (): void => {};
  socket.on("data", ignore);
  for (const listener of socket.listeners("data")) {
    if (listener !== ignore) socket.removeListener("data", listener as () => void);
  }
}

function begin(
  { connection, begin: beginWith }: HandedOver,
  response: ServerResponse,
  answer: Response,
  settings: CarrySettings,
): void {
  const { socket } = response;
  // The client may have gone while the answer was made.
  if (socket === null || socket.destroyed) return connection.closed();
  const { service, keepAliveMs } = settings;
  response.removeHeader("transfer-encoding");
  response.writeHead(answer.status, [...[...answer.headers].flat(), "connection", "close"]);
  response.flushHeaders();
  socket.setKeepAlive(true, keepAliveMs);
  socket.setTimeout(0);
  stopReading(socket);
  const adapter = new SocketAdapter(socket, service.clocks.real, service.log);
  adapter.connection = connection;
  beginWith(adapter);
}
