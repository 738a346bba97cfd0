/**
 * The client commands: their arguments, options and help. What they do is in the file of the same name, which is loaded when
 * it is called: protobuf and ws are most of what it takes to start, and no command needs all of it.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { limits } from "../limits.ts";
import type { BenchOptions } from "./bench.ts";
import type { CancelOptions } from "./cancel.ts";
import type { ChannelOptions } from "./channel.ts";
import { type Target, targetFrom } from "./client.ts";
import type { ExplainOptions } from "./explain.ts";
import type { PubOptions } from "./pub.ts";
import { addFilterCommand } from "./routing-commands.ts";
import type { SubOptions } from "./sub.ts";
import type { Terminal } from "./terminal.ts";
import type { TraceOptions } from "./trace.ts";
import { attributeFromText, bytesFromText, collect, wholeNumber, windowFromText } from "./values.ts";

/** Every client command takes it. */
interface WithUrl {
  readonly url?: string;
}

const PRIORITY_MAX = 9;

/** The parts of one event. */
function withEvent(command: Command): Command {
  return command
    .option("--type <type>", 'what kind of event it is (default "message")')
    .option("--attr <name=value>", "an attribute; repeat for more (name:=text keeps text)", attributeFromText)
    .option("--priority <0-9>", "higher is more urgent", wholeNumber(0, PRIORITY_MAX))
    .option("--ttl <ms>", "useless after so many milliseconds", wholeNumber(1, limits.durationMs))
    .option("--key <key>", "correlates events: duplicates, replies, cancels")
    .option("--source <source>", "who says it (default: this session)")
    .option("--subject <subject>", "what it is about, within the source")
    .option("--data <data>", "the data; valid JSON is sent as JSON, anything else as text")
    .option("--file <file>", 'the data from a file ("-": all of standard input)')
    .option("--content-type <type>", "media type of the data, instead of finding out");
}

/** Adds pub, sub and bench. `onFailed` is called where a command ran to its end and something was refused. */
export function addClientCommands(program: Command, terminal: Terminal, onFailed: () => void): void {
  withUrl(
    withEvent(program.command("pub"))
      .summary("publish events")
      .description("Publish one event, or one per line of standard input, and tell what became of them.")
      .argument("<channel>", "the channel; a host on loopback makes it if it is new")
      .argument("[data]", 'the data of one event, or "-" to read one event per line')
      .option("--json", 'with "-": every line is a JSON event; the summary is JSON, too')
      .option("-q, --quiet", "no summary")
      .addHelpText("after", PUB_EXAMPLES)
      .action(async (channel: string, data: string | undefined, options: PubOptions & WithUrl) => {
        const { pub } = await import("./pub.ts");
        if (!(await pub(channel, data, options, target(options, terminal), terminal))) onFailed();
      }),
  );

  withUrl(
    program
      .command("sub")
      .summary("subscribe and print events")
      .description("Subscribe to a channel and print what arrives, until Ctrl-C.")
      .argument(
        "<channel>",
        "the channel, or a pattern such as 'sensors.*' or 'user/>'; a host on loopback makes a new channel",
      )
      .option("--type <type>", "only events of this type; repeat for more", collect)
      .option(
        "--attr <name=value>",
        "an attribute of this subscriber, for filters to see; repeat for more",
        attributeFromText,
      )
      .option("--count <n>", "end after n events", wholeNumber(1, Number.MAX_SAFE_INTEGER))
      .option("--json", "one JSON event per line, complete")
      .option("--delivery", "with --json: the delivery around each event, with the name of its channel")
      .option("-q, --quiet", "no notices on standard error")
      .option("--where <expression>", "only events of which it holds, such as: load > 0.8")
      .option(
        "--ordering <ordering>",
        "which waiting event comes first: fifo, lifo, priority, deadline, priority+deadline, time or window",
      )
      .option(
        "--capacity <events>",
        "how many events may wait for this subscriber",
        wholeNumber(1, Number.MAX_SAFE_INTEGER),
      )
      .option(
        "--overflow <policy>",
        "what gives way then: drop-oldest, drop-newest, drop-lowest, keep-latest, reject, block or disconnect",
      )
      .addHelpText("after", SUB_EXAMPLES)
      .action(async (channel: string, options: SubOptions & WithUrl) =>
        (await import("./sub.ts")).sub(channel, options, target(options, terminal), terminal),
      ),
  );

  withUrl(
    program
      .command("bench")
      .summary("measure a running host")
      .description(
        "Publish and receive on a host over TCP and print rates, latency and loss. A quick look, not a benchmark.",
      )
      .option("--events <n>", "events to publish as fast as possible", wholeNumber(1, 1e9), 1_000_000)
      .option("--bytes <size>", "data of each event", bytesFromText, 100)
      .option("--sinks <n>", "subscribers, each on a connection of its own", wholeNumber(1, 1_000), 1)
      .option("--rate <per-second>", "rate at which latency is measured", wholeNumber(1, 100_000), 2_000)
      .option("--seconds <n>", "how long latency is measured", wholeNumber(1, 3_600), 2)
      .option("--channel <name>", "the channel to use; it is removed afterwards if it was new", "sluice.bench")
      .option("--tcp <host:port>", "the TCP address, where it is not the one that the host tells")
      .option("--json", "one JSON object")
      .addHelpText("after", BENCH_EXAMPLES)
      .action(async (options: BenchOptions & WithUrl) =>
        (await import("./bench.ts")).bench(options, target(options, terminal), terminal),
      ),
  );
}

