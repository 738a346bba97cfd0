/**
 * Handlers: functions of a service manager that are called for events. Which of them an event is for is asked when it leaves
 * the manager's inbox, where it waits once, however many it is for.
 */
import { isPattern, matcherOf } from "../../channel/pattern.ts";
import type { Core } from "../../core/instance.ts";
import { assertTypes } from "../../session/join.ts";
import { whereFrom } from "../../session/where.ts";
import type { ReceivedEvent } from "./event.ts";
import { holds, KeptWhere, type Want } from "./wants.ts";

/** What a handler wants. */
export interface HandlerOptions {
  /** Event types; none: any. */
  readonly types?: readonly string[];
  /** Only events of which this expression holds: when they are published, and again when they are handed out. */
  readonly where?: string;
  /** Language of `where`: `cesql` is the pure CloudEvents SQL. */
  readonly dialect?: "cesql";
}

/** What a handler is told of an event beside the event. */
export interface HandlerContext {
  readonly channel: string;
  /** Counts per (channel, epoch). */
  readonly sequence: number;
  readonly epoch: number;
  /** Dense count of the deliveries of the manager's inbox, from 1. */
  readonly number: number;
  /** 1, or how often it was delivered, this time included. */
  readonly attempt: number;
  /** Events of handlers that led to this one. */
  readonly hops: number;
}

/** Called for each event. Where it returns a promise the event is over when that is settled. */
export type HandlerFunction = (event: ReceivedEvent, context: HandlerContext) => unknown;

/** What a handler has done. */
export interface HandlerStatus {
  readonly calls: number;
  /** Calls that threw, were rejected, or took longer than the manager's `timeoutMs`. */
  readonly errors: number;
}

/** A handler that was attached to a service manager. */
export interface Handler {
  /** Channels and patterns that it is attached to. */
  readonly channels: readonly string[];
  /** Attaches it to another channel or pattern. @throws {SluiceError} as a join is refused. */
  join(channel: string): void;
  /** Detaches it from that channel, or from all. What waits and is for other handlers stays. */
  leave(channel?: string): void;
  status(): HandlerStatus;
}

/** What is known of a handler while it is attached. */
export class AttachedHandler implements Want {
  readonly run: HandlerFunction;
  readonly types: Want["types"];
  readonly where: Want["where"];
  /** Channels and patterns, with what tells their names. */
  readonly attached = new Map<string, (name: string) => boolean>();
  calls = 0;
  errors = 0;
  readonly #kept: KeptWhere | undefined;

  /** @throws {SluiceError} `expression`, `type_too_long`, `limit_reached`, `invalid_value`. */
  constructor(run: HandlerFunction, { types = [], where = "", dialect }: HandlerOptions) {
    assertTypes(types, "types");
    this.run = run;
    this.types = types.length === 0 ? undefined : new Set(types);
    this.where = whereFrom(where, dialect ?? "");
    this.#kept = this.where && new KeptWhere(this.where);
  }

  attach(channel: string): void {
    const matches = isPattern(channel) ? matcherOf(channel) : undefined;
    this.attached.set(channel, matches === undefined ? (name) => name === channel : (name) => matches.test(name));
  }

  /** Whether it is attached to a channel, by name or pattern. */
  covers(channel: string): boolean {
    for (const matches of this.attached.values()) if (matches(channel)) return true;
    return false;
  }

  /** Whether it wants an event, with the live attributes that the manager's member has now. */
  wants(core: Core, type: string, event: Uint8Array, member: number): boolean {
    if (this.types?.has(type) === false) return false;
    return this.#kept === undefined || holds(core, this.#kept, event, member);
  }

  /** Gives back what the core keeps for it. */
  release(core: Core): void {
    this.#kept?.release(core);
  }
}
