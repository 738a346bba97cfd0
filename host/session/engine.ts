/**
 * What all sessions of a host share. The service builds it (service.ts); sessions know no more of the service than this.
 */
import type { Channels } from "../channel/channels.ts";
import type { Clocks } from "../clock.ts";
import type { Conditions } from "../condition/conditions.ts";
import type { CoreHolder } from "../core/instance.ts";
import type { SluiceError } from "../errors.ts";
import type { Binder } from "../filter/module/binder.ts";
import type { Log } from "../log.ts";
import type { ServiceOptions } from "../options.ts";
import type { ConnectionKind } from "./connection.ts";
import type { PublishResult } from "./local.ts";
import type { RegionState } from "./observing.ts";
import type { Patterns } from "./patterns.ts";
import type { WriteHold } from "./port.ts";
import type { Resumption } from "./resumption.ts";
import type { Session } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { Tracing } from "./tracing.ts";

/** A text message read: the binary frame it stands for, or what is wrong with it. */
export type TextRead =
  | {
      readonly ok: true;
      /** An encoded ClientFrame, valid until the next read. */
      readonly frame: Uint8Array;
    }
  | { readonly ok: false; readonly error: SluiceError; readonly ref?: number };

/** What the rendering of one session's output depends on. */
export interface RenderContext {
  /** Number of the first delivery in the bytes. */
  readonly firstNumber: number;
  /** Most deliveries and bytes in one deliver frame. */
  readonly events: number;
  readonly bytes: number;
  /** The member of this session that gets the events of a channel, where there is just one. */
  memberOf(channelNumber: number): number | undefined;
}

/** JSON that comes in; the socket layer provides it, so that sessions do not depend on a format. */
export interface JsonCodec {
  /** Reads one text message, which is UTF-8. */
  read(text: Uint8Array): TextRead;
}

/** Turns what drain() wrote into what peers of one kind read; one serves all sessions of that kind. */
export interface OutputRenderer {
  /**
   * Renders whole size-delimited HostFrames.
   *
   * @param drained What drain() wrote.
   * @returns What the carrier gets in one write, perhaps nothing; valid until the next call, or for good once
   *   {@link OutputRenderer.keep} was called. It MUST NOT end within a message of its kind.
   */
  render(drained: Uint8Array, context: RenderContext): Uint8Array;
  /** The last rendering is still being sent: leave its bytes alone. */
  keep(): void;
  /** What is sent where nothing else was for a while, so that proxies and systems notice a peer that is gone. */
  readonly heartbeat?: Uint8Array;
}

/** What the host counts itself, since its start; the rest is counted by the core. */
export interface Counters {
  sessionsOpened: number;
  sessionsRefused: number;
  sessionsClosed: number;
  problems: number;
  /** Calls of write() on sockets. */
  writes: number;
  /** Those that the system did not take at once. */
  writesHeld: number;
  /** Those for which no slot was free, so that bytes were copied once more. */
  writesCopied: number;
  /** Loop turns in which output was flushed. */
  flushes: number;
  coreRestarts: number;
  /** Channels that a subscription to a pattern does not follow, for want of room. */
  patternsMissed: number;
  /** Events that went to a dead-letter channel. */
  deadLetters: number;
  /** Sessions whose carrier broke and that went on, and those for which there was no room to linger. */
  sessionsResumed: number;
  lingeringRefused: number;
  /** Calls of handlers of service managers that failed, and events of theirs that were one hop too many. */
  handlerErrors: number;
  cascadesRefused: number;
}

/** A fresh set of counters. */
export function createCounters(): Counters {
  return {
    sessionsOpened: 0,
    sessionsRefused: 0,
    sessionsClosed: 0,
    problems: 0,
    writes: 0,
    writesHeld: 0,
    writesCopied: 0,
    flushes: 0,
    coreRestarts: 0,
    patternsMissed: 0,
    deadLetters: 0,
    sessionsResumed: 0,
    lingeringRefused: 0,
    handlerErrors: 0,
    cascadesRefused: 0,
  };
}

/** Flushes sessions once per loop turn; see flush.ts. */
export interface Flusher {
  /** Something may be dirty in the core: flush it all in this turn of the loop, once. */
  schedule(): void;
  /** This session may go on sending: flush it in the next turn, dirty or not. */
  ready(session: Session): void;
  /** Sends the heartbeat of its kind, where nothing is being sent. */
  beat(session: Session): void;
  /** Flushes one session at once, for goodbyes. */
  flush(session: Session): void;
  /** Flushes everything now. */
  turn(): void;
  /** The host ends: no deadline is looked at any more. */
  stop(): void;
  /** Whether a turn is due. */
  readonly pending: boolean;
  /** The socket is done with what it was given, or gone: the memory of that write is free. */
  released(hold: WriteHold): void;
}

/** Contracts, as sessions know them. */
export interface Regions {
  /** @throws {SluiceError} `contract_unknown`, as the others do. */
  state(contract: string): RegionState;
  /** Evaluates it now. */
  evaluate(contract: string): RegionState;
  /** Has somebody told of its transitions, and of its end. Returns what ends that. */
  add(contract: string, observer: { moved(state: RegionState): void; ended(): void }): () => void;
}

/** The shared part. */
export interface Engine extends CoreHolder {
  readonly options: ServiceOptions;
  readonly clocks: Clocks;
  readonly log: Log;
  readonly channels: Channels;
  /** What the system measures, and what others tell it. */
  readonly conditions: Pick<Conditions, "change">;
  /** Where contracts are, and who is told. */
  readonly regions: Regions;
  /** Sessions that may come back. */
  readonly resumption: Resumption;
  readonly slots: Slots;
  readonly json: JsonCodec;
  /** By kind of connection; without one, peers get the frames as drain() wrote them. */
  readonly renderers: { readonly [Kind in ConnectionKind]?: OutputRenderer };
  readonly flusher: Flusher;
  /** Subscriptions to patterns of channels. */
  readonly patterns: Patterns;
  readonly counters: Counters;
  /** Events whose way is followed. */
  readonly tracing: Tracing;
  /** Filter modules at work; undefined where this host takes none. */
  readonly modules: Binder | undefined;
  /** Whether anything may wait for a decider. */
  readonly deciding: boolean;
  /** Publishes encoded events as a source of the host's own. @throws {SluiceError} where no event was looked at. */
  publishEncoded(name: string, events: readonly Uint8Array[]): PublishResult[];
  /** Has all events decided that wait for a decider (decider.ts). */
  decide(now: number): void;
  /** Whether the host says goodbye to its sessions. */
  readonly draining: boolean;
  /** Tells that a session is over; its number in the core is free again. */
  forget(session: Session): void;
  /**
   * Deals with anything thrown while working for a session: a trap restarts the core, anything else ends that session.
   * Never throws.
   */
  fault(error: unknown, session: Session | undefined): void;
}
