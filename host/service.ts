/**
 * A host without its sockets: the core, the channels and the sessions, and what happens when the core fails.
 *
 * Everything is synchronous and single-threaded; time, entropy and sockets come from outside (clock.ts, runtime/).
 */

import { toBinary } from "@bufbuild/protobuf";
import { Channels } from "./channel/channels.ts";
import { tellUses } from "./channel/module-uses.ts";
import { Templates } from "./channel/templates.ts";
import type { Clocks } from "./clock.ts";
import { Conditions } from "./condition/conditions.ts";
import { HostSampler } from "./condition/host-sampler.ts";
import type { Contracts } from "./contract/contracts.ts";
import { ContractDocuments } from "./contract/documents.ts";
import { ContractObservers } from "./contract/observers.ts";
import { openContracts } from "./contract/open.ts";
import { type CountedExports, type Crossings, countCrossings } from "./core/crossings.ts";
import { type Core, coreRestarted, createCore, isTrap } from "./core/instance.ts";
import { SluiceError, sluiceErrorFrom } from "./errors.ts";
import type { Binder } from "./filter/module/binder.ts";
import type { FilterRegistry } from "./filter/registry/registry.ts";
import { type Event, EventSchema } from "./gen/sluice/v1/event_pb.ts";
import { limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { resolveOptions, type ServiceOptions } from "./options.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { admitWindow } from "./session/admission.ts";
import { type CancelKeyOptions, type Cancelled, cancelKey } from "./session/cancel.ts";
import type { Connection, ConnectionAdapter, ConnectionKind } from "./session/connection.ts";
import { Deciding } from "./session/deciding.ts";
import { drainSessions } from "./session/drain.ts";
import type { Emitter, EmitterOptions } from "./session/emitter.ts";
import { type Counters, createCounters, type Engine, type Flusher, type OutputRenderer } from "./session/engine.ts";
import { type ExplainOptions, type Explanation, explain } from "./session/explain.ts";
import { channelFigures, filterFigures, inboxesOf, inboxFigures } from "./session/figures.ts";
import { createFlusher } from "./session/flush.ts";
import { waitQuantile } from "./session/history.ts";
import type { LocalSession, PublishResult } from "./session/local.ts";
import { MailboxSession } from "./session/mailbox-session.ts";
import { Mailboxes } from "./session/mailboxes.ts";
import { Patterns } from "./session/patterns.ts";
import { Port } from "./session/port.ts";
import { Sessions } from "./session/registry.ts";
import { Residents } from "./session/residents.ts";
import { Resumption } from "./session/resumption.ts";
import { Roster } from "./session/roster.ts";
import { Session } from "./session/session.ts";
import { createSlots, type Slots } from "./session/slots.ts";
import { readStatistics } from "./session/statistics.ts";
import type { Subscription, SubscriptionOptions } from "./session/subscription.ts";
import { createSweeper, type Sweeper } from "./session/sweep.ts";
import { Tracing } from "./session/tracing.ts";
import { createSocketCodec, type SocketCodec } from "./socket/json/codec.ts";
import { inboxJson, inboxPatched } from "./socket/json/inbox-settings.ts";
import { namesOf } from "./socket/names.ts";
import { createStreamRenderers, type StreamKind, type StreamRenderers } from "./socket/sse/renderers.ts";
import { type OpenedStream, openStream, type StreamRequest } from "./socket/sse/stream.ts";

export type { ServiceSettings } from "./service-settings.ts";

/** A running host. */
export class Service implements Engine {
  readonly options: ServiceOptions;
  readonly clocks: Clocks;
  readonly log: Log;
  readonly channels: Channels;
  readonly templates = new Templates();
  readonly conditions: Conditions;
  readonly contracts: Contracts;
  /** Contracts as they were written. */
  readonly contractDocuments: ContractDocuments;
  /** Where contracts are, and who is told. */
  readonly regions: ContractObservers;
  /** Filter modules; undefined where this host takes none. */
  readonly filters: FilterRegistry | undefined;
  /** Members of channels, for operators. */
  readonly members: Roster = new Roster(this, {
    sessions: () => this.#sessions.all(),
    inboxes: () => this.inboxes.local(),
    refusal: (error) => this.#refusal(error, undefined),
  });
  readonly json: SocketCodec;
  readonly renderers: { readonly [Kind in ConnectionKind]?: OutputRenderer };
  readonly flusher: Flusher;
  readonly resumption: Resumption;
  readonly patterns: Patterns = new Patterns(this);
  readonly counters: Counters = createCounters();
  readonly tracing: Tracing = new Tracing(this);
  /** All mailboxes, those of HTTP clients included. */
  readonly inboxes: Mailboxes;
  /** Moment of the start on the real clock, ms since 1970. */
  readonly startedAt: number;
  core: Core;
  slots: Slots = createSlots();
  readonly modules: Binder | undefined;
  draining = false;
  readonly #settings: ServiceSettings;
  readonly #sweeper: Sweeper;
  readonly #streams: StreamRenderers;
  readonly #sessions = new Sessions();
  readonly #residents: Residents;
  #failures: number[] = [];
  #crossings: CountedExports | undefined = undefined;
  #closed = false;
  readonly #deciding: Deciding;
  #drained: Promise<void> | undefined = undefined;

  /** @throws {SluiceError} for options out of range, a memory too small, or a core of another ABI. */
  constructor(settings: ServiceSettings) {
    this.#settings = settings;
    this.options = resolveOptions(settings.options);
    this.clocks = settings.clocks;
    this.log = settings.log;
    this.filters = settings.filters;
    if (this.filters !== undefined) tellUses(this.filters, this);
    this.startedAt = settings.clocks.real.now();
    this.core = this.#createCore(this.options.epoch);
    this.#deciding = new Deciding(this, settings.filters, settings.decider);
    this.modules = this.#deciding.modules;
    this.channels = new Channels({
      holder: this,
      implicit: this.options.implicitChannels,
      defaultsFor: (name) => this.templates.definitionFor(name),
      fieldsFor: (name) => this.templates.fieldsFor(name),
      admit: (channel, window) => admitWindow(this.#sessions.all(), channel, window),
      ...(this.modules === undefined ? {} : { modules: this.modules }),
      onTrap: (error) => {
        this.fault(error, undefined);
        return coreRestarted(error);
      },
    });
    const { service: clock } = settings.clocks;
    this.conditions = new Conditions({
      holder: this,
      clock,
      sampler: new HostSampler(clock, settings.sampleMachine, () => this.sessionCount),
      monitors: settings.monitors,
      kinds: settings.conditionKinds,
      onKindError: (kind, error) => this.log.warn("condition not stopped", { kind, error }),
      channel: (name) => channelFigures(this.channels.get(name)),
      inboxesOf: (name) => inboxesOf(name, this.inboxes.list()),
      inbox: (id) => inboxFigures(this.inboxes.get(id)),
      filter: (name) => filterFigures(name, this.modules),
      waitQuantile,
      onTrap: (error) => this.#refusal(error, undefined),
    });
    this.channels.onChange(({ type, channel }) => {
      // Before whoever brought it into being publishes: its first event is to find the sinks there.
      if (type === "created") this.patterns.follow(channel);
      // What waits for a sink may qualify for one now.
      if (type === "updated" || type === "governed") this.flusher.schedule();
      if (type !== "removed") return;
      this.#sessions.tellRemoved(channel);
      this.json.clear();
      this.#streams.clear();
      this.flusher.schedule();
    });
    const names = namesOf(this);
    this.json = createSocketCodec(names);
    this.#streams = createStreamRenderers(names);
    this.renderers = { "websocket-json": this.json, ...this.#streams.byKind };
    this.flusher = createFlusher(this, {
      defer: settings.defer ?? ((run) => void settings.clocks.real.setTimer(run, 0)),
      sessionOf: (id) => this.#sessions.get(id),
      flushLocal: (session) => (session as LocalSession | MailboxSession).take(),
    });
    this.#residents = new Residents(this, {
      sessions: this.#sessions,
      refusal: (error, session) => this.#refusal(error, session),
    });
    this.resumption = new Resumption(this, this.#sessions);
    this.#sweeper = createSweeper(this, () => this.#sessions.withSocket());
    this.inboxes = new Mailboxes(this, {
      openSession: (listener) => this.#sessions.add(new MailboxSession(this, this.#sessions.nextNumber(), listener)),
      sessions: () => this.#sessions.remote(),
      refusal: (error) => this.#refusal(error, undefined),
      patched: inboxPatched,
      shown: inboxJson,
    });
    this.contracts = openContracts(this, settings, (error) => this.#refusal(error, undefined));
    this.contractDocuments = new ContractDocuments(this);
    this.regions = new ContractObservers(this.contracts, this.log);
  }

  /** Identity of this host in derived event ids. */
  get hostId(): string {
    return this.options.hostId;
  }

  /** Incarnation of the core. */
  get epoch(): number {
    return this.core.epoch;
  }

  get deciding(): boolean {
    return this.#deciding.isNeeded;
  }

  /** How many sessions with a socket there are. */
  get sessionCount(): number {
    return this.#sessions.sockets;
  }

  /**
   * Opens a session over a carrier.
   *
   * @throws {SluiceError} `limit_reached` where there are too many, `draining`.
   */
  openConnection(kind: ConnectionKind, adapter: ConnectionAdapter): Connection {
    return new Port(this.#openSession(kind, adapter));
  }

  #openSession(kind: ConnectionKind, adapter: ConnectionAdapter): Session {
    const { connections } = this.options;
    if (this.draining || this.#closed)
      throw new SluiceError("draining", "The host is shutting down, it takes no more sessions");
    if (this.#sessions.sockets >= connections) {
      this.counters.sessionsRefused++;
      throw new SluiceError(
        "limit_reached",
        `Cannot open another session, this host has ${connections}, limit is ${connections}`,
        {
          value: connections,
          limit: connections,
        },
      );
    }
    const session = this.#sessions.add(new Session(this, kind, adapter, this.#sessions.nextNumber()));
    this.counters.sessionsOpened++;
    this.#sweeper.start();
    return session;
  }

  /**
   * Publishes, as one source that is the host's own.
   *
   * @param name Of a channel; it comes into being where that is allowed.
   * @returns One result per event, in their order.
   * @throws {SluiceError} where no event was looked at: `channel_unknown`, `channel_name`, `source_taken`, `core_restarted`.
   */
  publish(name: string, events: readonly Event[]): PublishResult[] {
    return this.publishEncoded(
      name,
      events.map((event) => toBinary(EventSchema, event)),
    );
  }

  /**
   * The same for events that are encoded already, as publishes over HTTP are: whatever is wrong within one is its result.
   *
   * @param events Encoded Events; they are copied before this returns.
   */
  publishEncoded(name: string, events: readonly Uint8Array[]): PublishResult[] {
    return this.#residents.publish(name, events);
  }

  /**
   * Opens a session that is a sink of one channel and is told by server-sent events.
   *
   * @param kind The form in which it is told of events.
   * @throws {SluiceError} as {@link openConnection}; `channel_unknown`, `channel_name`, `limit_reached`, `attribute_name` and
   *   what else a join can be refused for. There is no session then.
   */
  openStream(kind: StreamKind, adapter: ConnectionAdapter, request: StreamRequest): OpenedStream {
    try {
      const opened = openStream(this, () => this.#openSession(kind, adapter), request);
      this.flusher.schedule();
      return opened;
    } catch (error) {
      throw this.#refusal(error, undefined);
    }
  }

  /**
   * Subscribes within this process. The subscription survives a restart of the core.
   *
   * @throws {SluiceError} `channel_unknown`, `channel_name`, `invalid_value`.
   */
  subscribe(name: string, options: SubscriptionOptions): Subscription {
    return this.#residents.subscribe(name, options);
  }

  /**
   * Makes a source within this process, with an outbox of its own. It survives a restart of the core.
   *
   * @throws {SluiceError} `channel_unknown`, `channel_name`, `source_taken`, and what else a join can be refused for.
   */
  emitter(name: string, options: EmitterOptions = {}): Emitter {
    return this.#residents.emitter(name, options);
  }

  /**
   * Withdraws the undelivered events of a key, and tells whoever got it already.
   *
   * @param name Of a channel; none comes into being.
   * @throws {SluiceError} `channel_unknown`, `member_unknown`, and as cancelKey().
   */
  cancel(name: string, key: string, { as, atUs }: CancelKeyOptions = {}): Cancelled {
    const channel = this.channels.get(name);
    if (channel === undefined)
      throw new SluiceError("channel_unknown", `Cannot find a channel "${name}"`, { value: name });
    const connection = as === undefined ? this.#residents.publisher().id : this.members.connectionOf(name, as);
    try {
      return cancelKey(this, connection, channel, key, atUs);
    } catch (error) {
      throw this.#refusal(error, undefined);
    }
  }

  /**
   * What would become of an event at each sink of a channel, and why; nothing happens.
   *
   * @throws {SluiceError} `channel_unknown`, `member_unknown`, and what the event itself can be refused for.
   */
  explain(name: string, event: Event, options?: ExplainOptions): Explanation {
    try {
      return explain(this, this.members, name, event, options);
    } catch (error) {
      throw this.#refusal(error, undefined);
    }
  }

  /** Has the events of a channel decided by the decider of the settings, or no more. */
  setDecider(name: string, decided: boolean): void {
    this.channels.setDecider(name, decided);
    if (decided) this.#deciding.hasDecider = true;
  }

  /** Sends everything that can be sent, now instead of at the end of the loop's turn. */
  flush(): void {
    this.flusher.turn();
  }

  /** Sends everything that can be sent until nothing more comes of that, as after time was moved by a test. */
  settle(): void {
    for (let turns = 0; turns < limits.settleTurns; turns++) {
      this.contracts.run();
      this.flusher.turn();
      if (!this.flusher.pending) return;
    }
  }

  /** Counters of the core, the sessions and the channels, by name; those that grow end in "Total". */
  statistics(): Record<string, number> {
    return {
      ...readStatistics(this, this.#sessions.sockets, this.channels.count),
      inboxes: this.inboxes.count,
      conditions: this.conditions.count,
      contracts: this.contracts.count,
      contractsRestlessTotal: this.contracts.oscillations,
      ...this.#settings.statistics?.(),
    };
  }

  /**
   * Counts calls into the core from now on, or stops doing so. Costs a little per call while it lasts.
   *
   * @returns Reads and resets the count.
   */
  countCrossings(): { read(): Crossings; reset(): void; stop(): void } {
    this.#crossings ??= countCrossings(this.core.exports);
    const counted = this.#crossings;
    const { exports } = this.core;
    this.core.exports = counted.exports;
    return {
      read: () => counted.read(),
      reset: () => counted.reset(),
      stop: () => {
        this.core.exports = exports;
        this.#crossings = undefined;
      },
    };
  }

  /** Says goodbye to all sessions: drain frames, what waits is sent until `drainMs` are over, then they are closed. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    this.draining = true;
    this.inboxes.wake();
    this.regions.close();
    await drainSessions(this, () => this.#sessions.withSocket());
    this.close();
  }

  /** Ends everything at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.draining = true;
    this.#sweeper.stop();
    this.flusher.stop();
    this.regions.close();
    this.conditions.close();
    this.#residents.close();
    this.resumption.endAll();
    this.tracing.close();
    this.inboxes.closeAll(new SluiceError("draining", "The host is shutting down"));
    for (const session of this.#sessions.withSocket())
      session.drop(new SluiceError("draining", "The host is shutting down"));
    this.modules?.clear();
  }

  decide(now: number): void {
    this.#deciding.decide(now);
  }

  forget(session: Session): void {
    this.patterns.forget(session);
    this.conditions.release(session.number);
    session.memberships?.end();
    session.observing?.end();
    if (this.#sessions.delete(session)) this.counters.sessionsClosed++;
  }

  fault(error: unknown, session: Session | undefined): void {
    if (isTrap(error)) return this.#restart(error);
    this.log.error("fault in the host", { error, session: session?.number });
    try {
      session?.close(sluiceErrorFrom(error));
    } catch (second) {
      if (isTrap(second)) this.#restart(second);
      else session?.adapter.destroy();
    }
  }

  #createCore(epoch: number): Core {
    return createCore(this.#settings.module, { ...this.options, epoch });
  }

  #refusal(error: unknown, session: Session | undefined): SluiceError {
    if (error instanceof SluiceError) return error;
    if (!isTrap(error)) return sluiceErrorFrom(error);
    this.fault(error, session);
    return coreRestarted(error);
  }

  /** A trap: nothing in that core can be trusted. All sessions end, channels and embedded subscriptions go on in a new one. */
  #restart(error: Error): void {
    const now = this.clocks.real.now();
    this.#failures = [...this.#failures.filter((at) => now - at < limits.restartsMs), now];
    this.counters.coreRestarts++;
    this.log.error("core failed", { error, epoch: this.core.epoch, failures: this.#failures.length });
    this.#residents.abandon();
    // Before the sessions go, whose filters would be taken out of a core that cannot be asked any more.
    this.modules?.clear();
    this.counters.sessionsClosed += this.#sessions.abandon(this, coreRestarted(error));
    if (this.#failures.length >= limits.restarts) return this.#fail(error);
    try {
      this.core = this.#createCore(this.core.epoch + 1);
      this.slots = createSlots();
      this.#crossings = undefined;
      this.channels.restore();
      this.conditions.restore();
      this.contracts.restore();
      this.#settings.onEpoch?.(this.core.epoch);
      this.#residents.reopen();
      this.inboxes.reopen();
    } catch (second) {
      this.#fail(second instanceof Error ? second : error);
    }
  }

  #fail(error: Error): void {
    this.log.error("core failed too often, giving up", { error });
    this.draining = true;
    this.#closed = true;
    this.#sweeper.stop();
    this.flusher.stop();
    this.#settings.onFatal?.(error);
  }
}

/** Makes a host without sockets. @throws {SluiceError} as the constructor of {@link Service}. */
export function createService(settings: ServiceSettings): Service {
  return new Service(settings);
}
