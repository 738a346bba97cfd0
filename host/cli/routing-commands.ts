/** The commands about who gets events: their arguments, options and help. What they do is loaded when it is called. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { chooses } from "../filter/schema.ts";
import { limits } from "../limits.ts";
import { targetFrom } from "./client.ts";
import type { MembersOptions } from "./members.ts";
import type { FilterOptions } from "./route-options.ts";
import type { Terminal } from "./terminal.ts";
import { collect, wholeNumber } from "./values.ts";

interface WithUrl {
  readonly url?: string;
}

const URL_HELP = "the host (default: SLUICE_URL, else http://127.0.0.1:7480)";

/** Adds filter to the verbs of channel. */
export function addFilterCommand(channel: Command, terminal: Terminal): void {
  channel
    .command("filter")
    .summary("show or set who gets events")
    .description(
      "Show, bind or unbind a filter of a channel. The out filter runs once per event over all sinks that match, the in " +
        "filter before the inboxes of each host. Without options: show.",
    )
    .argument("<channel>")
    .argument("[stage]", "out or in; both where only shown")
    .option("--route <json|@file|->", "a route, a list of them or a whole filter; repeat for more, in order", collect)
    .option("--when <expression>", "one route: of which events it decides")
    .option("--where <expression>", "which sinks qualify, such as: sink.load < 0.8")
    .option("--order-by <expression>", "what ranks them, the smallest first")
    .option("--descending", "the largest first")
    .option("--limit <n|expression>", "how many get the event; 0: nobody", limitFromText)
    .addOption(new Option("--choose <how>", "how they are chosen").choices([...chooses]))
    .option("--per <expression>", "the limit counts in each group, such as: sink.group")
    .option("--charge <n>", "added to a sink's rank per choice until its next update", numberFromText)
    .option("--max-age <ms>", "sinks whose rank is older come last", wholeNumber(1, limits.durationMs))
    .option("--unique", "only the first event of a key passes")
    .option("--unique-by <expression>", "the same for something else than the key")
    .option("--reply <expression>", "which events are responses: they go to who asked with that key")
    .option("--within <ms>", "how long --unique and --reply remember", wholeNumber(1, limits.durationMs))
    .option("--max-keys <n>", "how many keys they remember", wholeNumber(1, limits.routeKeys))
    .option("--module <name[@version]>", "a filter module instead; without a version whichever is current")
    .option("--config <json|@file>", "what the module is told")
    .addOption(
      new Option("--on-error <what>", "what becomes of events that it fails on").choices(["pass", "drop", "divert"]),
    )
    .option("--none", "unbind")
    .option("--json", "the JSON resource")
    .option("--url <url>", URL_HELP)
    .addHelpText("after", FILTER_EXAMPLES)
    .action(async (name: string, stage: string | undefined, options: FilterOptions & WithUrl) =>
      (await import("./filter.ts")).channelFilter(name, stage, options, targetFrom(options, terminal.env), terminal),
    );
}

/** Adds members. */
export function addMembersCommand(program: Command, terminal: Terminal): void {
  program
    .command("members")
    .summary("show who is in a channel, with live attributes")
    .description("List the members of a channel with their live attributes and how old those are, or set some.")
    .argument("<channel>")
    .option("--set <member name=value...>", "set attributes of a member (name:=text keeps text)")
    .option("--unset <member name...>", "take attributes of a member away")
    .option("--json", "one JSON member per line")
    .option("--url <url>", URL_HELP)
    .addHelpText("after", MEMBERS_EXAMPLES)
    .action(async (name: string, options: MembersOptions & WithUrl) =>
      (await import("./members.ts")).members(name, options, targetFrom(options, terminal.env), terminal),
    );
}

/** A number, else an expression, of which the host says what is wrong. */
function limitFromText(text: string): number | string {
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}

function numberFromText(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number)) return number;
  throw new InvalidArgumentError(`"${text}" is not a number.`);
}

const FILTER_EXAMPLES = `
Examples:
  $ sluice channel filter jobs out --order-by sink.load --limit 1
  $ sluice channel filter jobs out --limit 1 --per sink.group
  $ sluice channel filter jobs out --choose hash
  $ sluice channel filter jobs in --unique --within 2000
  $ sluice channel filter jobs out --route @routes.json
  $ sluice channel filter jobs out --module least-loaded
  $ sluice channel filter jobs
  $ sluice channel filter jobs out --none

sluice explain says what a filter does with an event.`;

const MEMBERS_EXAMPLES = `
Examples:
  $ sluice members jobs
  $ sluice members jobs --set m3 load=0.2 zone=eu
  $ sluice members jobs --unset m3 load
  $ sluice members jobs --json | jq .attributes.load`;
