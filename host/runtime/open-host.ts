/**
 * A host that serves: composes service, control plane and state, and opens the ports. What differs between runtimes comes as
 * a {@link Platform}; everything here is the API of Node, which Deno and Bun have, too.
 */
import { createHash } from "node:crypto";
import process from "node:process";
import { type ClientRules, Clients, defaultClientRules, unlimited } from "../clients.ts";
import { type Clocks, createClocks, createManualClock, type ManualClock } from "../clock.ts";
import { createAccess } from "../control/access.ts";
import { createControlApp } from "../control/app.ts";
import { SluiceError } from "../errors.ts";
import { createAdmitter } from "../filter/registry/admitter.ts";
import { FilterRegistry } from "../filter/registry/registry.ts";
import { limits } from "../limits.ts";
import { type Log, silentLog } from "../log.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import { sampleMachine } from "../monitor/sample.ts";
import { createMonitorSources, type MonitorRules } from "../monitor/sources.ts";
import { createHostId, type ServiceOptionsInput } from "../options.ts";
import { createService, type Service } from "../service.ts";
import type { Decider } from "../session/decider.ts";
import { isLoopbackName } from "../socket/websocket/handshake.ts";
import { openFilterStore } from "../store/filters.ts";
import { openState, type State } from "../store/state.ts";
import { addressFrom, assertMayListen, type ListenAddress } from "./node/address.ts";
import { Admission } from "./node/admission.ts";
import { readDocs } from "./node/docs.ts";
import { createHttp } from "./node/http.ts";
import { closeServer, listen } from "./node/listen.ts";
import { loadCore } from "./node/module.ts";
import { keepChannels, keepContractStates, restoreChannels } from "./node/state.ts";
import { createTcpServer } from "./node/tcp.ts";
import type { Platform } from "./platform.ts";

export type { ListenAddress } from "./node/address.ts";

/** How to serve. */
export interface ServeOptions {
  /** HTTP and WebSocket, as "host:port" or in parts; 127.0.0.1:7480 where absent. */
  readonly listen?: ListenAddress | string;
  /** Binary frames; 127.0.0.1:7481 where absent, null: no such port. */
  readonly tcp?: ListenAddress | string | null;
  /** Whether addresses that others can reach may be used although there are no credentials. */
  readonly insecure?: boolean;
  /** Folder of the control state; absent: in memory only. */
  readonly data?: string;
  /** Origins of web pages that may connect beside those of this host and of loopback. */
  readonly origins?: readonly string[];
  /** What one address may use of the host; all it likes on loopback, else the defaults of limits.ts. */
  readonly clients?: Partial<ClientRules>;
  /** What conditions of kind `monitor` may read; nothing where absent. */
  readonly monitors?: MonitorRules;
  readonly options?: ServiceOptionsInput;
  /** A service that is there already, such as an embedded host's; what concerns its making is not looked at then. */
  readonly service?: Service;
  /** Of the program, for `GET /v1/info`. */
  readonly version?: string;
  readonly log?: Log;
  readonly clocks?: Clocks;
  readonly decider?: Decider;
  /** Path of another core. */
  readonly core?: string;
  /** False: sockets are read by copying even where reading straight into core memory works. */
  readonly onread?: boolean;
  /**
   * Puts the service clock into the hands of whoever reaches `/v1/test/clock`: it begins at 0 and stands still until it is
   * moved there. For tests only; not with `service`, which has its clock already.
   */
  readonly testControls?: boolean;
  /** The core failed too often; ends the process with code 1 where absent. */
  readonly onFatal?: (error: Error) => void;
}

