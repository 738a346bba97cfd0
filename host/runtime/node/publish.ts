/**
 * Publishes over HTTP by the fast way: from node:http to the core and back, without a Request and a Response.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastPublish, PlainRequest } from "../../control/fast-publish.ts";

/** Answers a request in the usual way. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A body that was read already; `@hono/node-server` takes it from there. */
interface WithBody extends IncomingMessage {
  rawBody?: Buffer;
}

class NodeRequest implements PlainRequest {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  get method(): string {
    return this.#incoming.method ?? "";
  }

  get target(): string {
    return this.#incoming.url ?? "";
  }

  get client(): string | undefined {
    return this.#incoming.socket.remoteAddress;
  }

  header(name: string): string | undefined {
    // Only `set-cookie` is ever an array.
    return this.#incoming.headers[name] as string | undefined;
  }
}

/**
 * Makes a listener for publishes.
 *
 * @param otherwise Answers what turns out to be no plain publish; the body is left for it.
 * @returns A function that says whether it has taken the request.
 */
export function createPublishListener(
  fast: FastPublish,
  otherwise: Listener,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (incoming, response) => {
    const request = new NodeRequest(incoming);
    if (fast.bodyBytes(request) < 0) return false;
    let body: Buffer | undefined;
    let more: Buffer[] | undefined;
    incoming.on("data", (chunk: Buffer) => {
      if (body === undefined) body = chunk;
      else if (more === undefined) more = [body, chunk];
      else more.push(chunk);
    });
    // A client that breaks off ends nothing: there is nobody to answer.
    incoming.on("end", () => {
      const whole = more === undefined ? (body ?? Buffer.alloc(0)) : Buffer.concat(more);
      const answer = fast.answer(request, whole);
      if (answer === undefined) {
        (incoming as WithBody).rawBody = whole;
        return otherwise(incoming, response);
      }
      const length = String(Buffer.byteLength(answer.body));
      response.writeHead(answer.status, [...answer.headers, "Content-Length", length]);
      response.end(answer.body);
    });
    return true;
  };
}
