/**
 * Hears out a client that was refused while it was still sending.
 *
 * Where a connection is closed on input that nobody has read, the system resets it, and the reset may overtake the answer: the
 * client learns that something broke instead of what was wrong. So the answer goes out at once, but its end waits until the
 * rest of the request has come and been thrown away, or for `lingerMs`.
 *
 * Source: RFC 9112 §9.6.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";

/** Prepares a response whose request has a body. Cheap where the body is read to its end, which is nearly always. */
export function lingerFor(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  const end = response.end.bind(response);
  const endLater = (chunk?: unknown): ServerResponse => {
    response.end = end;
    if (request.complete || request.destroyed) return chunk === undefined ? end() : end(chunk);
    if (chunk !== undefined) response.write(chunk);
    discard(request, clock, () => end());
    return response;
  };
  // Callers of ours give at most a chunk; encoding and callback are for others.
  response.end = endLater as typeof response.end;
}

/** Reads and throws away until the request ends, breaks off or takes too long; then calls `done`, once. */
function discard(request: IncomingMessage, clock: Clock, done: () => void): void {
  const finish = (): void => {
    cancel();
    request.off("end", finish).off("close", finish);
    done();
  };
  const cancel = clock.setTimer(finish, limits.lingerMs);
  request.on("end", finish).on("close", finish);
  // Whoever began to read and gave up would stop the flow again: streams of the web pause what they are not asked for.
  request.removeAllListeners("data").resume();
}

/** Whether a request says that it has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}
