/**
 * What every request passes before its route: it gets an id, and is turned away where it may not ask, or not now.
 *
 * One middleware and no promise of its own: it stands in the way of every published event.
 */
import type { Clients } from "../clients.ts";
import { SluiceError } from "../errors.ts";
import { type Access, accessRefusal, corsHeaders } from "./access.ts";
import type { ControlContext } from "./request.ts";

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

/** Looks at a request; see {@link createGate}. */
export type Gate = (context: ControlContext) => SluiceError | undefined;

/**
 * Makes the gate.
 *
 * @returns A function that prepares the headers of the answer, whatever that will be, and gives the refusal, if there is
 *   one: `rate_limited`, `forbidden`, `draining`.
 */
export function createGate({ service, access, clients, requestId }: GateSettings): Gate {
  return (context) => {
    const { req } = context;
    const given = req.header("x-request-id");
    const id = given !== undefined && requestIdPattern.test(given) ? given : requestId();
    context.set("requestId", id);
    context.header("X-Request-Id", id);
    context.header("X-Content-Type-Options", "nosniff");
    const crowded = clients.request(context.env?.client);
    if (crowded !== undefined) return crowded;
    const origin = req.header("origin");
    const barred = accessRefusal(access, origin, req.header("host") ?? new URL(req.url).host);
    if (barred !== undefined) return barred;
    // From here on the page may read what it is told, refusals included.
    if (origin !== undefined)
      for (const [name, value] of Object.entries(corsHeaders(origin))) context.header(name, value);
    if (service.draining && !READING.has(req.method))
      return new SluiceError("draining", "Cannot change anything, the host is shutting down");
    return undefined;
  };
}
