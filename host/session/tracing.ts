/**
 * When one event passed which stage, on request.
 *
 *   submitted ─► encoded ─► queued ─► for each sink: drained ─► written ─► acknowledged
 *
 * Nobody who does not ask pays: whoever drains or writes compares one number with 0. While there are traces that miss something,
 * what is drained is searched for their events, by ids that the host gives them. The core has no clock, and stores, matches,
 * filters and queues an event within one call: these have one time.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../errors.ts";
import type { Event } from "../gen/sluice/v1/event_pb.ts";
import { EventSchema } from "../gen/sluice/v1/event_pb.ts";
import { limits } from "../limits.ts";
import { createSecret } from "../options.ts";
import type { Engine } from "./engine.ts";
import { readFrames } from "./local-frames.ts";
import type { Session } from "./session.ts";
import { binaryPayloads } from "./websocket-frame.ts";

/** One sink's part of a trace; times are milliseconds since the event was submitted, on the real clock. */
export interface TracedDelivery {
  /** Id of its mailbox; null for a handler within the process. */
  readonly inbox: string | null;
  readonly kind: string;
  /** It left the inbox. */
  readonly drainedMs: number;
  /** The system, the poll's answer or the handler has it; undefined: not yet. */
  writtenMs: number | undefined;
  /** Where deliveries are acknowledged explicitly; undefined: not yet, or not asked for. */
  acknowledgedMs: number | undefined;
}

/** What is known of one event's way. */
export interface Trace {
  readonly id: string;
  readonly channel: string;
  /** 0: it waits in its outbox, or did when it was accepted. */
  readonly sequence: number;
  readonly epoch: number;
  /** Sinks that were selected when it was accepted. */
  readonly sinks: number;
  /** On the real clock, ms since 1970. */
  readonly submittedAt: number;
  readonly encodedMs: number;
  /** It is stored, matched, filtered, and in the inboxes. */
  readonly queuedMs: number;
  readonly deliveries: readonly TracedDelivery[];
  /** As many sinks have it as were selected. */
  readonly complete: boolean;
}

/** How to trace. */
export interface TraceOptions {
  /** When the event came, where that was before; ms since 1970 on the real clock. */
  readonly submittedAt?: number;
  /** How long to wait for the sinks to have it, on the real clock. */
  readonly waitMs?: number;
}

interface Delivery extends TracedDelivery {
  readonly session: Session;
  number: number | undefined;
}

interface Kept {
  /** The id as it lies in an encoded event: field 1. */
  readonly pattern: Uint8Array;
  readonly told: Omit<Trace, "deliveries" | "complete">;
  readonly deliveries: Delivery[];
  /** Looks for what it misses no more. */
  open: boolean;
  readonly complete: () => void;
}

const TAG_ID = 0x0a;
const encoder = new TextEncoder();

/** See the head of this file. */
export class Tracing {
  /** Traces that miss something. */
  active = 0;
  readonly #engine: Engine;
  readonly #kept: Kept[] = [];
  /** Deliveries whose acknowledgement may come. */
  unacknowledged = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The last ones, newest first. */
  list(): Trace[] {
    return this.#kept.map(traceOf).reverse();
  }

  /**
   * Publishes one event and follows it.
   *
   * @returns What is known once all selected sinks have it, or the time is over; list() has what comes later, for a minute.
   * @throws {SluiceError} where the event is refused.
   */
  async trace(
    channel: string,
    event: Event,
    { submittedAt, waitMs = limits.traceWaitMs }: TraceOptions = {},
  ): Promise<Trace> {
    const { real } = this.#engine.clocks;
    const start = submittedAt ?? real.now();
    const id = event.id || `trace-${createSecret()}`;
    const bytes = toBinary(EventSchema, create(EventSchema, { ...event, id }));
    const encodedMs = real.now() - start;
    const [result] = this.#engine.publishEncoded(channel, [bytes]);
    const queuedMs = real.now() - start;
    if (result === undefined) throw new SluiceError("internal", "Publishing one event gave no result");
    if ("problem" in result) throw result.problem;
    const { sequence, epoch, sinks } = result;
    const told = { id, channel, sequence, epoch, sinks, submittedAt: start, encodedMs, queuedMs };
    const kept = await this.#follow(told, Math.min(waitMs, limits.traceWaitMsMax));
    return traceOf(kept);
  }

  /** Bytes left the inbox of a session. To be called where `active` is not 0. @param inbox Id of the mailbox. */
  drained(session: Session, inbox: string | null, bytes: Uint8Array): void {
    const now = this.#engine.clocks.real.now();
    for (const { open, pattern, told, deliveries } of this.#kept) {
      if (!open || !has(bytes, pattern) || deliveries.length >= limits.traceDeliveries) continue;
      const drainedMs = now - told.submittedAt;
      const rest = { writtenMs: undefined, acknowledgedMs: undefined, number: undefined };
      deliveries.push({ session, inbox, kind: session.kind, drainedMs, ...rest });
    }
  }

