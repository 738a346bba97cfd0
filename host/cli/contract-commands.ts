/** The commands about contracts: their arguments, options and help. What they do is loaded when it is called. */
import type { Command } from "commander";
import { targetFrom } from "./client.ts";
import type { Terminal } from "./terminal.ts";
import { attributeFromText, wholeNumber } from "./values.ts";

interface Options {
  readonly url?: string;
  readonly json?: boolean;
}

const URL_HELP = "the host (default: SLUICE_URL, else http://127.0.0.1:7480)";

/** Adds contract and its verbs. */
export function addContractCommand(program: Command, terminal: Terminal): void {
  const contract = program
    .command("contract")
    .summary("say which regions of operation there are, and watch them")
    .description(
      "Apply, list, show, watch, evaluate, plan and remove contracts: regions of operation, and what is done between them.",
    )
    .addHelpText("after", EXAMPLES);

  contract
    .command("apply")
    .description("Create or replace the contracts of a file: YAML or JSON, any number of documents.")
    .argument("<file>", "the file, - for standard input")
    .option("--name <name>", "its name, where the document says none")
    .option("--json", "each contract as the host answers it, one per line")
    .option("--url <url>", URL_HELP)
    .action(async (file: string, options: Options & { readonly name?: string }) =>
      (await import("./contract.ts")).contractApply(file, options, targetFrom(options, terminal.env), terminal),
    );

  contract
    .command("ls")
    .alias("list")
    .description("List the contracts of a host, and which regions are active.")
    .option("--json", "one JSON contract per line")
    .option("--url <url>", URL_HELP)
    .action(async (options: Options) =>
      (await import("./contract.ts")).contractLs(options, targetFrom(options, terminal.env), terminal),
    );

  contract
    .command("show")
    .description("Show one contract: its regions as a tree, what its conditions were seen as, and why it moved last.")
    .argument("<name>")
    .option("--json", "the JSON resource")
    .option("--url <url>", URL_HELP)
    .action(async (name: string, options: Options) =>
      (await import("./contract.ts")).contractShow(name, options, targetFrom(options, terminal.env), terminal),
    );

  contract
    .command("watch")
    .description("Follow one contract: its tree, kept up to date on a terminal, else a line for each transition.")
    .argument("<name>")
    .option("--count <n>", "end after so many transitions", wholeNumber(1, 1_000_000_000))
    .option("--json", "one JSON transition per line")
    .option("--url <url>", URL_HELP)
    .action(async (name: string, options: Options & { readonly count?: number }) =>
      (await import("./contract-watch.ts")).contractWatch(name, options, targetFrom(options, terminal.env), terminal),
    );

  contract
    .command("evaluate")
    .description("Evaluate one contract now, and print which regions are active.")
    .argument("<name>")
    .option("--json", "the answer as JSON")
    .option("--url <url>", URL_HELP)
    .action(async (name: string, options: Options) =>
      (await import("./contract.ts")).contractEvaluate(name, options, targetFrom(options, terminal.env), terminal),
    );

  contract
    .command("plan")
    .description("Tell what a contract would do now, or where conditions were otherwise, or if a file were applied.")
    .argument("<file|name>", "what ends in .yaml, .yml or .json or has a / is a file, - standard input")
    .option("--set <name=value>", "a condition as it is not (NAME:=TEXT keeps text); may come often", attributeFromText)
    .option("--name <name>", "its name, where the document says none")
    .option("--json", "each plan as the host answers it, one per line")
    .option("--url <url>", URL_HELP)
    .action(
      async (
        what: string,
        options: Options & { readonly name?: string; readonly set?: ReturnType<typeof attributeFromText> },
      ) =>
        (await import("./contract-plan.ts")).contractPlan(what, options, targetFrom(options, terminal.env), terminal),
    );

  contract
    .command("rm")
    .alias("remove")
    .description("Remove contracts, with conditions of their own.")
    .argument("<name...>")
    .option("--url <url>", URL_HELP)
    .action(async (names: string[], options: Options) =>
      (await import("./contract.ts")).contractRm(names, targetFrom(options, terminal.env), terminal),
    );
}

const EXAMPLES = `
Examples:
  $ sluice contract apply web.yaml       create or replace it
  $ sluice contract plan web.yaml        what that would change
  $ sluice contract plan web --set p99=9 what would be done if it were so
  $ sluice contract ls                   where all of them are
  $ sluice contract watch web            its tree, live
  $ sluice contract watch web | tee log  a line for each transition`;
