/**
 * `sluice sub`: joins a channel as a sink and prints what arrives, until it is told to stop.
 */
import { isPattern } from "../channel/pattern.ts";
import { codes, isSluiceError, type SluiceCode } from "../errors.ts";
import { caretLines } from "../expression/caret.ts";
import { parse } from "../expression/parse.ts";
import { type JsonPath, RawJson, readJson } from "../socket/json/reader.ts";
import type { Target } from "./client.ts";
import { CliError, errorFromProblem, lineFromProblem, lineFromReason, messageOf, type ProblemLike } from "./failure.ts";
import { type EventLike, lineFromEvent } from "./render.ts";
import { type Ending, openSession, type Session } from "./session.ts";
import { columnsOf, figure, pad, printable } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import type { AttributeValue } from "./values.ts";

/** What to subscribe to and how to print it. */
export interface SubOptions {
  readonly type?: readonly string[];
  readonly attr?: Readonly<Record<string, AttributeValue>>;
  /** Read here first, so that what is wrong with it is shown below its very words. */
  readonly where?: string;
  readonly ordering?: string;
  /** Events that may wait. */
  readonly capacity?: number;
  readonly overflow?: string;
  /** Ends after so many events. */
  readonly count?: number;
  readonly json?: boolean;
  /** With --json: the whole delivery, not the event alone. */
  readonly delivery?: boolean;
  readonly quiet?: boolean;
}

/** Host frames in JSON, as far as a sink meets them. */
interface HostFrameLike {
  readonly joined?: {
    readonly ref?: number;
    readonly member?: string;
    readonly recovered?: boolean;
    readonly pattern?: string;
  };
  /** With --json each event or delivery is kept as the text that the host sent, otherwise only its data is. */
  readonly deliver?: { readonly events: readonly DeliveryLike[] };
  readonly dropped?: { readonly channel: string; readonly count: number; readonly reason: string };
  readonly left?: { readonly member?: string; readonly reason?: string };
  readonly problem?: ProblemLike & { readonly ref?: number };
  readonly drain?: { readonly retryMs?: number };
}

/** One delivery: whole as text, or its parts. */
type DeliveryLike = RawJson | { readonly channel?: string; readonly event: EventLike | RawJson };

/** Why one session was over. */
type Outcome = { readonly done: true } | { readonly done: false; readonly why: string; readonly waitMs: number };

/** Keeps neighbouring lines of a pattern aligned. */
const CHANNEL_COLUMNS = 16;
const REF_INBOX = 1;
const REF_JOIN = 2;
/** First wait before coming back; doubles up to the last. A restart of a host takes about a second. */
const RECONNECT_FIRST_MS = 250;
const RECONNECT_LAST_MS = 10_000;

/**
 * Prints events until `--count` is reached, the terminal stops, or the host refuses for good.
 *
 * The first connection must succeed; after that a lost host is waited for, with growing pauses, and every loss is told:
 * what was published meanwhile is missed unless the channel stores events.
 *
 * @throws {CliError} where the host refuses the join or closes the session for good.
 */
export async function sub(channel: string, options: SubOptions, target: Target, terminal: Terminal): Promise<void> {
  if (options.delivery === true && options.json !== true)
    throw new CliError("--delivery is about --json: add it", { exitCode: 2 });
  if (options.where !== undefined) assertExpression(options.where, terminal);
  const printer = createPrinter(options, terminal, isPattern(channel));
  let pauseMs = RECONNECT_FIRST_MS;
  for (let attempt = 0; !terminal.stop.aborted; attempt += 1) {
    let outcome: Outcome;
    try {
      outcome = await listen(channel, options, target, terminal, printer, attempt > 0, () => {
        pauseMs = RECONNECT_FIRST_MS;
      });
    } catch (reason) {
      if (terminal.stop.aborted) return;
      if (attempt === 0 || isFinal(reason)) throw reason;
      outcome = { done: false, why: messageOf(reason), waitMs: 0 };
    }
    if (outcome.done || terminal.stop.aborted) return;
    const waitMs = Math.max(outcome.waitMs, pauseMs);
    terminal.note(`${outcome.why}; trying again in ${figure(waitMs / 1000, waitMs < 1000 ? 2 : 0)} s`);
    await pause(waitMs, terminal);
    pauseMs = Math.min(pauseMs * 2, RECONNECT_LAST_MS);
  }
}

