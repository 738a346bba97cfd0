/**
 * A fifo inbox with capacity, overflow, credit and notices, as slow and obvious as it can be written.
 *
 * Source: docs/ARCHITECTURE.md; host/core/exports.ts inboxSet(), inboxHold(), drain().
 */
import * as abi from "../../../core-wasm/abi.ts";
import type { Event } from "../../../host/gen/sluice/v1/event_pb.ts";
import { microseconds } from "./event.ts";

/** What waits: one entry per event and inbox, whatever the number of memberships. */
export interface Entry {
  readonly channel: number;
  readonly sequence: bigint;
  readonly event: Event;
  /** Bytes charged to the inbox. */
  readonly bytes: number;
  /** The membership for which it came, which takes it along when it leaves. */
  readonly member: number;
  /** Whether `member` is told. */
  readonly memberTold: boolean;
  /** Memberships of which any may be told; absent: only `member`. */
  readonly told?: readonly number[];
  /** Dropped rather than delivered when late (CHANNEL_LATE_DROP). */
  readonly lateDrop: boolean;
  /** The session that published it. */
  readonly submitter: number;
  /** It tells of a cancel, by somebody who had the key or by somebody else; absent: it is an event like any other. */
  readonly cancel?: "claim" | "abort";
}

/** A delivery as the model makes it. */
export interface ModelDelivery {
  readonly number: bigint;
  readonly entry: Entry;
}

/** Why something will not be delivered. */
export type DropReason = "overflow" | "late" | "cancelled";

/** Capacity of a new inbox, see connectionOpen(). */
export const INBOX_EVENTS_DEFAULT = 65_536;
export const INBOX_BYTES_DEFAULT = 16 * 1024 * 1024;

/** See the head of this file. */
export class ModelInbox {
  entries: Entry[] = [];
  capacityEvents = INBOX_EVENTS_DEFAULT;
  capacityBytes = INBOX_BYTES_DEFAULT;
  overflow: number = abi.OVERFLOW_DROP_OLDEST;
  held = false;
  /** Undefined: no credit frame yet, no window. */
  creditEvents: number | undefined;
  creditBytes: number | undefined;
  delivered = 0n;
  disconnected = false;
  /** `"<channel>/<reason>"` → count, since the start. */
  readonly dropped = new Map<string, number>();

  /** Bytes waiting. */
  get bytes(): number {
    return this.entries.reduce((sum, entry) => sum + entry.bytes, 0);
  }

  /** Counts what will not be delivered. */
  drop(channel: number, reason: DropReason, count = 1): void {
    if (count === 0) return;
    const name = `${channel}/${reason}`;
    this.dropped.set(name, (this.dropped.get(name) ?? 0) + count);
  }

  /** Whether an entry of so many bytes has room now. */
  fits(bytes: number): boolean {
    return this.entries.length + 1 <= this.capacityEvents && this.bytes + bytes <= this.capacityBytes;
  }

  /** Enqueues by the overflow policy. Returns false where the inbox refuses (`reject`). */
  push(entry: Entry, nowMs: number): boolean {
    const fits = this.fits(entry.bytes);
    if (!fits && this.overflow === abi.OVERFLOW_REJECT) return false;
    const dead = deadReason(entry, nowMs);
    if (dead !== undefined) {
      this.drop(entry.channel, dead);
      return true;
    }
    if (fits) {
      this.entries.push(entry);
      return true;
    }
    if (this.overflow === abi.OVERFLOW_DISCONNECT) this.disconnected = true;
    if (this.overflow === abi.OVERFLOW_DROP_OLDEST) {
      while (this.entries.length > 0 && !this.fits(entry.bytes)) this.#dropFirst();
      if (this.fits(entry.bytes)) {
        this.entries.push(entry);
        return true;
      }
    }
    this.drop(entry.channel, "overflow");
    return true;
  }

  /** Sets capacity and policy; of what is beyond, the oldest goes. */
  set(capacityEvents: number, capacityBytes: number, overflow: number): void {
    this.capacityEvents = capacityEvents;
    this.capacityBytes = capacityBytes;
    this.overflow = overflow;
    while (this.entries.length > capacityEvents || this.bytes > capacityBytes) this.#dropFirst();
  }

  /** Adds credit; the first grant ends the default window. */
  credit(events: number, bytes: number): void {
    this.creditEvents = (this.creditEvents ?? 0) + events;
    this.creditBytes = (this.creditBytes ?? 0) + bytes;
  }

  /** Discards entries of a member that left. Returns how many. */
  discard(which: (entry: Entry) => boolean): number {
    const before = this.entries.length;
    this.entries = this.entries.filter((entry) => !which(entry));
    return before - this.entries.length;
  }

  /** Whether drain() would deliver something now. */
  ready(nowMs: number): boolean {
    return this.#open() && this.entries.some((entry) => deadReason(entry, nowMs) === undefined);
  }

  /** Everything that may be delivered now, in order; what is dead goes even while nothing may. */
  drain(nowMs: number): ModelDelivery[] {
    const out: ModelDelivery[] = [];
    this.entries = this.entries.filter((entry) => {
      const dead = deadReason(entry, nowMs);
      if (dead !== undefined) this.drop(entry.channel, dead);
      return dead === undefined;
    });
    for (let entry = this.entries[0]; entry !== undefined && this.#open(); entry = this.entries[0]) {
      this.entries.shift();
      if (this.creditEvents !== undefined) this.creditEvents -= 1;
      if (this.creditBytes !== undefined) this.creditBytes -= entry.bytes;
      this.delivered += 1n;
      out.push({ number: this.delivered, entry });
    }
    return out;
  }

  /** Credit in bytes may be overdrawn by one event: else one larger than any credit would wait for ever. */
  #open(): boolean {
    return !this.held && (this.creditEvents ?? 1) > 0 && (this.creditBytes ?? 1) > 0;
  }

  #dropFirst(): void {
    const entry = this.entries.shift();
    if (entry !== undefined) this.drop(entry.channel, "overflow");
  }
}

/** Why an entry must not be delivered any more. At or before the deadline is in time. */
function deadReason(entry: Entry, nowMs: number): DropReason | undefined {
  const deliverByUs = entry.event.deliverByUs;
  return entry.lateDrop && deliverByUs !== undefined && microseconds(nowMs) > deliverByUs ? "late" : undefined;
}
