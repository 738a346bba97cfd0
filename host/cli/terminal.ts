/**
 * The process as a command sees it: streams, environment, time and the wish to stop. Passed in, so that commands can be
 * run by tests with streams of their own.
 */
import type { Readable } from "node:stream";
import type { Clock } from "../clock.ts";
import { createStyle, type Screen, type Style, wantsColour, widthOf } from "./style.ts";

/** Standard output or error: a stream that may be a terminal. */
export interface OutputStream extends NodeJS.WritableStream, Screen {}

/** What every command gets. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly clock: Clock;
  /** Colours of standard output. */
  readonly style: Style;
  /** Columns of standard output; undefined where lines need not be cut. */
  readonly width: number | undefined;
  /** Whether what stands on standard output can be drawn again. */
  readonly live: boolean;
  /** Aborted by the first SIGINT or SIGTERM, and when nobody reads standard output any more. */
  readonly stop: AbortSignal;
  /** True once a reader of standard output has gone (`| head`): an end, not a failure. */
  readonly outputClosed: () => boolean;
  /** Lines to standard output. False where the reader is slower: then wait for {@link Terminal.drained}. */
  print(lines: string): boolean;
  /** Resolves when the reader of standard output has caught up, or gone. */
  drained(): Promise<void>;
  /** One line to standard error, after `sluice: `. */
  note(line: string): void;
  /** Text to standard error as it is, for help that belongs to an error. */
  error(text: string): void;
  /**
   * Replaces the progress line on a terminal's standard error; undefined takes it away. Nothing where it is no terminal.
   *
   * @param line Called only when it is time to draw, so it may be offered for every event.
   */
  progress(line: (() => string) | undefined): void;
  /** Resolves when what was printed has left the process. */
  flush(): Promise<void>;
}

/** Streams of the process and the clock that counts real time. */
export interface TerminalOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: Clock;
  readonly stop: AbortController;
}

/** What is over sooner shows no progress. */
const PROGRESS_AFTER_MS = 1_000;
/** Progress is redrawn at most this often: faster than the eye, slow enough to cost nothing. */
const PROGRESS_EVERY_MS = 100;

/**
 * Binds a command to its streams.
 *
 * A closed standard output (EPIPE) aborts `stop` instead of throwing; any other error of it does too, and is told.
 */
export function createTerminal(options: TerminalOptions): Terminal {
  const { env, stdin, stdout, stderr, clock, stop } = options;
  const errorStyle = createStyle(wantsColour(stderr, env));
  const errorWidth = widthOf(stderr, env) ?? 80;
  const live = stderr.isTTY === true && env["TERM"] !== "dumb";
  let closed = false;
  let shown = false;
  // As if it had been drawn just now, so that the first one comes after PROGRESS_AFTER_MS.
  let drawnAt = clock.now() + PROGRESS_AFTER_MS - PROGRESS_EVERY_MS;

  const clear = (): void => {
    if (shown) stderr.write("\r\u001b[K");
    shown = false;
  };
  const note = (line: string): void => {
    clear();
    stderr.write(`${errorStyle.dim("sluice:")} ${line}\n`);
  };
  stdout.on("error", (reason: NodeJS.ErrnoException) => {
    if (!closed && reason.code !== "EPIPE") note(`cannot write the output: ${reason.message}`);
    closed = true;
    stop.abort();
  });
  // A reader of the error stream that has gone is no reason to die, and there is nobody to tell.
  stderr.on("error", () => undefined);

  return {
    env,
    stdin,
    clock,
    style: createStyle(wantsColour(stdout, env)),
    width: widthOf(stdout, env),
    live: stdout.isTTY === true && env["TERM"] !== "dumb",
    stop: stop.signal,
    outputClosed: () => closed,
    print(lines) {
      if (closed) return true;
      // Only where both share a terminal can the progress line stand in the way.
      if (stdout.isTTY === true) clear();
      return stdout.write(`${lines}\n`);
    },
    drained: () =>
      new Promise((resolve) => {
        if (closed) return resolve();
        stdout.once("drain", resolve);
        stop.signal.addEventListener("abort", () => resolve(), { once: true });
      }),
    note,
    error(text) {
      clear();
      stderr.write(text);
    },
    progress(line) {
      if (!live) return;
      if (line === undefined) return clear();
      const now = clock.now();
      if (now - drawnAt < PROGRESS_EVERY_MS) return;
      drawnAt = now;
      shown = true;
      stderr.write(`\r\u001b[K${errorStyle.dim(line().slice(0, errorWidth - 1))}`);
    },
    flush: () =>
      new Promise((resolve) => {
        clear();
        if (closed) return resolve();
        stdout.write("", () => resolve());
      }),
  };
}