/** @throws {CliError} a usage error, after the line of the expression and a caret. */
function assertExpression(where: string, terminal: Terminal): void {
  try {
    parse(where, "sluice");
  } catch (reason) {
    if (!isSluiceError(reason)) throw reason;
    const { line, column } = reason;
    if (line !== undefined && column !== undefined) terminal.error(`${caretLines(where, { line, column })}\n`);
    throw new CliError(`--where: ${lineFromReason(reason)}`, { exitCode: 2, code: reason.code });
  }
}

/** A refusal stays a refusal; a host that cannot be reached, or is on its way down, is waited for. */
function isFinal(reason: unknown): boolean {
  if (!(reason instanceof CliError) || reason.code === undefined) return false;
  return !Object.hasOwn(codes, reason.code) || !codes[reason.code as SluiceCode].retryable;
}

/** One session from hello to its end. */
async function listen(
  channel: string,
  options: SubOptions,
  target: Target,
  terminal: Terminal,
  printer: Printer,
  again: boolean,
  onJoined: () => void,
): Promise<Outcome> {
  let session: Session | undefined;
  let retryMs = 0;
  let member: string | undefined;
  let settled = false;
  let settle: (outcome: Outcome | CliError) => void = () => undefined;
  const over = new Promise<Outcome>((resolve, reject) => {
    settle = (outcome) => {
      settled = true;
      if (outcome instanceof CliError) reject(outcome);
      else resolve(outcome);
    };
  });
  const stopped = (): void => settle({ done: true });
  terminal.stop.addEventListener("abort", stopped, { once: true });
  if (terminal.stop.aborted) stopped();

  const onFrame = (frame: HostFrameLike): void => {
    // What came in the same read as the end is not for this command any more.
    if (settled) return;
    if (frame.deliver !== undefined) {
      const more = printer.print(frame.deliver.events);
      if (printer.full()) settle({ done: true });
      else if (!more && session !== undefined) {
        // Whoever reads our output is slower than the host: stop reading, so that its policy for slow sinks holds, not ours.
        const paused = session;
        paused.pause();
        void terminal.drained().then(() => paused.resume());
      }
    } else if (frame.joined !== undefined) {
      // Each channel that a pattern follows is told, too.
      if (frame.joined.pattern !== undefined) return;
      member = frame.joined.member;
      onJoined();
      if (options.quiet !== true)
        terminal.note(
          again ? "connected again; what was published meanwhile may be missed" : `subscribed to ${channel}`,
        );
    } else if (frame.dropped !== undefined) {
      terminal.note(
        `${figure(frame.dropped.count)} events were dropped (${frame.dropped.reason}): this reader is too slow or came too late`,
      );
    } else if (frame.drain !== undefined) {
      retryMs = frame.drain.retryMs ?? 0;
    } else if (frame.left !== undefined) {
      if (member !== undefined && frame.left.member !== undefined && frame.left.member !== member) return;
      settle(new CliError(`the host ended the subscription to ${channel}: ${frame.left.reason ?? "no reason given"}`));
    } else if (frame.problem !== undefined) {
      if (frame.problem.ref === REF_JOIN || frame.problem.ref === REF_INBOX) settle(errorFromProblem(frame.problem));
      else terminal.note(lineFromProblem(frame.problem));
    }
  };

  try {
    const events = {
      onMessage: (message: string | Uint8Array) => {
        const read = readJson(
          message,
          options.json !== true ? isData : options.delivery === true ? isDelivery : isEvent,
        );
        if (read.ok) onFrame(read.value as HostFrameLike);
        else settle(new CliError(`the host sent something that is no frame: ${read.error.message}`));
      },
      onEnd: (ending: Ending) => settle(outcomeFromEnding(ending, retryMs)),
    };
    session = await openSession(target, "sluice.v1.json", events, terminal.stop);
    if (!terminal.stop.aborted) greet(session, channel, options);
    return await over;
  } finally {
    terminal.stop.removeEventListener("abort", stopped);
    // Nobody may be left to hear it, and a rejection that nobody awaits would end the process.
    over.catch(() => undefined);
    await session?.close();
  }
}