/** A host that serves. */
export interface ServedHost {
  readonly service: Service;
  readonly metrics: Metrics;
  /** Of HTTP: `http://127.0.0.1:7480`. */
  readonly url: string;
  /** Of binary frames: `tcp://127.0.0.1:7481`; null where there is none. */
  readonly tcpUrl: string | null;
  /** Ends politely: no new sessions, goodbye to all, what waits is sent until the deadline. Then closes. */
  drain(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

const LISTEN_DEFAULT: ListenAddress = { host: "127.0.0.1", port: 7480 };
const TCP_DEFAULT: ListenAddress = { host: "127.0.0.1", port: 7481 };

/**
 * Starts a host.
 *
 * @param platform The runtime that this is; entries know.
 * @returns Once all ports are open; sessions are taken from then on.
 * @throws {SluiceError} `unauthorized` for an address that may not be used, `invalid_value` for one that cannot be,
 *   `state_unusable`, `memory_too_small`.
 */
export async function openHost(platform: Platform, options: ServeOptions = {}): Promise<ServedHost> {
  const { insecure = false, log = silentLog } = options;
  const testClock = options.testControls === true && options.service === undefined ? createManualClock() : undefined;
  const clocks = clocksFrom(options.clocks ?? createClocks(), testClock);
  const address = addressFrom(options.listen ?? LISTEN_DEFAULT);
  const tcpAddress = options.tcp === null ? null : addressFrom(options.tcp ?? TCP_DEFAULT);
  for (const one of [address, tcpAddress]) if (one !== null) assertMayListen(one, insecure);
  const loopback = isLoopbackName(address.host);
  const isReachable = !loopback || (tcpAddress !== null && !isLoopbackName(tcpAddress.host));
  const { service, state, keepLast } = await openService(platform, options, { log, clocks, isReachable });

  const { origins = [] } = options;
  const access = createAccess({ origins, loopback });
  const clients = new Clients({ ...(isReachable ? defaultClientRules : unlimited), ...options.clients }, clocks.real);
  const metrics = createMetrics();
  const refused = "Connections, requests and control frames refused because their client had too many";
  metrics.counter("clients_refused_total", refused, () => clients.refused);
  const urls: { url: string | null; tcp: string | null } = { url: null, tcp: null };
  const app = createControlApp({
    service,
    limits,
    metrics,
    log,
    clock: clocks.real,
    access,
    clients,
    persisted: () => state.settled(),
    docs: readDocs,
    testControls: testClock && { clock: testClock, settle: () => service.settle() },
    info: {
      version: options.version ?? "unknown",
      runtime: platform.name,
      configDigest: digestOf(service, { origins, clients: clients.rules, monitors: options.monitors }),
      capabilities: { testControls: testClock !== undefined, "filters.upload": service.filters !== undefined },
      get url() {
        return urls.url;
      },
      get tcp() {
        return urls.tcp;
      },
    },
  });
  const carry = {
    service,
    onread: options.onread ?? true,
    keepAliveMs: limits.keepAliveMs,
    admission: new Admission(clients),
  };
  const http = createHttp(
    (request, bindings) => app.fetch(request, bindings),
    app.fastPublish,
    carry,
    access.isAllowedOrigin,
  );
  const tcp = tcpAddress === null ? null : createTcpServer(carry);

  const close = async (): Promise<void> => {
    keepLast();
    service.close();
    const closed = [closeServer(http), ...(tcp === null ? [] : [closeServer(tcp)])];
    http.closeAllConnections();
    await Promise.all(closed);
    await state.settled();
  };
  try {
    urls.url = `http://${await listen(http, address)}`;
    if (tcp !== null && tcpAddress !== null) urls.tcp = `tcp://${await listen(tcp, tcpAddress)}`;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    service,
    metrics,
    url: urls.url,
    tcpUrl: urls.tcp,
    close,
    async drain() {
      // HTTP goes on meanwhile, so that probes hear that this host is not ready any more.
      if (tcp !== null) void closeServer(tcp);
      await service.drain();
      // Polls that waited were answered just now: those answers are still to be written.
      let cancel = (): void => {};
      const late = new Promise<void>((resolve) => {
        cancel = clocks.real.setTimer(resolve, limits.lingerMs);
      });
      await Promise.race([closeServer(http), late]);
      cancel();
      await close();
    },
  };
}

/** A clock that a test moves rules what the service promises, never what protects it from its peers. */
function clocksFrom(clocks: Clocks, testClock: ManualClock | undefined): Clocks {
  return testClock === undefined ? clocks : { ...clocks, service: testClock };
}

/** Makes the service with what was kept of it, or takes the one that is there. */
async function openService(
  platform: Platform,
  options: ServeOptions,
  { log, clocks, isReachable }: { readonly log: Log; readonly clocks: Clocks; readonly isReachable: boolean },
): Promise<{ service: Service; state: State; keepLast: () => void }> {
  if (options.service !== undefined) {
    return { service: options.service, state: await openState(undefined, { createHostId }), keepLast() {} };
  }
  const module = await loadCore(options.core);
  const state = await openState(options.data, {
    createHostId,
    onError: (error) => log.error("state not kept", { error }),
  });
  const filters = await openFilters(platform, options.data, state, clocks);
  const service = createService({
    module,
    ...(filters === undefined ? {} : { filters }),
    options: {
      ...options.options,
      // Where others can reach it, a misspelt name must not become a channel that nobody looks after.
      implicitChannels: options.options?.implicitChannels ?? !isReachable,
      hostId: state.hostId,
      epoch: state.epoch,
    },
    clocks,
    log,
    defer: (run) => void setImmediate(run),
    sampleMachine,
    monitors: createMonitorSources(options.monitors ?? {}, clocks.real),
    onEpoch: (epoch) => state.setEpoch(epoch),
    onFatal: options.onFatal ?? endProcess,
    statistics: platform.createStatistics(),
    ...(options.decider === undefined ? {} : { decider: options.decider }),
  });
  restoreChannels(service, state);
  keepChannels(service, state);
  return { service, state, keepLast: keepContractStates(service, state, clocks.real) };
}

/** Filter modules with what was kept of them; undefined where this runtime cannot look at any. */
async function openFilters(
  platform: Platform,
  data: string | undefined,
  state: State,
  { real }: Clocks,
): Promise<FilterRegistry | undefined> {
  const start = platform.findWorkers();
  if (start === undefined) {
    // Channels that need them would otherwise let everything through, or nothing.
    const [kept] = state.filters.keys();
    if (kept === undefined) return undefined;
    throw new SluiceError(
      "state_unusable",
      `Cannot run the filter module "${kept}" that was kept, there are no workers`,
      {
        value: kept,
      },
    );
  }
  const store = openFilterStore(data, state);
  const filters = new FilterRegistry({ admit: createAdmitter(start, real), store, now: () => real.now() });
  await filters.restore(state.filters.values());
  return filters;
}

/** A digest of what was configured, to compare hosts; who it is and which incarnation do not count. */
function digestOf(service: Service, rules: object): string {
  const { hostId: _hostId, epoch: _epoch, ...configured } = service.options;
  return `sha256:${createHash("sha256")
    .update(JSON.stringify({ ...configured, ...rules }))
    .digest("hex")}`;
}

function endProcess(): void {
  process.exit(1);
}
