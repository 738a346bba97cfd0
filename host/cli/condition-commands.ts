/** The commands about conditions: their arguments, options and help. What they do is loaded when it is called. */
import type { Command } from "commander";
import { targetFrom } from "./client.ts";
import type { Terminal } from "./terminal.ts";
import { attributeFromText } from "./values.ts";

interface Options {
  readonly url?: string;
  readonly json?: boolean;
}

const URL_HELP = "the host (default: SLUICE_URL, else http://127.0.0.1:7480)";

/** Adds condition and its verbs. */
export function addConditionCommand(program: Command, terminal: Terminal): void {
  const condition = program
    .command("condition")
    .summary("look at conditions and set them")
    .description("List, show and set conditions: what the system measures, and what others tell it.")
    .addHelpText("after", EXAMPLES);

  condition
    .command("ls")
    .alias("list")
    .description("List the conditions of a host with their values.")
    .option("--json", "one JSON condition per line")
    .option("--url <url>", URL_HELP)
    .action(async (options: Options) =>
      (await import("./condition.ts")).conditionLs(options, targetFrom(options, terminal.env), terminal),
    );

  condition
    .command("show")
    .description("Show one condition: its value, since when, and what it is.")
    .argument("<name>")
    .option("--json", "the JSON resource")
    .option("--url <url>", URL_HELP)
    .action(async (name: string, options: Options) =>
      (await import("./condition.ts")).conditionShow(name, options, targetFrom(options, terminal.env), terminal),
    );

  condition
    .command("set")
    .description("Set conditions, all at once or none; or add to one.")
    .argument("<change...>", "NAME VALUE, or any number of NAME=VALUE (NAME:=TEXT keeps text)")
    .option("--add", "add to it instead: to a counter, a window, a rate; a sample for an average")
    .option("--json", "the answer as JSON")
    .option("--url <url>", URL_HELP)
    .action(async (words: string[], options: Options & { readonly add?: boolean }) => {
      const isPair = words.length === 2 && words[0]?.includes("=") === false;
      const texts = isPair ? [words.join("=")] : words;
      const values = texts.reduce<ReturnType<typeof attributeFromText>>(
        (gathered, text) => attributeFromText(text, gathered),
        {},
      );
      const { conditionSet } = await import("./condition.ts");
      await conditionSet(values, options, targetFrom(options, terminal.env), terminal);
    });
}

const EXAMPLES = `
Examples:
  $ sluice condition ls                     what is known now
  $ sluice condition set web.latency 62.5   set one
  $ sluice condition set mode:=eco load=0.7 set two at once
  $ sluice condition set requests 1 --add   count one more`;
