/**
 * The command line `sluice`. This file alone touches the process; everything below gets a {@link Terminal}.
 */
import process from "node:process";
import { createMachineClock } from "../clock.ts";
import type { Platform } from "../runtime/platform.ts";
import { EXIT_FAILED, EXIT_OK } from "./failure.ts";
import { runProgram } from "./program.ts";
import { createTerminal } from "./terminal.ts";

/** What shells give a process that SIGINT ended: 128 + 2. */
const EXIT_INTERRUPTED = 130;

/**
 * Runs the command line of this process, and ends it.
 *
 * @param platform Loads what serves on this runtime; called by `serve` only, because the client commands do without.
 */
export async function main(platform: () => Promise<Platform>): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // The first asks for an orderly end; whoever asks again does not want to wait for it.
      if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED);
      stop.abort();
    });
  }
  const terminal = createTerminal({
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: createMachineClock(),
    stop,
  });
  let code = await runProgram(process.argv.slice(2), terminal, platform);
  await terminal.flush();
  // `sluice sub x | head -1`: the reader has what it wanted.
  if (terminal.outputClosed() && code === EXIT_FAILED) code = EXIT_OK;
  process.exit(code);
}
