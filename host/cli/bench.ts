/**
 * `sluice bench`: how fast a running host is, here and now: throughput in a closed loop, then latency at a fixed rate.
 */
import { openPeer, type Peer } from "./bench-peers.ts";
import { createRun, latency, throughput } from "./bench-run.ts";
import { channelPath, request, type Target } from "./client.ts";
import { CliError } from "./failure.ts";
import { figure, pad } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import { type Address, addressFromText } from "./values.ts";

/** What to measure. */
export interface BenchOptions {
  readonly events: number;
  readonly bytes: number;
  readonly sinks: number;
  readonly rate: number;
  readonly seconds: number;
  readonly channel: string;
  readonly tcp?: string;
  readonly json?: boolean;
}

/** The result, as `--json` prints it. */
interface BenchResult {
  readonly events: number;
  readonly sinks: number;
  readonly dataBytes: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly latencyRatePerSecond: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly latencyMaxMs: number;
  readonly lost: number;
}

/**
 * Runs both phases and prints the figures.
 *
 * @throws {CliError} where the host has no TCP port, refuses the channel, or goes away.
 */
export async function bench(options: BenchOptions, target: Target, terminal: Terminal): Promise<void> {
  const address = options.tcp === undefined ? await tcpAddress(target) : addressFromText(options.tcp);
  const isNew = await createChannel(options.channel, target);
  const run = createRun(terminal);
  const peers: Peer[] = [];
  try {
    for (let index = 0; index < options.sinks; index += 1)
      peers.push(await openPeer(address, options.channel, "sink", run.events));
    const source = await openPeer(address, options.channel, "source", run.events);
    const sinks = [...peers];
    peers.push(source);
    const { seconds, lost } = await throughput(source, sinks, options, run, terminal);
    const paced = await latency(source, sinks, options, run, terminal);
    terminal.progress(undefined);
    print(
      {
        events: options.events,
        sinks: options.sinks,
        dataBytes: options.bytes,
        seconds: Number(seconds.toFixed(3)),
        eventsPerSecond: Math.round(options.events / seconds),
        deliveriesPerSecond: Math.round((options.events * options.sinks) / seconds),
        latencyRatePerSecond: options.rate,
        latencyP50Ms: paced.p50Ms,
        latencyP99Ms: paced.p99Ms,
        latencyMaxMs: paced.maxMs,
        lost: lost + paced.lost,
      },
      options,
      terminal,
    );
  } finally {
    run.end();
    for (const peer of peers) peer.socket.destroy();
    if (isNew) await request(target, "DELETE", channelPath(options.channel)).catch(() => undefined);
  }
}

/** The TCP address that the host tells in /v1/info. A wildcard address is reached where HTTP is. */
async function tcpAddress(target: Target): Promise<Address> {
  const { body } = await request(target, "GET", "/v1/info");
  const { tcp } = body as { tcp?: string | null };
  if (typeof tcp !== "string") {
    throw new CliError(
      `the host at ${target.url} has no TCP port; start it with --tcp 127.0.0.1:7481, or give --tcp HOST:PORT`,
    );
  }
  const { host, port } = addressFromText(tcp.replace(/^tcp:\/\//, ""));
  const wildcard = host === "0.0.0.0" || host === "::";
  return { host: wildcard ? new URL(target.url).hostname.replace(/^\[|\]$/g, "") : host, port };
}

/** Creates the channel; false where it was there before and is not ours to remove. */
async function createChannel(channel: string, target: Target): Promise<boolean> {
  try {
    await request(target, "PUT", channelPath(channel), { body: {}, headers: { "if-none-match": "*" } });
    return true;
  } catch (reason) {
    if (reason instanceof CliError && reason.code === "precondition_failed") return false;
    throw reason;
  }
}

function print(result: BenchResult, options: BenchOptions, terminal: Terminal): void {
  if (options.json === true) {
    terminal.print(JSON.stringify(result));
    return;
  }
  const { style } = terminal;
  const rows: ReadonlyArray<readonly [string, string]> = [
    [
      "events",
      `${figure(result.events)} of ${figure(result.dataBytes)} B to ${figure(result.sinks)} ${result.sinks === 1 ? "sink" : "sinks"} in ${figure(result.seconds, 2)} s`,
    ],
    ["published", `${style.bold(figure(result.eventsPerSecond))} per second`],
    ["delivered", `${style.bold(figure(result.deliveriesPerSecond))} per second`],
    [
      "latency",
      `p50 ${figure(result.latencyP50Ms, 2)} ms, p99 ${figure(result.latencyP99Ms, 2)} ms, max ${figure(result.latencyMaxMs, 2)} ms at ${figure(result.latencyRatePerSecond)} events per second`,
    ],
    ["lost", result.lost === 0 ? style.green("nothing") : style.red(figure(result.lost))],
  ];
  for (const [name, value] of rows) terminal.print(`${style.dim(pad(name, 11))}${value}`);
}
