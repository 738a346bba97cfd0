/**
 * `sluice contract watch`: on a terminal the tree of a contract, drawn again when something has changed; elsewhere a line for each
 * transition, as the host streams them.
 */
import { request, type Target } from "./client.ts";
import { contractPath, lastTransition } from "./contract.ts";
import { type ContractLike, lineFromTransition, linesFromContract, type TransitionLike } from "./contract-tree.ts";
import { streamEvents } from "./event-stream.ts";
import { CliError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** How often the tree is drawn where no transition comes: values and counters change all the time. */
const REDRAW_MS = 500;

/**
 * Follows a contract until it is removed, the count is reached, or the terminal stops.
 *
 * @throws {CliError} where there is no such contract, or the host is gone.
 */
export async function contractWatch(
  name: string,
  options: { readonly json?: boolean; readonly count?: number },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const isTree = terminal.live && options.json !== true;
  const redrawn = new AbortController();
  const stop = AbortSignal.any([terminal.stop, redrawn.signal]);
  const drawing = isTree ? redraw(name, target, terminal, stop) : undefined;
  let count = 0;
  try {
    for await (const { event, data } of streamEvents(target, `${contractPath(name)}/transitions`, stop)) {
      if (event === "left") return terminal.note(`${name} was removed`);
      if (event === "drain") throw new CliError(`the host at ${target.url} is shutting down`);
      if (event === "gap") terminal.note("some transitions are missing here");
      if (event !== "message") continue;
      if (
        !isTree &&
        !terminal.print(options.json === true ? data : lineFromTransition(JSON.parse(data) as TransitionLike))
      )
        await terminal.drained();
      if (++count === options.count) return;
    }
    if (!terminal.stop.aborted) throw new CliError(`the host at ${target.url} has ended the stream`);
  } finally {
    redrawn.abort();
    await drawing;
  }
}

/** Draws the tree over itself. */
async function redraw(name: string, target: Target, terminal: Terminal, stop: AbortSignal): Promise<void> {
  let drawn = 0;
  let former = "";
  while (!stop.aborted) {
    try {
      const { body } = await request(target, "GET", contractPath(name), { stop });
      const last = await lastTransition(name, target);
      const lines = linesFromContract(body as ContractLike, last, terminal.style, terminal.width);
      const text = lines.join("\n");
      // Up to where it began, and everything below that away.
      if (text !== former) terminal.print(`${drawn === 0 ? "" : `\u001b[${drawn}A\u001b[J`}${text}`);
      if (text !== former) drawn = lines.length;
      former = text;
    } catch {
      // The stream tells what is wrong.
      return;
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        resolve();
      };
      const cancel = terminal.clock.setTimer(done, REDRAW_MS);
      stop.addEventListener("abort", done, { once: true });
    });
  }
}