/** Adds explain. `onFailed` is called where nobody would get the event. */
export function addExplainCommand(program: Command, terminal: Terminal, onFailed: () => void): void {
  withUrl(
    withEvent(program.command("explain"))
      .summary("say who would get an event, and why not the others")
      .description("Ask a host what would become of an event at each sink of a channel. Nothing is published.")
      .argument("<channel>")
      .option("--event <json>", "a whole JSON event instead")
      .option("--as <member>", "the member that would submit it, such as m17")
      .option("--json", "one JSON entry per sink and line")
      .addHelpText("after", EXPLAIN_EXAMPLES)
      .action(async (channel: string, options: ExplainOptions & WithUrl) => {
        const { explain } = await import("./explain.ts");
        if (!(await explain(channel, options, target(options, terminal), terminal))) onFailed();
      }),
  );
}

/** Adds trace. `onFailed` is called where not all selected sinks have the event in time. */
export function addTraceCommand(program: Command, terminal: Terminal, onFailed: () => void): void {
  withUrl(
    withEvent(program.command("trace"))
      .summary("publish one event and say when it passed which stage")
      .description("Publish one event, and print when it was queued, and when each sink's inbox and socket let it go.")
      .argument("<channel>")
      .option("--event <json>", "a whole JSON event instead")
      .option("--wait <ms>", "how long to wait for the sinks (default 1000)", wholeNumber(0, limits.traceWaitMsMax))
      .option("--json", "the trace as JSON")
      .addHelpText("after", TRACE_EXAMPLES)
      .action(async (channel: string, options: TraceOptions & WithUrl) => {
        const { trace } = await import("./trace.ts");
        if (!(await trace(channel, options, target(options, terminal), terminal))) onFailed();
      }),
  );
}

/** Adds cancel. */
export function addCancelCommand(program: Command, terminal: Terminal): void {
  withUrl(
    program
      .command("cancel")
      .summary("withdraw the undelivered events of a key")
      .description(
        "Withdraw what was not delivered yet of a key, and tell those who got it with an event of type cancel.",
      )
      .argument("<channel>")
      .argument("<key>")
      .option("--at <moment>", "only events that happened up to then (RFC 3339); now if it is not given")
      .option("--as <member>", "the member that takes it up, such as m17, instead of cancelling it for all")
      .option("--json", "one JSON object")
      .addHelpText("after", CANCEL_EXAMPLES)
      .action(async (channel: string, key: string, options: CancelOptions & WithUrl) =>
        (await import("./cancel.ts")).cancel(channel, key, options, target(options, terminal), terminal),
      ),
  );
}

/** Adds channel and its verbs. */
export function addChannelCommand(program: Command, terminal: Terminal): void {
  const channel = program
    .command("channel")
    .summary("manage channels")
    .description("List, create, show, change and remove channels.")
    .addHelpText("after", CHANNEL_EXAMPLES);

  withUrl(
    channel
      .command("ls")
      .alias("list")
      .description("List the channels of a host.")
      .option("--json", "one JSON channel per line")
      .action(async (options: ChannelOptions & WithUrl) =>
        (await import("./channel.ts")).channelLs(options, target(options, terminal), terminal),
      ),
  );

  withUrl(
    withSettings(channel.command("create"))
      .description("Create a channel.")
      .argument("<name>", "letters, digits and . _ / -, at most 255 of them")
      .addHelpText("after", "\nExample:\n  $ sluice channel create orders --type order.placed --ttl 5000 --late drop")
      .action(async (name: string, options: ChannelOptions & WithUrl) =>
        (await import("./channel.ts")).channelCreate(name, options, target(options, terminal), terminal),
      ),
  );

  withUrl(
    channel
      .command("show")
      .description("Show one channel.")
      .argument("<name>")
      .option("--json", "the JSON resource")
      .action(async (name: string, options: ChannelOptions & WithUrl) =>
        (await import("./channel.ts")).channelShow(name, options, target(options, terminal), terminal),
      ),
  );

  withUrl(
    withSettings(channel.command("update"))
      .description("Change a channel; what is not given stays as it is.")
      .argument("<name>")
      .option("--any-type", "take events of any type again")
      .action(async (name: string, options: ChannelOptions & WithUrl) =>
        (await import("./channel.ts")).channelUpdate(name, options, target(options, terminal), terminal),
      ),
  );

  withUrl(
    channel
      .command("rm")
      .alias("remove")
      .description("Remove channels. Their members are told and leave.")
      .argument("<names...>")
      .option("--json", "one JSON object per removed channel")
      .action(async (names: string[], options: ChannelOptions & WithUrl) =>
        (await import("./channel.ts")).channelRm(names, options, target(options, terminal), terminal),
      ),
  );

  addFilterCommand(channel, terminal);
}

