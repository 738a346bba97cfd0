/**
 * The client of the command line: requests of the control plane over HTTP. Sessions are in session.ts.
 *
 * It speaks only the documented surface, so whatever it can do, any program can.
 */
import { CliError, errorFromNetwork, errorFromProblem, type ProblemLike } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Where the host is, and who asks. */
export interface Target {
  /** Base URL without a trailing slash, for example `http://127.0.0.1:7480`. */
  readonly url: string;
  readonly token: string | undefined;
}

/** An answer of the host that is no problem. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined for 204. */
  readonly body: unknown;
}

/** Where a host listens unless told otherwise. */
export const URL_DEFAULT = "http://127.0.0.1:7480";
/** A control request that takes longer is given up: a host answers these from memory. */
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Resolves URL and token: `--url` over SLUICE_URL over the default; SLUICE_TOKEN only, since arguments can be read by
 * every user of a machine.
 *
 * @throws {CliError} with exit code 2 for something that is no http or https URL.
 */
export function targetFrom(options: { readonly url?: string | undefined }, env: Terminal["env"]): Target {
  // An empty variable is how shells unset one for a single command.
  const given = options.url ?? (env["SLUICE_URL"] || URL_DEFAULT);
  const where = options.url === undefined ? "SLUICE_URL" : "--url";
  const text = /^[a-z]+:\/\//i.test(given) ? given : `http://${given}`;
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new CliError(`${where} "${given}" is not a URL, for example ${URL_DEFAULT}`, { exitCode: 2, cause });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new CliError(`${where} "${given}" is not http or https, for example ${URL_DEFAULT}`, { exitCode: 2 });
  }
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`, token: env["SLUICE_TOKEN"] || undefined };
}

/**
 * One request to the control plane.
 *
 * @param path Path below the base URL, for example `/v1/channels`.
 * @returns Any 2xx answer with its JSON body.
 * @throws {CliError} the host's problem, or what stood between us and it.
 */
export async function request(
  target: Target,
  method: string,
  path: string,
  options: {
    /** Sent as JSON. */
    readonly body?: unknown;
    /** Sent as it is. */
    readonly raw?: Uint8Array | FormData;
    readonly headers?: Readonly<Record<string, string>>;
    readonly stop?: AbortSignal;
  } = {},
): Promise<Answer> {
  const headers = withToken(target, { accept: "application/json", ...options.headers });
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const init: RequestInit = {
    method,
    headers,
    signal: options.stop === undefined ? timeout : AbortSignal.any([timeout, options.stop]),
  };
  if (options.body !== undefined) {
    headers["content-type"] ??= "application/json";
    init.body = JSON.stringify(options.body);
  }
  if (options.raw !== undefined) init.body = options.raw as BodyInit;
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${target.url}${path}`, init);
    text = await response.text();
  } catch (reason) {
    if (timeout.aborted) {
      throw new CliError(`${target.url} did not answer within ${REQUEST_TIMEOUT_MS} ms`, { cause: reason });
    }
    throw errorFromNetwork(reason, target.url);
  }
  const body = jsonFromBody(text);
  if (response.ok) return { status: response.status, headers: response.headers, body };
  throw errorFromProblem(problemFromBody(body, response, target));
}

/** Header fields with those that say who asks. */
export function withToken({ token }: Target, headers: Readonly<Record<string, string>>): Record<string, string> {
  return { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
}

/** Percent-encodes a channel name for a path: `/` in a name is not a path separator. */
export function channelPath(channel: string): string {
  return `/v1/channels/${encodeURIComponent(channel)}`;
}

/** All resources of a list, page after page. */
export async function* listed(target: Target, path: string): AsyncGenerator<unknown> {
  let cursor: string | null = null;
  do {
    const query: string =
      cursor === null ? "" : `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
    const { body } = await request(target, "GET", `${path}${query}`);
    const page = body as { data?: unknown; next?: unknown };
    if (!Array.isArray(page?.data))
      throw new CliError(`${target.url}${path} did not answer a list; is it a Sluice host?`);
    yield* page.data;
    cursor = typeof page.next === "string" ? page.next : null;
  } while (cursor !== null);
}

function jsonFromBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemFromBody(body: unknown, response: Response, target: Target): ProblemLike {
  if (typeof body === "object" && body !== null && ("code" in body || "title" in body)) return body as ProblemLike;
  // Something else answers there, or a proxy stands in between: the status is all there is to tell.
  return { detail: `${target.url} answered ${response.status} ${response.statusText}, which no Sluice host does` };
}
