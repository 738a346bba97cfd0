/**
 * Requests of one connection, one after the other.
 *
 * Node hands over every request as soon as it is parsed. A client may send a thousand in one segment, and all their answers
 * would be made at once and wait in memory: 50 KB of requests for 70 MB of answers. So a request that came before the one
 * ahead was answered waits, unanswered, and there may not be many of those.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { limits } from "../../limits.ts";

/** Answers a request. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A socket of Node; what it is answering at this moment is not documented, and other runtimes do not tell. */
type WithAnswer = Socket & { readonly _httpMessage?: ServerResponse | null };

/**
 * Makes a listener that calls `answer` for one request of a connection at a time.
 *
 * @param most Requests that may wait on one connection; with one more it is cut off.
 */
export function inTurn(answer: Listener, most: number = limits.pipelinedRequests): Listener {
  const queues = new WeakMap<Socket, (readonly [IncomingMessage, ServerResponse])[]>();

  const goOn = (socket: WithAnswer): void => {
    const queue = queues.get(socket);
    const next = queue?.shift();
    if (queue?.length === 0) queues.delete(socket);
    if (next === undefined || socket.destroyed) return;
    const [request, response] = next;
    answer(request, response);
    if (queues.has(socket)) response.once("close", () => goOn(socket));
  };

  return (request, response) => {
    const socket = request.socket as WithAnswer;
    const { _httpMessage: answering } = socket;
    if (answering === undefined || answering === null || answering === response) return answer(request, response);
    // What else was in the segment that had one too many is parsed all the same.
    if (socket.destroyed) return;
    const queue = queues.get(socket);
    if (queue === undefined) {
      queues.set(socket, [[request, response]]);
      answering.once("close", () => goOn(socket));
    } else if (queue.length < most) queue.push([request, response]);
    else {
      queues.delete(socket);
      socket.destroy();
    }
  };
}
