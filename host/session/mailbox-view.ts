/**
 * What is seen of mailboxes from outside: of those of HTTP clients (mailbox.ts) and of those of sessions with a socket.
 */
import type { Layers } from "../channel/overlays.ts";
import type { Join } from "../gen/sluice/v1/frame_pb.ts";
import type { ConnectionKind } from "./connection.ts";
import type { DeadlineCounts } from "./deadlines.ts";
import type { InboxHistory } from "./history.ts";
import type { InboxSettings } from "./inbox.ts";
import type { RawDelivery } from "./local-frames.ts";
import type { Where } from "./where.ts";

/** One mailbox. */
export interface MailboxView {
  /** Unguessable where a client polls it, since whoever knows it may take its events; of a service manager its name, else `s` and the session's number. */
  readonly id: string;
  readonly kind: "http" | "manager" | ConnectionKind;
  readonly settings: InboxSettings;
  /** What is in force: the settings, and what contracts lay over them. */
  readonly inForce: InboxSettings;
  readonly layers: Layers;
  /** Undefined where it lives as long as its session. */
  readonly idleMs: number | undefined;
  /** Whether deliveries wait in it by somebody's wish. */
  readonly held: boolean;
  /** What waits in it now. */
  readonly events: number;
  readonly bytes: number;
  /** Deliveries that wait for an acknowledgement. */
  readonly unacknowledged: number;
  /** Polls that wait at it. */
  readonly polls: number;
  /** How long events waited in it and how many there were; undefined: nothing was delivered yet. */
  history(): InboxHistory | undefined;
  /** By bucket, how long its deliveries had waited so far; none: nothing was delivered. */
  waits(): readonly number[];
  /** What was joined, a pattern by itself and without the channels that it follows; `role` has ROLE_… bits, `frame` says how it was joined, where that is known. */
  joins(): Iterable<{
    readonly channel: string;
    readonly member: number;
    readonly role: number;
    readonly frame?: Join;
    /** Of a channel whose events have deadlines. */
    readonly deadlines?: DeadlineCounts | undefined;
  }>;
}

/** Which deliveries a poll asks for. */
export interface Picked {
  /** Types; none: any. */
  readonly types: readonly string[];
  readonly where: Where | undefined;
}

/** What a poll asks for. */
export interface PollWanted {
  /** Absent: whatever there is. */
  readonly picked?: Picked | undefined;
  /** Deliveries at most; undefined: what the mailbox's own `select` says. */
  readonly eventsMax: number | undefined;
  /** How long to wait for the first one, on the real clock; 0: not at all. */
  readonly waitMs: number;
  /** The client is gone: what it does not take must stay. */
  readonly signal?: AbortSignal;
}

/** A delivery with all that is told of it. */
export interface InboxEntry extends RawDelivery {
  /** Dense count of this mailbox's deliveries, from 1. */
  readonly number: number;
  readonly channel: string;
  readonly epoch: number;
  /** The event's id where its source gave none. */
  readonly derivedId: string;
}

/** Deliveries of one channel that this mailbox will not get. */
export interface InboxDropped {
  readonly channel: string;
  readonly reason: string;
  readonly count: number;
}

/** What a poll got. */
export interface Polled {
  readonly entries: readonly InboxEntry[];
  /** Since the last poll that was answered. */
  readonly dropped: readonly InboxDropped[];
}