  /** Whom a session sends to has what was drained. To be called where `active` is not 0. */
  written(session: Session): void {
    const now = this.#engine.clocks.real.now();
    for (const kept of this.#kept) {
      if (!kept.open) continue;
      for (const delivery of kept.deliveries)
        if (delivery.session === session) delivery.writtenMs ??= now - kept.told.submittedAt;
      const { sinks, sequence } = kept.told;
      if (sequence !== 0 && kept.deliveries.filter(({ writtenMs }) => writtenMs !== undefined).length >= sinks)
        kept.complete();
    }
  }

  /** A delivery of a mailbox has a number, which its acknowledgement will name. */
  numbered(session: Session, number: number, event: Uint8Array): void {
    if (session.inbox?.acks.explicit !== true) return;
    for (const { pattern, deliveries } of this.#kept) {
      if (!has(event, pattern)) continue;
      for (const delivery of deliveries) {
        if (delivery.session !== session || delivery.number !== undefined) continue;
        delivery.number = number;
        this.unacknowledged++;
      }
    }
  }

  /** The same for what the core wrote for a socket; `first`: number of its first new delivery. */
  counted(session: Session, first: number, drained: Uint8Array): void {
    if (session.inbox?.acks.explicit !== true) return;
    let next = first;
    readFrames(
      session.kind === "websocket" ? binaryPayloads(drained) : drained.slice(),
      ({ number, event }) => this.numbered(session, number ?? next++, event),
      () => {},
    );
  }

  /** Input of a socket came: those of its deliveries that the core keeps no longer were acknowledged by it. */
  answered(session: Session): void {
    const { exports } = this.#engine.core;
    this.#note(session, (number) => exports.inboxKeeps(session.id, number) === 0);
  }

  /** Deliveries of a mailbox were acknowledged: these, and all up to one. */
  acknowledged(session: Session, numbers: readonly number[], through: number): void {
    this.#note(session, (number) => number <= through || numbers.includes(number));
  }

  #note(session: Session, isAcknowledged: (number: number) => boolean): void {
    if (this.unacknowledged === 0) return;
    const now = this.#engine.clocks.real.now();
    for (const { told, deliveries } of this.#kept) {
      for (const delivery of deliveries.filter(isUnacknowledged)) {
        if (delivery.session !== session || !isAcknowledged(delivery.number ?? 0)) continue;
        delivery.acknowledgedMs = now - told.submittedAt;
        this.unacknowledged--;
      }
    }
  }

  /** Follows an event until it is complete, at most for a minute; resolved then, or when the wait is over. */
  #follow(told: Kept["told"], waitMs: number): Promise<Kept> {
    return new Promise((resolve) => {
      const { real } = this.#engine.clocks;
      const kept: Kept = {
        told,
        pattern: patternOf(told.id),
        deliveries: [],
        open: true,
        complete: () => {
          if (!kept.open) return;
          kept.open = false;
          this.active--;
          for (const cancel of timers) cancel();
          resolve(kept);
        },
      };
      const timers = [real.setTimer(() => resolve(kept), waitMs), real.setTimer(kept.complete, limits.traceMs)];
      this.active++;
      this.#kept.push(kept);
      if (this.#kept.length > limits.traces) this.#forgetOldest();
      if (told.sinks === 0 && told.sequence !== 0) kept.complete();
    });
  }

  #forgetOldest(): void {
    const oldest = this.#kept.shift();
    oldest?.complete();
    this.unacknowledged -= oldest?.deliveries.filter(isUnacknowledged).length ?? 0;
  }

  /** Ends what is followed, with the host. */
  close(): void {
    for (const { complete } of this.#kept) complete();
  }
}

function isUnacknowledged({ number, acknowledgedMs }: Delivery): boolean {
  return number !== undefined && acknowledgedMs === undefined;
}

function traceOf({ told, deliveries }: Kept): Trace {
  const shown = deliveries.map(({ session: _session, number: _number, ...delivery }) => delivery);
  const written = shown.filter(({ writtenMs }) => writtenMs !== undefined).length;
  return { ...told, deliveries: shown, complete: told.sequence !== 0 && written >= told.sinks };
}

function patternOf(id: string): Uint8Array {
  const text = encoder.encode(id);
  const size = text.length < 0x80 ? [text.length] : [(text.length & 0x7f) | 0x80, text.length >> 7];
  return Uint8Array.from([TAG_ID, ...size, ...text]);
}

/** Whether bytes have a pattern in them; only ever asked while somebody traces. */
function has(bytes: Uint8Array, pattern: Uint8Array): boolean {
  for (let at = bytes.indexOf(TAG_ID); at !== -1; at = bytes.indexOf(TAG_ID, at + 1)) {
    let same = 1;
    while (same < pattern.length && bytes[at + same] === pattern[same]) same++;
    if (same === pattern.length) return true;
  }
  return false;
}
