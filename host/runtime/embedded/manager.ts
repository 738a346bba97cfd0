/**
 * Service managers: an inbox, the handlers that what waits in it is for, and the monitors that say when to adapt.
 *
 *   channels ──► one inbox, one entry per event ──► dispatcher ──► every handler that wants it
 *
 * Nothing is handed out from within a publish: an inbox with something in it is looked at in a later turn of the event loop. A
 * manager takes its next event when the handlers of the one before are done, so its inbox orders what it has not got to yet.
 */
import { create } from "@bufbuild/protobuf";
import { settingsFromJson, settingsFromPatch } from "../../control/inbox-resource.ts";
import { SluiceError } from "../../errors.ts";
import { JoinSchema } from "../../gen/sluice/v1/frame_pb.ts";
import { limits } from "../../limits.ts";
import type { Service } from "../../service.ts";
import type { Mailbox } from "../../session/mailbox.ts";
import { type AttributeValue, valuesFrom } from "../../session/subscription.ts";
import { Dispatcher } from "./dispatcher.ts";
import { AttachedHandler, type Handler, type HandlerFunction, type HandlerOptions } from "./handler.ts";
import { createMonitor, type Monitor, type MonitorOptions } from "./monitor.ts";
import type { ManagerInbox, ManagerOptions, ManagerStatus, ServiceManager } from "./service-manager.ts";
import { together } from "./wants.ts";

