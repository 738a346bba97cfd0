/** The commands for authors of filters: their arguments, options and help. What they do is loaded when it is called. */
import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

const FOLDER_HELP = "a folder with filter.ts";
const MODULE_HELP = `${FOLDER_HELP}, or a .wasm file`;

/** Adds init, build, check and test to the verbs of filter. `onFailed` is called where an expectation was not met. */
export function addAuthorCommands(filter: Command, terminal: Terminal, onFailed: () => void): void {
  filter
    .command("init")
    .summary("begin a filter")
    .description("Make a folder with a filter in AssemblyScript that works, its settings, and events to try it with.")
    .argument("<folder>")
    .option("--template <name>", "which sample to begin with", "least-loaded")
    .action(async (folder: string, options: { template: string }) =>
      (await import("./filter-author.ts")).filterInit(folder, options, terminal),
    );
  filter
    .command("build")
    .summary("compile a filter")
    .description("Compile filter.ts to build/NAME.wasm, with its manifest.")
    .argument("[folder]", FOLDER_HELP, ".")
    .action(async (folder: string) => (await import("./filter-author.ts")).filterBuild(folder, terminal));
  filter
    .command("check")
    .summary("say what a host will think of a module")
    .description("Scan a module as a host does, without one: hooks, weight, memory; or every reason to refuse it.")
    .argument("[path]", MODULE_HELP, ".")
    .option("--json", "one JSON object")
    .action(async (path: string, options: { json?: boolean }) =>
      (await import("./filter-author.ts")).filterCheck(path, options, terminal),
    );
  filter
    .command("test")
    .summary("try a filter with sample events")
    .description(
      "Run a module in a host of its own, without sockets: the sinks and events of events.json go through it, and who gets what " +
        "is compared with what was expected.",
    )
    .argument("[path]", MODULE_HELP, ".")
    .option("--events <file>", "sinks and events (default: events.json in the folder)")
    .option("--json", "one JSON object per event")
    .action(async (path: string, options: { events?: string; json?: boolean }) => {
      const { filterTest } = await import("./filter-trial.ts");
      if (!(await filterTest(path, options, terminal))) onFailed();
    });
}
