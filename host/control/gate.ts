/**
 * What every request passes before its route: it gets an id, and is turned away where it may not ask, or not now.
 *
 * One middleware and no promise of its own: it stands in the way of every published event.
 */
import type { Clients } from "../clients.ts";
import { SluiceError } from "../errors.ts";
import { type Access, accessRefusal, corsHeaders } from "./access.ts";

/** Ids that a client or proxy may give its requests: they end up in logs. */
const requestIdPattern = /^[A-Za-z0-9._-]{1,64}$/;
/** Requests that change nothing. They go on to the end of a drain, so that an operator can watch it. */
const READING = new Set(["GET", "HEAD", "OPTIONS"]);

/** What the gate asks. */
export interface GateSettings {
  readonly service: { readonly draining: boolean };
  readonly access: Access;
  readonly clients: Clients;
  readonly requestId: () => string;
}

/** What the gate looks at, whatever requests are made of. */
export interface GateRequest {
  readonly method: string;
  /** Address of the client. */
  readonly client: string | undefined;
  /** A field by its name in lower case. */
  header(name: string): string | undefined;
}

/** What the gate says of a request. */
export interface Passed {
  /** Id of the request. */
  readonly id: string;
  /** Why it may not pass: `rate_limited`, `forbidden`, `draining`. */
  readonly refusal: SluiceError | undefined;
}

/** Looks at a request, once; `setHeader` gets the fields of the answer, whatever that will be. */
export type Gate = (request: GateRequest, setHeader: (name: string, value: string) => void) => Passed;

/** Makes the gate. */
export function createGate({ service, access, clients, requestId }: GateSettings): Gate {
  const refusalOf = (request: GateRequest, setHeader: (name: string, value: string) => void) => {
    // Counted first, whatever else is wrong with it, and told last, so that a page that may ask can read when to come back.
    const crowded = clients.request(request.client);
    const origin = request.header("origin");
    const barred = accessRefusal(access, origin, request.header("host") ?? "");
    if (barred !== undefined) return barred;
    // From here on the page may read what it is told, refusals included.
    if (origin !== undefined) for (const [name, value] of Object.entries(corsHeaders(origin))) setHeader(name, value);
    if (crowded !== undefined) return crowded;
    if (service.draining && !READING.has(request.method))
      return new SluiceError("draining", "Cannot change anything, the host is shutting down");
    return undefined;
  };
  return (request, setHeader) => {
    const given = request.header("x-request-id");
    const id = given !== undefined && requestIdPattern.test(given) ? given : requestId();
    setHeader("X-Request-Id", id);
    setHeader("X-Content-Type-Options", "nosniff");
    return { id, refusal: refusalOf(request, setHeader) };
  };
}
