/**
 * Runs one command line: parses it, carries it out, and turns every way it can fail into one line and an exit code.
 */
import { Command, CommanderError } from "commander";
import { isSluiceError } from "../errors.ts";
import type { Platform } from "../runtime/platform.ts";
import {
  addCancelCommand,
  addChannelCommand,
  addClientCommands,
  addExplainCommand,
  addTraceCommand,
} from "./commands.ts";
import { addConditionCommand } from "./condition-commands.ts";
import { addContractCommand } from "./contract-commands.ts";
import { CliError, EXIT_FAILED, EXIT_OK, EXIT_USAGE, lineFromReason, messageOf } from "./failure.ts";
import { addFilterCommands } from "./filter-commands.ts";
import { addMailboxCommand } from "./mailbox-commands.ts";
import { addMembersCommand } from "./routing-commands.ts";
import { addServeCommand } from "./serve-command.ts";
import { widthOf } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

const DESCRIPTION = "Event channels over TCP, WebSocket and HTTP.";

const EXAMPLES = `
Try it:
  $ sluice serve --host-load     run a host that publishes this machine's load
  $ sluice sub host.load         watch it arrive (in a second terminal)
  $ sluice pub greetings "hello" publish something of your own
  $ sluice channel ls            see which channels there are

Environment:
  SLUICE_URL      where the host is (default http://127.0.0.1:7480)
  SLUICE_TOKEN    the token to send, where the host wants one
  NO_COLOR        no colours, whatever the terminal can do

Exit codes: 0 ok, 1 failed, 2 the command line is wrong.
Help on one command: sluice help pub`;

/**
 * Runs `argv` (without node and script).
 *
 * @param platform Loads what serves on this runtime.
 * @returns EXIT_OK, EXIT_FAILED or EXIT_USAGE. Never throws; what went wrong is on standard error.
 */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal,
  platform: () => Promise<Platform>,
): Promise<number> {
  let failed = false;
  const program = createProgram(argv, terminal, platform, () => {
    failed = true;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return failed ? EXIT_FAILED : EXIT_OK;
  } catch (reason) {
    terminal.progress(undefined);
    if (reason instanceof CommanderError) return reason.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (reason instanceof CliError) {
      terminal.note(reason.message);
      return reason.exitCode;
    }
    if (isSluiceError(reason)) {
      terminal.note(lineFromReason(reason));
      return EXIT_FAILED;
    }
    // A fault of ours: the stack is what the report needs.
    terminal.note(`a fault in the command line itself: ${messageOf(reason)}`);
    if (reason instanceof Error && reason.stack !== undefined) terminal.note(reason.stack);
    return EXIT_FAILED;
  }
}

/**
 * The whole tree of commands.
 *
 * @param argv Only to name the command in errors.
 * @param onFailed Called by commands that did their work and found something refused.
 */
function createProgram(
  argv: readonly string[],
  terminal: Terminal,
  platform: () => Promise<Platform>,
  onFailed: () => void,
): Command {
  const program = new Command("sluice");
  const width = widthOf({}, terminal.env) ?? terminal.width ?? 80;
  const wrote = (text: string): void => void terminal.print(text.replace(/\n$/, ""));
  program
    .description(DESCRIPTION)
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: wrote,
      // commander prints the help of an incomplete command here: it is an error, so it goes to standard error.
      writeErr: (text) => terminal.error(text),
      getOutHelpWidth: () => Math.min(width, 100),
      getErrHelpWidth: () => Math.min(width, 100),
      getOutHasColors: () => terminal.style.bold("x") !== "x",
      getErrHasColors: () => false,
      outputError: (text) => terminal.note(usageLine(text, commandPath(program, argv))),
    })
    .configureHelp({
      styleTitle: (text) => terminal.style.bold(text),
      styleCommandText: (text) => terminal.style.cyan(text),
      styleOptionTerm: (text) => terminal.style.cyan(text),
      styleSubcommandTerm: (text) => terminal.style.cyan(text),
    })
    .showSuggestionAfterError(true);
  addServeCommand(program, terminal, platform);
  addClientCommands(program, terminal, onFailed);
  addCancelCommand(program, terminal);
  addExplainCommand(program, terminal, onFailed);
  addTraceCommand(program, terminal, onFailed);
  addChannelCommand(program, terminal);
  addFilterCommands(program, terminal, onFailed);
  addConditionCommand(program, terminal);
  addContractCommand(program, terminal);
  addMailboxCommand(program, terminal);
  addMembersCommand(program, terminal);
  return program;
}

/** commander's "error: unknown option '--x'\n(Did you mean --y?)" as one line that ends with the next step. */
function usageLine(text: string, path: string): string {
  const line = text
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replace(/^error: /, "");
  return line.endsWith("?)") ? line : `${line.replace(/\.$/, "")}; see: ${path} --help`;
}

/** The command that was meant, as far as it is known: "sluice channel create". */
function commandPath(program: Command, argv: readonly string[]): string {
  const names = [program.name()];
  let command: Command | undefined = program;
  for (const word of argv) {
    command = command.commands.find((child) => child.name() === word || child.aliases().includes(word));
    if (command === undefined) break;
    names.push(command.name());
  }
  return names.join(" ");
}
