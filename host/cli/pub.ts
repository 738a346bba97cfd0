/**
 * `sluice pub`: publishes one event, or one per line of standard input, and tells what became of them.
 */
import { EVENT_BYTES_MAX } from "../../core-wasm/abi.ts";
import type { Target } from "./client.ts";
import { CliError, lineFromReason } from "./failure.ts";
import { type Line, lineBatches } from "./lines.ts";
import { type EventOptions, eventBytes, payloadFromJson, payloadFromText, payloadOf } from "./payload.ts";
import { type Outgoing, openPublisher, type Publisher, type Verdict } from "./publisher.ts";
import { figure } from "./style.ts";
import type { Terminal } from "./terminal.ts";

/** The options of the command. */
export interface PubOptions extends EventOptions {
  readonly data?: string;
  readonly file?: string;
  /** With standard input: each line is a native JSON event. Either way the summary is JSON. */
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Refusals told one by one; the rest is a count. */
const REASONS_SHOWN = 5;

interface Tally {
  accepted: number;
  refused: number;
  deliveries: number;
  sequence: bigint | undefined;
  readonly reasons: Array<{ line: number; problem: string }>;
}

/**
 * Publishes and prints a summary.
 *
 * @param argument The second argument of the command: "-" reads standard input, anything else is the data.
 * @returns Whether every event was accepted.
 * @throws {CliError} for two sources of data at once, unreadable input, or a host that refuses or goes away.
 */
export async function pub(
  channel: string,
  argument: string | undefined,
  options: PubOptions,
  target: Target,
  terminal: Terminal,
): Promise<boolean> {
  const sources = [argument, options.data, options.file].filter((given) => given !== undefined);
  if (sources.length > 1) {
    throw new CliError("give the data once: as an argument, with --data, with --file, or with - for standard input", {
      exitCode: 2,
    });
  }
  const startedAt = terminal.clock.now();
  const tally: Tally = { accepted: 0, refused: 0, deliveries: 0, sequence: undefined, reasons: [] };
  const count = (verdict: Verdict): void => {
    if (verdict.problem === undefined) {
      tally.accepted += 1;
      tally.deliveries += verdict.sinks;
      tally.sequence = verdict.sequence;
    } else refuse(tally, verdict.line, verdict.problem);
    terminal.progress(() => {
      const perSecond = (tally.accepted / (terminal.clock.now() - startedAt)) * 1000;
      return `${figure(tally.accepted)} accepted, ${figure(perSecond)} per second`;
    });
  };
  // Built before anything is sent, so that a wrong option or a missing file costs no connection.
  const payload =
    argument === "-" ? undefined : await payloadOf(argument ?? options.data, options.file, options, terminal.stdin);
  const single = payload === undefined ? undefined : { bytes: eventBytes(payload, options), line: 0 };
  const publisher = await openPublisher(channel, target, terminal.stop, count);
  try {
    if (single !== undefined) await publisher.add(single);
    else await addLines(publisher, options, terminal, tally);
    await publisher.finish();
  } catch (reason) {
    await publisher.abort();
    if (tally.accepted > 0) terminal.note(`${figure(tally.accepted)} events were accepted before this`);
    throw reason;
  }
  summarise(tally, argument === "-", options, terminal, terminal.clock.now() - startedAt);
  return tally.refused === 0;
}

/** Standard input, a batch of lines at a time. Empty lines are skipped: files end with one, and JSON lines allow them. */
async function addLines(publisher: Publisher, options: PubOptions, terminal: Terminal, tally: Tally): Promise<void> {
  const input = terminal.stdin;
  if (input.isTTY === true && options.quiet !== true) {
    terminal.note(`one ${options.json === true ? "JSON event" : "event"} per line; end with Ctrl-D`);
  }
  // Input may come hours later or never; whoever waits for it must hear that there is nobody left to send it to.
  const stopReading = (): void => void input.destroy();
  publisher.failed.addEventListener("abort", stopReading, { once: true });
  try {
    // JSON may spell a byte in six characters (\u00XX) and base64 adds a third.
    for await (const lines of lineBatches(input, EVENT_BYTES_MAX * 2)) {
      for (const line of lines) {
        const event = eventOfLine(line, options, tally);
        if (event !== undefined) await publisher.add(event);
      }
      // What came in one piece leaves in one piece: nothing waits for input that may never come.
      await publisher.flush();
    }
  } catch (reason) {
    // A stream that was destroyed complains; finish() tells the cause.
    if (!publisher.failed.aborted) throw reason;
  } finally {
    publisher.failed.removeEventListener("abort", stopReading);
  }
}

function eventOfLine(line: Line, options: PubOptions, tally: Tally): Outgoing | undefined {
  if (line.text.trim() === "") return undefined;
  try {
    const payload = options.json === true ? payloadFromJson(line.text) : payloadFromText(line.text, options);
    return { bytes: eventBytes(payload, options), line: line.number };
  } catch (reason) {
    // One bad line is refused like an event that the host refuses; the others go on.
    refuse(tally, line.number, lineFromReason(reason));
    return undefined;
  }
}

function refuse(tally: Tally, line: number, problem: string): void {
  tally.refused += 1;
  // Kept for the summary, bounded: a million bad lines are told as a count.
  if (tally.reasons.length < REASONS_SHOWN) tally.reasons.push({ line, problem });
}

function summarise(tally: Tally, many: boolean, options: PubOptions, terminal: Terminal, elapsedMs: number): void {
  terminal.progress(undefined);
  for (const { line, problem } of tally.reasons)
    terminal.note(line === 0 ? `refused: ${problem}` : `line ${line} refused: ${problem}`);
  const untold = tally.refused - tally.reasons.length;
  if (untold > 0) terminal.note(`and ${figure(untold)} more were refused`);
  if (options.json === true) {
    const { accepted, refused, deliveries, reasons } = tally;
    terminal.print(JSON.stringify({ accepted, refused, deliveries, elapsedMs: Math.round(elapsedMs), reasons }));
    return;
  }
  if (options.quiet === true) return;
  const { style } = terminal;
  const nobody = tally.deliveries === 0 && tally.accepted > 0 ? style.dim(" (nobody gets it)") : "";
  if (!many) {
    if (tally.accepted === 1) {
      terminal.print(
        `${style.green("accepted")}, sequence ${tally.sequence ?? "?"}, ${plural(tally.deliveries, "sink")}${nobody}`,
      );
    }
    return;
  }
  const refused = tally.refused === 0 ? "" : `, ${style.red(`${figure(tally.refused)} refused`)}`;
  terminal.print(
    `${style.green(`${figure(tally.accepted)} accepted`)}${refused}, ${plural(tally.deliveries, "delivery", "deliveries")}${nobody} in ${figure(elapsedMs / 1000, 2)} s`,
  );
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${figure(count)} ${count === 1 ? one : many}`;
}
