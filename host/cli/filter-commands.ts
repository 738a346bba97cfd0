/** The commands about filter modules: their arguments, options and help. What they do is loaded when it is called. */
import type { Command } from "commander";
import { targetFrom } from "./client.ts";
import { addAuthorCommands } from "./filter-author-commands.ts";
import type { ModuleOptions } from "./module.ts";
import type { Terminal } from "./terminal.ts";

type Options = ModuleOptions & { readonly url?: string };

const URL_HELP = "the host (default: SLUICE_URL, else http://127.0.0.1:7480)";
const NAME_HELP = "its name, as ls shows it";

/** Adds filter and its verbs. `onFailed` is called where a test found something wrong. */
export function addFilterCommands(program: Command, terminal: Terminal, onFailed: () => void): void {
  const filter = program
    .command("filter")
    .summary("make and manage filter modules")
    .description("Write filter modules, upload them, look at them, go back to earlier versions, remove them.")
    .addHelpText("after", EXAMPLES);
  addAuthorCommands(filter, terminal, onFailed);
  const withUrl = (command: Command, json: string): Command =>
    command.option("--json", json).option("--url <url>", URL_HELP);

  withUrl(
    filter
      .command("push")
      .description("Upload a filter module. Bindings without a version switch to it between two events.")
      .argument("<name>", "letters a-z, digits and . _ -")
      .argument("[file]", "the module, or a folder with filter.ts; where only that is given, it has its name")
      .option("--manifest <file>", "JSON manifest of a module that carries none"),
    "the JSON resource of the version",
  ).action(async (name: string, file: string | undefined, options: Options) =>
    (await import("./module.ts")).modulePush(
      file === undefined ? [name] : [name, file],
      options,
      targetFrom(options, terminal.env),
      terminal,
    ),
  );

  withUrl(
    filter.command("ls").alias("list").description("List the filter modules of a host."),
    "one JSON module per line",
  ).action(async (options: Options) =>
    (await import("./module.ts")).moduleLs(options, targetFrom(options, terminal.env), terminal),
  );

  withUrl(
    filter
      .command("show")
      .description("Show a filter module: what it sees, where it is bound, what it did, its versions.")
      .argument("<name>", NAME_HELP),
    "the JSON resource",
  ).action(async (name: string, options: Options) =>
    (await import("./module.ts")).moduleShow(name, options, targetFrom(options, terminal.env), terminal),
  );

  withUrl(
    filter
      .command("logs")
      .description("Print what a filter module said of late, and what was said of it.")
      .argument("<name>", NAME_HELP),
    "one JSON line per line",
  ).action(async (name: string, options: Options) =>
    (await import("./module.ts")).moduleLogs(name, options, targetFrom(options, terminal.env), terminal),
  );

  withUrl(
    filter
      .command("rollback")
      .description("Make the version current again that was so before, or the one that is named.")
      .argument("<name>", NAME_HELP)
      .argument("[version]", "its number, or the beginning of its digest"),
    "the JSON resource of the version",
  ).action(async (name: string, version: string | undefined, options: Options) =>
    (await import("./module.ts")).moduleRollback(name, version, options, targetFrom(options, terminal.env), terminal),
  );

  withUrl(
    filter
      .command("rm")
      .alias("remove")
      .description("Remove filter modules with all their versions, or single versions. What is bound stays.")
      .argument("<names...>", "names, or NAME@VERSION"),
    "one JSON object per removed name or version",
  ).action(async (names: string[], options: Options) =>
    (await import("./module.ts")).moduleRm(names, options, targetFrom(options, terminal.env), terminal),
  );
}

const EXAMPLES = `
Examples:
  $ sluice filter push least-loaded build/least-loaded.wasm
  $ sluice channel filter jobs out --module least-loaded
  $ sluice filter show least-loaded
  $ sluice filter rollback least-loaded
  $ sluice filter rm least-loaded@2`;
