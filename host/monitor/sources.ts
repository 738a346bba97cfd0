/**
 * What conditions of kind `monitor` may read: URLs and files, and only what the operator has allowed.
 *
 * Whoever may define a condition could otherwise have this host ask addresses that only it can reach, or tell what is in its files.
 */
import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { isAbsolute, normalize, relative, resolve, sep } from "node:path";
import type { Clock } from "../clock.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What may be read; nothing where absent. */
export interface MonitorRules {
  /** URLs that what is read must begin with: `http://127.0.0.1:9000/metrics`. */
  readonly urls?: readonly string[] | undefined;
  /** Folders, or files, in which what is read must be. */
  readonly paths?: readonly string[] | undefined;
}

/** Reads one kind of source. */
interface Source {
  assertMayRead(target: string): void;
  read(target: string, signal: AbortSignal): Promise<string>;
}

/**
 * Makes what reads.
 *
 * @param real Rules how long a read may take.
 * @throws {SluiceError} `invalid_value` for a rule that is none.
 */
export function createMonitorSources(
  rules: MonitorRules,
  real: Clock,
): { readonly url: Source; readonly path: Source } {
  return { url: urlSource((rules.urls ?? []).map(urlFrom), real), path: pathSource(rules.paths ?? [], real) };
}

function urlFrom(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "") return url;
  throw new SluiceError(
    "invalid_value",
    `Cannot take the URL ${JSON.stringify(text)}, it must be http:// or https://`,
    {
      value: text,
      limit: ["http://", "https://"],
    },
  );
}

function urlSource(allowed: readonly URL[], real: Clock): Source {
  return {
    assertMayRead(target) {
      const url = urlFrom(target);
      if (!allowed.some((prefix) => beginsWith(url, prefix))) throw notAllowed(target, "--monitor-url", "urls");
    },
    read: (target, signal) =>
      within(real, signal, async (both) => {
        let response: Response;
        try {
          // A redirect could lead anywhere.
          response = await fetch(target, {
            redirect: "manual",
            signal: both,
            headers: { accept: "application/json, text/plain" },
          });
        } catch (error) {
          throw new Error(`cannot be reached: ${reasonOf(error)}`);
        }
        if (response.status === 200) return textFrom(response.body ?? []);
        await response.body?.cancel();
        const isRedirect = response.type === "opaqueredirect" || Math.trunc(response.status / 100) === 3;
        throw new Error(`answers ${response.status}${isRedirect ? ", redirects are not followed" : ""}`);
      }),
  };
}

/** Whole segments count; `%2f` could be a way out of them for servers that decode before they look. */
function beginsWith(url: URL, prefix: URL): boolean {
  if (url.origin !== prefix.origin) return false;
  if (prefix.pathname === "/") return true;
  if (/%2f|%5c/i.test(url.pathname) || !url.pathname.startsWith(prefix.pathname)) return false;
  return prefix.pathname.endsWith("/") || ["", "/"].includes(url.pathname.charAt(prefix.pathname.length));
}

function pathSource(allowed: readonly string[], real: Clock): Source {
  const folders = allowed.map((folder) => resolve(folder));
  return {
    assertMayRead(target) {
      if (!isAbsolute(target) || target.includes("\0"))
        throw new SluiceError("invalid_value", `Cannot take the path ${JSON.stringify(target)}, it must be absolute`, {
          value: target,
        });
      const path = normalize(target);
      if (!folders.some((folder) => isWithin(path, folder))) throw notAllowed(target, "--monitor-path", "paths");
    },
    read: (target, signal) =>
      within(real, signal, async () => {
        // A link must not lead out of the folders.
        const path = await realpath(target);
        const places = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));
        if (!places.some((folder) => isWithin(path, folder))) throw new Error("leads out of what may be read");
        // A pipe without a writer would hold a thread up; what a name has become meanwhile is not followed.
        const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
        try {
          if (!(await file.stat()).isFile()) throw new Error("is no file");
          return await textFrom(chunksOf(file));
        } finally {
          await file.close();
        }
      }),
  };
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** Files of /proc say that they are empty, so the size is not asked. */
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(4_096), 0, 4_096, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** At most as much as a value may be written with. */
async function textFrom(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limits.monitorBytes) throw new Error(`says more than ${limits.monitorBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Bounds a read in time. What cannot be ended, as on a file system that hangs, is left behind. */
async function within(
  real: Clock,
  ended: AbortSignal,
  read: (signal: AbortSignal) => Promise<string>,
): Promise<string> {
  const late = new AbortController();
  const cancel = real.setTimer(() => late.abort(), limits.monitorMs);
  const signal = AbortSignal.any([ended, late.signal]);
  const over = new Promise<never>((_resolve, reject) => {
    const why = (): void =>
      reject(new Error(late.signal.aborted ? `says nothing for ${limits.monitorMs} ms` : "ended"));
    if (signal.aborted) why();
    else signal.addEventListener("abort", why, { once: true });
  });
  try {
    return await Promise.race([over, read(signal)]);
  } finally {
    cancel();
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}

function notAllowed(target: string, flag: string, option: string): SluiceError {
  return new SluiceError(
    "forbidden",
    `Cannot read ${JSON.stringify(target.slice(0, 128))}, this host may not: allow it by ${flag} (embedded: monitors.${option})`,
    { value: target.slice(0, 256), limit: flag },
  );
}
