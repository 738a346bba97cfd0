/**
 * The HTTP server: the control plane by Hono, `/v1/socket` by us.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { FastPublish } from "../../control/fast-publish.ts";
import { problemAnswer } from "../../control/problem.ts";
import { problemBody, problemContentType, type SluiceError, sluiceErrorFrom } from "../../errors.ts";
import { negotiate, type OriginCheck } from "../../socket/websocket/handshake.ts";
import type { Admission } from "./admission.ts";
import { Bodies } from "./bodies.ts";
import { answerUnreadable, asksForStream, type BoundFetch, createStreamListener } from "./hand-over.ts";
import { hasBody, lingerFor } from "./linger.ts";
import { createPublishListener } from "./publish.ts";
import type { CarrySettings } from "./tcp.ts";
import { inTurn } from "./turns.ts";
import { createUpgrade, HttpRequest, isSocketPath, refuseConnection, refuseUnreadable } from "./upgrade.ts";

/** Looks at slow requests within the shortest of their limits: Node's own 30 s would let them live four times as long. */
const CHECKS = 4;

/** Makes the HTTP server, not listening yet. */
export function createHttp(
  fetch: BoundFetch,
  fastPublish: FastPublish,
  settings: CarrySettings,
  isAllowed: OriginCheck,
): Server {
  const { handshakeMs, requestMs, stallMs } = settings.service.options;
  const control = getRequestListener(
    (request, { incoming }) => fetch(request, { client: incoming.socket.remoteAddress }),
    { overrideGlobalObjects: false, errorHandler: answerUnreadable },
  );
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (hasBody(request)) lingerFor(request, response, settings.service.clocks.real);
    void control(request, response);
  };
  const stream = createStreamListener(fetch, settings);
  const publish = createPublishListener(fastPublish, answer);
  const bodies = new Bodies();
  const server = createServer(
    {
      IncomingMessage: HttpRequest,
      headersTimeout: handshakeMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.ceil(Math.min(handshakeMs, requestMs) / CHECKS),
      noDelay: true,
    },
    inTurn((request, response) => {
      const crowded = bodies.admit(request);
      if (crowded !== undefined) answerCrowded(response, crowded);
      else if (isSocketPath(request.url ?? "")) answerNoUpgrade(request, response, isAllowed);
      else if (asksForStream(request)) void stream(request, response);
      else if (!publish(request, response)) answer(request, response);
    }),
  );
  server.on("upgrade", createUpgrade(settings, isAllowed, randomUUID));
  admitBeforeReading(server, settings.admission);
  closeUnread(server, stallMs);
  // What is no HTTP at all never ends the process.
  server.on("clientError", (error, socket) => refuseUnreadable(socket as Socket, error, randomUUID()));
  return server;
}

/** Puts admission before Node's own listener: a connection that is one too many is told so, and never read. */
function admitBeforeReading(server: Server, admission: Admission | undefined): void {
  const accept = server.listeners("connection");
  if (admission === undefined || accept.length === 0) return;
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    try {
      admission.admit(socket);
    } catch (error) {
      return refuseConnection(socket, sluiceErrorFrom(error), randomUUID());
    }
    for (const listener of accept) listener.call(server, socket);
  });
}

/** Closes connections whose client leaves an answer unread. One that is merely idle is Node's to close, or waits for a poll. */
function closeUnread(server: Server, stallMs: number): void {
  server.setTimeout(stallMs, (socket: Socket) => {
    if (socket.writableLength > 0) socket.destroy();
    else socket.setTimeout(stallMs);
  });
}

/** The body is left where it is: the connection ends with this answer. */
function answerCrowded(response: ServerResponse, error: SluiceError): void {
  const { status, headers, body } = problemAnswer(error, randomUUID());
  response.writeHead(status, { ...headers, connection: "close", "content-length": Buffer.byteLength(body) }).end(body);
}

/** A request for the socket that does not ask to upgrade. */
function answerNoUpgrade(request: IncomingMessage, response: ServerResponse, isAllowed: OriginCheck): void {
  const handshake = negotiate({ method: request.method ?? "", headers: request.headers }, isAllowed);
  // An upgrade that is asked for properly comes as 'upgrade', so there is always something to refuse here.
  if (handshake.ok) return void response.writeHead(500).end();
  const body = Buffer.from(JSON.stringify(problemBody(handshake.error, randomUUID(), handshake.status)));
  const fields = { "content-type": problemContentType, "content-length": body.length };
  response.writeHead(handshake.status, { ...handshake.headers, ...fields });
  response.end(body);
}
