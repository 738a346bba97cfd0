/**
 * `sluice serve`: one host from the ready line to the last byte of its drain.
 */
import { create } from "@bufbuild/protobuf";
import type { ClientRules } from "../clients.ts";
import { type Clocks, createClocks } from "../clock.ts";
import { type Event, EventSchema } from "../gen/sluice/v1/event_pb.ts";
import { createLog, type Log, type LogLevel } from "../log.ts";
import { LOAD_CHANNEL, LOAD_TYPE, type LoadSample, startLoadMonitor } from "../monitor/load.ts";
import { createMachineReadings } from "../monitor/machine.ts";
import type { MonitorRules } from "../monitor/sources.ts";
import { openHost, type ServedHost } from "../runtime/open-host.ts";
import type { Platform } from "../runtime/platform.ts";
import { URL_DEFAULT } from "./client.ts";
import { CliError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import type { Address } from "./values.ts";
import { version } from "./version.ts";

/** Everything resolved: flags over environment over defaults. */
export interface ServeSettings {
  readonly listen: Address;
  /** null: no TCP port. */
  readonly tcp: Address | null;
  readonly insecure: boolean;
  /** Of pages that may connect beside those of this machine or host. */
  readonly origins: readonly string[];
  /** What one address may use; what is absent has its default. */
  readonly clients: Partial<ClientRules>;
  /** What conditions of kind `monitor` may read. */
  readonly monitors: MonitorRules;
  readonly hostLoad: boolean;
  readonly logLevel: LogLevel;
  readonly data?: string;
  readonly memoryBytes?: number;
  /** Whether channels appear by being used; only on loopback where absent. */
  readonly implicitChannels?: boolean;
  /** The service clock is moved over HTTP. */
  readonly testControls?: boolean;
}

/**
 * Serves until the terminal stops, then drains: clients are told, what is queued is sent, then it returns.
 *
 * Standard output gets one line, once every port is open; scripts wait for it and read the URLs from it.
 *
 * @throws {SluiceError} naming the address that is taken or may not be used, the memory that is too small, the state that
 *   cannot be used. {CliError} where the core has failed too often.
 */
export async function serve(platform: Platform, settings: ServeSettings, terminal: Terminal): Promise<void> {
  platform.tune();
  const clocks = createClocks();
  const log = createLog({
    level: settings.logLevel,
    sink: (line) => terminal.error(`${line}\n`),
    now: () => clocks.real.now(),
  });
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const starting = openHost(platform, {
    listen: settings.listen,
    tcp: settings.tcp,
    insecure: settings.insecure,
    origins: settings.origins,
    clients: settings.clients,
    monitors: settings.monitors,
    version,
    log,
    clocks,
    onFatal: fail,
    testControls: settings.testControls ?? false,
    ...(settings.data === undefined ? {} : { data: settings.data }),
    options: { memoryBytes: settings.memoryBytes, implicitChannels: settings.implicitChannels },
  });
  // A start that hangs, on a broken disk for example, must not outlive the wish to stop.
  const host = await Promise.race([starting, stopped(terminal)]);
  if (host === undefined) throw new CliError("stopped before the host was ready");
  if (settings.testControls === true) log.warn("test controls: the service clock stands still until a test moves it");
  const stopLoad = settings.hostLoad ? publishLoad(host, clocks, log) : () => undefined;
  terminal.print(`sluice ${version} is ready at ${host.url}${host.tcpUrl === null ? "" : ` and ${host.tcpUrl}`}`);
  if (settings.hostLoad && terminal.stdin.isTTY === true) {
    const prefix = host.url === URL_DEFAULT ? "" : `SLUICE_URL=${host.url} `;
    terminal.note(`see the load arrive, in a second terminal: ${prefix}npx sluice sub host.load`);
  }
  const fault = await Promise.race([failed, stopped(terminal)]);
  stopLoad();
  if (fault !== undefined) throw new CliError(`the core failed too often: ${fault.message}; please report this`);
  await host.drain();
}

/** Publishes this machine's load; what cannot be published is logged, since the next sample comes in a second. */
function publishLoad(host: ServedHost, clocks: Clocks, log: Log): () => void {
  const source = `/host/${host.service.hostId}`;
  // There from the first moment, so that whoever looks before the first sample finds the channel.
  // Put and not only used, because hosts that others can reach take no channels that nobody put.
  const { channels, templates } = host.service;
  if (channels.get(LOAD_CHANNEL) === undefined) channels.put(LOAD_CHANNEL, templates.definitionFor(LOAD_CHANNEL));
  return startLoadMonitor(createMachineReadings(), clocks.real, (sample) => {
    try {
      const [result] = host.service.publish(LOAD_CHANNEL, [eventFromSample(sample, source)]);
      if (result !== undefined && "problem" in result) throw result.problem;
    } catch (error) {
      log.warn("load not published", { error });
    }
  });
}

function eventFromSample(sample: LoadSample, source: string): Event {
  const attributes = Object.fromEntries(
    Object.entries(sample.attributes).map(([name, value]) => [name, { kind: { case: "number" as const, value } }]),
  );
  return create(EventSchema, { type: LOAD_TYPE, source, attributes, data: Buffer.from(JSON.stringify(sample.data)) });
}

function stopped(terminal: Terminal): Promise<undefined> {
  return new Promise((resolve) => {
    if (terminal.stop.aborted) return resolve(undefined);
    terminal.stop.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
