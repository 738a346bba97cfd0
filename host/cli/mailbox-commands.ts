/** The commands about mailboxes: their arguments, options and help. What they do is loaded when it is called. */
import type { Command } from "commander";
import { targetFrom } from "./client.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly json?: boolean;
}

const URL_HELP = "the host (default: SLUICE_URL, else http://127.0.0.1:7480)";
const ID_HELP = "its id, as ls shows it";

/** Adds mailbox and its verbs. */
export function addMailboxCommand(program: Command, terminal: Terminal): void {
  const mailbox = program
    .command("mailbox")
    .summary("look into mailboxes, hold and empty them")
    .description("List, show, hold, release and drain mailboxes: those of connections, and those that are polled.")
    .addHelpText("after", EXAMPLES);

  mailbox
    .command("ls")
    .alias("list")
    .description("List the mailboxes of a host, and what waits in them.")
    .option("--json", "one JSON mailbox per line")
    .option("--url <url>", URL_HELP)
    .action(async (options: Options) =>
      (await import("./mailbox.ts")).mailboxLs(options, targetFrom(options, terminal.env), terminal),
    );

  mailbox
    .command("show")
    .description("Show one mailbox: its settings, what waits, what it has joined.")
    .argument("<id>", ID_HELP)
    .option("--json", "the JSON resource")
    .option("--url <url>", URL_HELP)
    .action(async (id: string, options: Options) =>
      (await import("./mailbox.ts")).mailboxShow(id, options, targetFrom(options, terminal.env), terminal),
    );

  for (const [verb, held, does] of [
    ["hold", true, "Hold a mailbox: nothing leaves it, what comes waits."],
    ["release", false, "Let what waits in a mailbox go on."],
  ] as const) {
    mailbox
      .command(verb)
      .description(does)
      .argument("<id>", ID_HELP)
      .option("--json", "the JSON resource")
      .option("--url <url>", URL_HELP)
      .action(async (id: string, options: Options) =>
        (await import("./mailbox.ts")).mailboxHold(id, held, options, targetFrom(options, terminal.env), terminal),
      );
  }

  mailbox
    .command("drain")
    .description("Discard what waits in a mailbox. It is counted, and its owner is told.")
    .argument("<id>", ID_HELP)
    .option("--json", "the answer as JSON")
    .option("--url <url>", URL_HELP)
    .action(async (id: string, options: Options) =>
      (await import("./mailbox.ts")).mailboxDrain(id, options, targetFrom(options, terminal.env), terminal),
    );
}

const EXAMPLES = `
Examples:
  $ sluice mailbox ls            who has how much waiting
  $ sluice mailbox hold s7       pause one subscriber
  $ sluice mailbox drain s7      throw away what it is behind with
  $ sluice mailbox release s7`;