function withUrl(command: Command): Command {
  return command.option("--url <url>", "the host (default: SLUICE_URL, else http://127.0.0.1:7480)");
}

function withSettings(command: Command): Command {
  return command
    .option("--type <type>", "take only events of this type; repeat for more", collect)
    .addOption(new Option("--source <how-many>", "one source at a time, or many").choices(["many", "single"]))
    .option("--priority <0-9>", "of events that say none", wholeNumber(0, PRIORITY_MAX))
    .option("--ttl <ms|none>", "time to live of events that say none", ttlFromText)
    .addOption(
      new Option("--late <what>", "what happens to events beyond their time").choices(["deliver", "drop", "divert"]),
    )
    .option("--echo", "sessions receive what they publish themselves")
    .option("--no-echo", "they do not")
    .addOption(
      new Option("--empty <what>", "what happens to events for which no sink is left").choices([
        "drop",
        "hold",
        "divert",
      ]),
    )
    .option("--divert-to <channel|none>", "the channel for what is diverted")
    .option(
      "--window <lose/of@ms|none>",
      "deadlines so many ms apart, of which some may be missed: 1/4@10",
      windowFromText,
    )
    .option("--json", "print the JSON resource");
}

/** "none" stays a word: commander takes null for a mistake of ours. */
function ttlFromText(text: string): number | "none" {
  if (text === "none") return text;
  try {
    return wholeNumber(1, limits.durationMs)(text);
  } catch (reason) {
    if (reason instanceof InvalidArgumentError)
      throw new InvalidArgumentError(`${reason.message} Milliseconds or "none" go here.`);
    throw reason;
  }
}

function target(options: WithUrl, terminal: Terminal): Target {
  return targetFrom(options, terminal.env);
}

const PUB_EXAMPLES = `
Examples:
  $ sluice pub greetings hello
  $ sluice pub orders '{"total": 12.5}' --type order.placed --attr region=eu
  $ sluice pub alarms --type fire --priority 9 --ttl 250
  $ tail -f app.log | sluice pub logs -
  $ sluice pub orders --json - < events.ndjson

Exit code 1 if any event is refused; standard error has the reasons, by line.`;

const SUB_EXAMPLES = `
Examples:
  $ sluice sub host.load
  $ sluice sub orders --type order.placed --type order.cancelled
  $ sluice sub 'sensors.*' --json --delivery
  $ sluice sub host.load --where "cpu > 0.8 OR loop_lag_ms > 50"
  $ sluice sub host.load --json | jq .attributes.cpu
  $ sluice sub orders --count 10 --json > sample.ndjson

It reconnects when the host goes away, and says so on standard error.`;

const EXPLAIN_EXAMPLES = `
Examples:
  $ sluice explain orders --type order.placed --attr region=eu
  $ sluice explain orders --event '{"type":"order.placed","key":"r-17"}' --json

Exit code 1 if nobody would get it.`;

const TRACE_EXAMPLES = `
Examples:
  $ sluice trace orders --type order.placed --attr region=eu
  $ sluice trace orders --event '{"type":"order.placed"}' --wait 5000 --json

Exit code 1 if a sink that was selected does not have it in time.`;

const CANCEL_EXAMPLES = `
Examples:
  $ sluice cancel orders o-17
  $ sluice cancel orders o-17 --at 2026-01-01T00:00:00Z --json`;

const BENCH_EXAMPLES = `
Examples:
  $ sluice bench
  $ sluice bench --sinks 8 --bytes 1KiB
  $ sluice bench --json | jq .deliveriesPerSecond

One process plays publisher and subscribers, so it shares the machine with the
host it measures.`;

const CHANNEL_EXAMPLES = `
Examples:
  $ sluice channel ls
  $ sluice channel create orders --type order.placed --late drop
  $ sluice channel update orders --ttl 5000
  $ sluice channel show orders --json
  $ sluice channel filter orders out --order-by sink.load --limit 1
  $ sluice channel rm orders`;
