/** What routes ask of a request: its body within bounds, its media type, its query, its preconditions. */
import type { Context } from "hono";
import { SluiceError } from "../errors.ts";
import type { Connection, ConnectionAdapter } from "../session/connection.ts";
import { type JsonValue, readJson } from "../socket/json/reader.ts";

/** What the runtime knows of a request; handed to `fetch` beside it. */
export interface ControlBindings {
  /** Address of the client's end of the connection. */
  readonly client?: string | undefined;
  /** Goes on with the answer as a session, without a body; absent where the runtime cannot give us the socket under it. */
  readonly handOver?: ((handed: HandedOver) => void) | undefined;
}

/** A session whose output is the rest of an answer. */
export interface HandedOver {
  readonly connection: Connection;
  /** The header of the answer is written: what follows goes to `carrier`. */
  begin(carrier: ConnectionAdapter): void;
}

/** What middleware leaves for the routes. */
export interface ControlEnv {
  Bindings: ControlBindings;
  Variables: {
    /** Id of the request, for the log and for problems. */
    requestId: string;
  };
}

/** A request under way. */
export type ControlContext = Context<ControlEnv>;

const NOTHING = new Uint8Array(0);

/**
 * Reads the body.
 *
 * @param bytesMax A body that declares more is refused unread; one that does not declare its size (chunked) is cut off as
 *   soon as it is larger.
 * @throws {SluiceError} `body_too_large`, `malformed` where the client broke off.
 */
export async function readBody(context: ControlContext, bytesMax: number): Promise<Uint8Array> {
  const declared = context.req.header("content-length");
  if (declared !== undefined && Number(declared) > bytesMax) throw bodyTooLarge(Number(declared), bytesMax);
  try {
    if (declared !== undefined) {
      const body = new Uint8Array(await context.req.arrayBuffer());
      // A declared size is not to be believed where something in between took the body apart.
      if (body.length > bytesMax) throw bodyTooLarge(body.length, bytesMax);
      return body;
    }
    const stream = context.req.raw.body;
    return stream === null ? NOTHING : await readStream(stream, bytesMax);
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw new SluiceError("malformed", "Cannot read the request body, the client broke off", { cause: thrown });
  }
}

async function readStream(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > bytesMax) {
      await reader.cancel();
      throw bodyTooLarge(bytes, bytesMax);
    }
    chunks.push(value);
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function bodyTooLarge(bytes: number, bytesMax: number): SluiceError {
  return new SluiceError("body_too_large", `Cannot take a body of ${bytes} bytes, limit is ${bytesMax}`, {
    value: bytes,
    limit: bytesMax,
  });
}

/**
 * Checks the media type of a body.
 *
 * It must be declared: pages of other origins can send requests without one, or as text/plain, and no browser asks
 * before; application/json makes browsers ask.
 *
 * @param allowed Media types without parameters, lower case.
 * @throws {SluiceError} `media_type`.
 */
export function assertMediaType(context: ControlContext, allowed: readonly string[]): void {
  const declared = context.req.header("content-type") ?? "";
  const [essence = "", ...parameters] = declared.split(";").map((part) => part.trim().toLowerCase());
  assertNoEncoding(context);
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice("charset=".length)
    .replaceAll('"', "");
  if (allowed.includes(essence) && (charset === undefined || charset === "utf-8" || charset === "utf8")) return;
  const inUtf8 = allowed.some((type) => type.endsWith("json")) ? " in UTF-8" : "";
  const shown = declared === "" ? "without a Content-Type" : `of type "${declared.slice(0, 64)}"`;
  throw new SluiceError("media_type", `Cannot take a body ${shown}, it must be ${allowed.join(" or ")}${inUtf8}`, {
    value: declared.slice(0, 256),
    limit: allowed,
  });
}

/** Refuses compressed bodies. @throws {SluiceError} `media_type`. */
export function assertNoEncoding(context: ControlContext): void {
  const encoding = context.req.header("content-encoding");
  if (encoding === undefined || encoding.toLowerCase() === "identity") return;
  throw new SluiceError("media_type", `Cannot take a body encoded as "${encoding.slice(0, 64)}", send it as it is`, {
    value: encoding.slice(0, 64),
  });
}

/**
 * Reads a JSON body; an empty one is `{}`, so that `curl -X PUT` alone makes a channel of defaults.
 *
 * @throws {SluiceError} `media_type`, `body_too_large`, `malformed`, `not_utf8`, `limit_reached`.
 */
export async function readJsonBody(
  context: ControlContext,
  bytesMax: number,
  allowed: readonly string[],
): Promise<JsonValue> {
  const body = await readBody(context, bytesMax);
  if (body.length === 0) return {};
  assertMediaType(context, allowed);
  const read = readJson(body);
  if (!read.ok) throw read.error;
  return read.value;
}

/**
 * Reads the query. A misspelt parameter is refused like a misspelt field: `?reciept=stored` must not quietly promise less.
 *
 * @param allowed Names that the route knows.
 * @param several Others, which may be given several times and are the caller's to read.
 * @throws {SluiceError} `unknown_field`; `invalid_value` for one that is given twice.
 */
export function readQuery<Name extends string>(
  context: ControlContext,
  allowed: readonly Name[],
  several: readonly string[] = [],
): { readonly [Key in Name]?: string } {
  const query: { [Key in Name]?: string } = {};
  for (const [name, values] of Object.entries(context.req.queries())) {
    if (several.includes(name)) continue;
    const known = allowed.find((candidate) => candidate === name);
    const field = `query.${name.slice(0, 64)}`;
    if (known === undefined)
      throw new SluiceError("unknown_field", `Cannot take the unknown parameter ${field}`, { value: field });
    const [value, ...more] = values;
    if (more.length > 0)
      throw new SluiceError("invalid_value", `Cannot take ${field} ${values.length} times, limit is 1`, {
        value: field,
        limit: 1,
      });
    if (value !== undefined) query[known] = value;
  }
  return query;
}

/**
 * A whole number in a query; undefined where it is absent.
 *
 * @param field Its path, for the error.
 * @throws {SluiceError} `invalid_value` for anything but a whole number within bounds.
 */
export function wholeFrom(field: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new SluiceError(
    "invalid_value",
    `Cannot take ${field} ${JSON.stringify(text.slice(0, 32))}, it must be a whole number from ${least} to ${most}`,
    { value: text.slice(0, 32), limit: most },
  );
}
