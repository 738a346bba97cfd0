/**
 * Who may ask: pages of which origins, under which names, how often. And what browsers are told about it (CORS).
 *
 * A host without credentials trusts whoever reaches it, so it must see to it that web pages do not: a page of anywhere runs
 * on the reader's machine and reaches its loopback. Three rules keep them out.
 *
 * - A request that says it comes from a page (`Origin`) is refused unless that origin is allowed, reading included: a stream
 *   costs something even where the page may not look at it.
 * - A host on loopback takes only requests for loopback names (`Host`). A name of somebody else that suddenly leads to
 *   127.0.0.1 (DNS rebinding) makes page and host one origin, and browsers then send no `Origin` when they read.
 * - Bodies need a media type that a page cannot send without asking first (request.ts).
 *
 * Source: Fetch standard §3.2 (CORS protocol); docs/adr/0012.
 */
import { SluiceError } from "../errors.ts";
import { createOriginCheck, isLoopbackName, type OriginCheck } from "../socket/websocket/handshake.ts";

/** The rules of one host. */
export interface Access {
  readonly isAllowedOrigin: OriginCheck;
  /** Whether a request for that name and port is meant for this host. */
  isAllowedHost(host: string): boolean;
}

/** What {@link createAccess} takes. */
export interface AccessSettings {
  /** Further origins, as browsers send them: "https://example.org". Their host names are names of this host, too. */
  readonly origins: readonly string[];
  /** Whether the host listens on loopback only. */
  readonly loopback: boolean;
}

/** Makes the rules. */
export function createAccess({ origins, loopback }: AccessSettings): Access {
  const names = new Set(origins.filter((origin) => URL.canParse(origin)).map((origin) => new URL(origin).hostname));
  // Nearly all requests of a host name it in the same way.
  let former = "";
  const isAllowedHost = (host: string): boolean => {
    if (!loopback || host === former) return true;
    const name = nameOfHost(host);
    const allowed = isLoopbackName(name) || names.has(name);
    if (allowed) former = host;
    return allowed;
  };
  return Object.freeze({ isAllowedOrigin: createOriginCheck(origins, loopback), isAllowedHost });
}

/**
 * Checks where a request comes from and where it was meant to go.
 *
 * @param origin Of the page that made it; undefined where it is not from a page, or from one of this host that reads.
 * @param host What it was sent to, with the port.
 * @returns `forbidden`, or undefined where the request may pass.
 */
export function accessRefusal(access: Access, origin: string | undefined, host: string): SluiceError | undefined {
  if (!access.isAllowedHost(host)) {
    const shown = host.slice(0, 128);
    return new SluiceError(
      "forbidden",
      `Cannot answer for "${shown}", this host serves loopback names only; a proxy's name is allowed by --origin`,
      { value: shown, limit: ["localhost", "127.0.0.1", "[::1]"] },
    );
  }
  if (origin === undefined || access.isAllowedOrigin(origin, host)) return undefined;
  const shown = origin.slice(0, 128);
  return new SluiceError(
    "forbidden",
    `Cannot serve pages of ${shown}, their origin is not allowed; --origin allows it`,
    {
      value: shown,
    },
  );
}

/** Headers of answers that pages may read beside the few that every page may. */
const EXPOSED =
  "ETag, Idempotency-Replayed, Location, Retry-After, Sluice-Dropped, Sluice-Numbers, Sluice-Recovered, X-Request-Id";
/** Headers that pages may send beside the few that every page may. */
const SENDABLE = [
  "accept",
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "last-event-id",
  "x-request-id",
];
/** How long browsers may remember the answer to a preflight, in seconds; Chromium takes no more. */
const PREFLIGHT_SECONDS = "7200";

/** What every answer to a page of an allowed origin carries. No cookies are used, so credentials are not let in. */
export function corsHeaders(origin: string): Readonly<Record<string, string>> {
  return { "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED, Vary: "Origin" };
}

/**
 * What an answer to a preflight carries besides.
 *
 * @param methods Of the resource.
 * @param asked Access-Control-Request-Headers: attributes of CloudEvents (`ce-…`) have names that nobody can list before.
 * @param network Whether the browser asks to go from a public page to a private address.
 */
export function preflightHeaders(
  methods: readonly string[],
  asked: string | undefined,
  network: boolean,
): Readonly<Record<string, string>> {
  const events = (asked ?? "").toLowerCase().match(/(?<![\w-])ce-[a-z0-9]{1,64}(?![\w-])/g) ?? [];
  return {
    "Access-Control-Allow-Methods": methods.join(", "),
    "Access-Control-Allow-Headers": [...SENDABLE, ...new Set(events.slice(0, 64))].join(", "),
    "Access-Control-Max-Age": PREFLIGHT_SECONDS,
    ...(network ? { "Access-Control-Allow-Private-Network": "true" } : {}),
  };
}

/** The name in "name:port"; brackets of IPv6 stay. */
function nameOfHost(host: string): string {
  return /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host)?.[1]?.toLowerCase() ?? "";
}