function greet(session: Session, channel: string, options: SubOptions): void {
  session.send(JSON.stringify({ hello: { client: "sluice-sub" } }));
  const { ordering, overflow, capacity: capacityEvents } = options;
  // What is not given is undefined, which JSON leaves out.
  const inbox = JSON.stringify({ ordering, overflow, capacityEvents });
  if (inbox !== "{}") session.send(`{"ref":${REF_INBOX},"inbox":${inbox}}`);
  const join: Record<string, unknown> = { channel, role: "sink" };
  if (options.type !== undefined) join["types"] = options.type;
  if (options.attr !== undefined) join["attributes"] = options.attr;
  if (options.where !== undefined) join["where"] = options.where;
  session.send(JSON.stringify({ ref: REF_JOIN, join }));
}

function outcomeFromEnding(ending: Ending, retryMs: number): Outcome | CliError {
  const told = ending.reason === "" ? `code ${ending.code}` : `${ending.reason}, code ${ending.code}`;
  if (!ending.reconnect)
    return new CliError(`the host closed the session for good: ${told}`, { code: `close_${ending.code}` });
  const why = retryMs > 0 ? "the host is shutting down" : `the connection was lost (${told})`;
  // Everybody was told the same moment; a little spread keeps a thousand clients from coming back at once.
  return { done: false, why, waitMs: retryMs * (1 + Math.random() * 0.25) };
}

interface Printer {
  print(entries: readonly DeliveryLike[]): boolean;
  readonly full: () => boolean;
}

/** @param named Whether each line begins with the name of the channel. */
function createPrinter(options: SubOptions, terminal: Terminal, named: boolean): Printer {
  let left = options.count ?? Number.POSITIVE_INFINITY;
  const decoder = new TextDecoder();
  const line = (entry: DeliveryLike): string => {
    if (entry instanceof RawJson) return decoder.decode(entry.bytes);
    const { channel = "", event } = entry;
    if (event instanceof RawJson) return decoder.decode(event.bytes);
    if (!named) return lineFromEvent(event, terminal.style, terminal.width);
    const head = pad(printable(channel), CHANNEL_COLUMNS);
    const { width } = terminal;
    const rest = lineFromEvent(event, terminal.style, width === undefined ? undefined : width - columnsOf(head) - 2);
    return `${terminal.style.bold(head)}  ${rest}`;
  };
  return {
    print(entries) {
      const shown = entries.slice(0, left);
      left -= shown.length;
      // One write per frame: a system call per event would make the terminal the bottleneck.
      return shown.length === 0 ? true : terminal.print(shown.map(line).join("\n"));
    },
    full: () => left <= 0,
  };
}

/** deliver.events[n] */
function isDelivery(path: JsonPath): boolean {
  return path.length === 3 && path[0] === "deliver";
}

/** deliver.events[n].event */
function isEvent(path: JsonPath): boolean {
  return path.length === 4 && path[0] === "deliver" && path[3] === "event";
}

/** deliver.events[n].event.data */
function isData(path: JsonPath): boolean {
  return path.length === 5 && path[0] === "deliver" && path[4] === "data";
}

function pause(delayMs: number, terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = terminal.clock.setTimer(() => {
      terminal.stop.removeEventListener("abort", finish);
      resolve();
    }, delayMs);
    const finish = (): void => {
      cancel();
      resolve();
    };
    terminal.stop.addEventListener("abort", finish, { once: true });
  });
}