const NAME = /^[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?$/;

/**
 * Makes a service manager.
 *
 * @param nextTurn Runs something when the event loop has had its turn.
 * @throws {SluiceError} `invalid_value`, `contradiction` for a name that is taken, `limit_reached`.
 */
export function createManager(
  service: Service,
  name: string,
  options: ManagerOptions,
  nextTurn: (run: () => void) => void,
): ServiceManager {
  return new Manager(service, name, options, nextTurn);
}

class Manager implements ServiceManager {
  readonly name: string;
  readonly #service: Service;
  readonly #mailbox: Mailbox;
  readonly #dispatcher: Dispatcher;
  readonly #handlers = new Set<AttachedHandler>();
  readonly #monitors = new Set<Monitor>();
  /** Handlers of a channel by its name, found once; forgotten when a handler comes or goes. */
  #found = new Map<string, readonly AttachedHandler[]>();
  #attributes: Readonly<Record<string, AttributeValue>>;
  #over = false;
  #joining = false;
  readonly #unwatch: () => void;

  constructor(service: Service, name: string, options: ManagerOptions, nextTurn: (run: () => void) => void) {
    if (!NAME.test(name)) {
      throw new SluiceError("invalid_value", `Cannot name a service manager ${JSON.stringify(name.slice(0, 64))}`, {
        value: name.slice(0, 128),
        limit: NAME.source,
      });
    }
    const { attributes = {}, hopsMax, timeoutMs, onError, onDropped, onEnd, ...inbox } = options;
    this.name = name;
    this.#service = service;
    this.#attributes = attributes;
    const bounds = {
      hopsMax: within("hopsMax", hopsMax ?? limits.cascadeHops, limits.cascadeHopsMax),
      timeoutMs: within("timeoutMs", timeoutMs ?? limits.handlerMs, limits.handlerMsMax),
    };
    const settings = settingsFromJson({ select: { mode: "single" }, ...inbox });
    // Nothing is in it before a handler is attached, so it is not looked at before there is who does so.
    this.#mailbox = service.inboxes.manage(`manager.${name}`, settings, () => void this.#dispatcher.run());
    this.#dispatcher = new Dispatcher(service, this.#mailbox, {
      name,
      ...bounds,
      nextTurn,
      onError,
      onDropped,
      handlersOf: (channel) => this.#handlersOf(channel),
      onGone: (code) => {
        this.#end();
        onEnd?.(code);
      },
    });
    // A channel that was deleted and comes back, made again by whoever publishes to it.
    this.#unwatch = service.channels.onChange(({ type, channel }) => {
      if (
        type === "created" &&
        !this.#joining &&
        this.#handlersOf(channel.name).some(({ attached }) => attached.has(channel.name))
      )
        this.#join(channel.name);
    });
  }

  handler(channels: string | readonly string[], run: HandlerFunction, options: HandlerOptions = {}): Handler {
    const attached = new AttachedHandler(run, options);
    const leave = (channel: string): void => {
      if (attached.attached.delete(channel)) this.#changed(channel, attached);
    };
    const join = (channel: string): void => {
      if (attached.attached.has(channel)) return;
      this.#handlers.add(attached);
      attached.attach(channel);
      try {
        this.#found = new Map();
        this.#join(channel);
      } catch (error) {
        // The others' join is what it was.
        attached.attached.delete(channel);
        this.#forget(attached);
        throw error;
      }
    };
    const all = typeof channels === "string" ? [channels] : channels;
    try {
      for (const channel of all) join(channel);
    } catch (error) {
      for (const channel of [...attached.attached.keys()]) leave(channel);
      throw error;
    }
    return {
      get channels() {
        return [...attached.attached.keys()];
      },
      join,
      leave: (channel) => {
        for (const one of channel === undefined ? [...attached.attached.keys()] : [channel]) leave(one);
      },
      status: () => ({ calls: attached.calls, errors: attached.errors }),
    };
  }

  monitor(channel: string, options: MonitorOptions = {}): Monitor {
    this.#assertThere();
    const monitor = createMonitor(this.#service, channel, {
      ...options,
      onLeave: () => {
        this.#monitors.delete(monitor);
        options.onLeave?.();
      },
    });
    this.#monitors.add(monitor);
    return monitor;
  }

  configure(settings: ManagerInbox): void {
    this.#assertThere();
    const { id, settings: present } = this.#mailbox;
    this.#service.inboxes.patch(id, settingsFromPatch({ ...present, idleMs: undefined }, settings));
  }

  update(changes: Readonly<Record<string, AttributeValue | null>>): void {
    this.#assertThere();
    const before = this.#attributes;
    const entries = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null);
    this.#attributes = Object.fromEntries(entries) as Record<string, AttributeValue>;
    try {
      for (const channel of this.#channels()) this.#join(channel);
    } catch (error) {
      this.#attributes = before;
      throw error;
    }
  }

  status(): ManagerStatus {
    const { id, events, unacknowledged } = this.#mailbox;
    const there = !this.#over;
    return {
      inbox: id,
      waiting: there ? events : 0,
      unacknowledged: there ? unacknowledged : 0,
      handlers: this.#handlers.size,
      ...this.#dispatcher.counts,
      deadlines: { ...this.#dispatcher.deadlines },
    };
  }

  settled(): Promise<void> {
    return this.#dispatcher.settled();
  }

  leave(): void {
    if (this.#over) return;
    this.#end();
    this.#service.inboxes.unmanage(this.#mailbox.id);
  }

  #end(): void {
    this.#over = true;
    this.#unwatch();
    for (const monitor of [...this.#monitors]) monitor.leave();
    for (const handler of this.#handlers) handler.release(this.#service.core);
    this.#handlers.clear();
    this.#found.clear();
    this.#dispatcher.end();
  }

  #assertThere(): void {
    if (this.#over) throw new SluiceError("inbox_unknown", `The service manager ${this.name} has left`);
  }

  /** Channels and patterns that any handler is attached to. */
  #channels(): Set<string> {
    return new Set([...this.#handlers].flatMap(({ attached }) => [...attached.keys()]));
  }

  /** Joins what handlers of one channel or pattern want together, or changes how it is joined. */
  #join(channel: string): void {
    this.#assertThere();
    const wants = [...this.#handlers].filter(({ attached }) => attached.has(channel));
    const { types, where, dialect } = together(wants);
    const frame = { channel, types: [...types], where, dialect, attributes: valuesFrom(this.#attributes) };
    this.#joining = true;
    try {
      this.#service.inboxes.join(this.#mailbox.id, create(JoinSchema, frame));
    } finally {
      this.#joining = false;
    }
  }

  /** A handler has left a channel or pattern. */
  #changed(channel: string, handler: AttachedHandler): void {
    this.#found = new Map();
    this.#forget(handler);
    if (this.#over) return;
    if (this.#channels().has(channel)) this.#join(channel);
    else this.#service.inboxes.leave(this.#mailbox.id, channel);
  }

  #forget(handler: AttachedHandler): void {
    if (handler.attached.size > 0) return;
    this.#handlers.delete(handler);
    handler.release(this.#service.core);
  }

  #handlersOf(channel: string): readonly AttachedHandler[] {
    const found = this.#found.get(channel);
    if (found !== undefined) return found;
    const handlers = [...this.#handlers].filter((handler) => handler.covers(channel));
    // Channels of patterns come and go: nobody counts on an entry.
    if (this.#found.size >= limits.patternChannels) this.#found.clear();
    this.#found.set(channel, handlers);
    return handlers;
  }
}

function within(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new SluiceError("invalid_value", `Cannot set ${name} to ${value}, it must be from 1 to ${most}`, {
    value: Number.isFinite(value) ? value : String(value),
    limit: [1, most],
  });
}
