/**
 * Cancelling by key, as a slow and obvious model: every delivery of an event with a key is remembered for good.
 *
 * Source: docs/adr/0022-cancel.md and docs/guides/tied-requests.md.
 */
import { create } from "@bufbuild/protobuf";
import * as abi from "../../../core-wasm/abi.ts";
import { type Event, EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import type { Entry, ModelInbox } from "./inbox.ts";

/** A delivery of an event with a key. */
interface Start {
  readonly connection: number;
  readonly channel: number;
  readonly key: string;
  readonly timeUs: bigint;
  /** An echo of what the session published itself. */
  readonly own: boolean;
  claimUs: bigint | undefined;
  aborted: boolean;
}

/** A cancel as it came. */
export interface ModelCancel {
  readonly connection: number;
  readonly channel: number;
  readonly key: string;
  /** Undefined: all so far, and its own moment is now. */
  readonly atUs: bigint | undefined;
  readonly nowUs: bigint;
}

/** What became of it. */
export interface ModelCancelled {
  readonly status: number;
  readonly withdrawn: number;
  readonly forwarded: number;
}

/** What cancelling needs to know of the engine. */
export interface CancelWorld {
  /** Inboxes of all sessions. */
  inboxes(): Iterable<ModelInbox>;
  /** Place of a session's first sink in the order of joining, -1: it has none. */
  joined(connection: number, channel: number): number;
  source(connection: number): string;
  /** Sequences an event and hands it to one sink each; returns how many inboxes took it. */
  tell(channel: number, event: Event, connections: readonly number[], cancel: Entry["cancel"]): number;
}

/** See the head of this file. */
export class ModelCancels {
  readonly #world: CancelWorld;
  #starts: Start[] = [];

  constructor(world: CancelWorld) {
    this.#world = world;
  }

  /** An entry was delivered. */
  delivered(connection: number, entry: Entry): void {
    const { key, timeUs } = entry.event;
    if (key === "" || entry.cancel !== undefined) return;
    const own = entry.submitter === connection;
    const start = { connection, channel: entry.channel, key, timeUs: timeUs as bigint, own };
    this.#starts.push({ ...start, claimUs: undefined, aborted: false });
  }

  /** A session is over: what it began, it does not do any more. */
  closed(connection: number): void {
    this.#starts = this.#starts.filter((start) => start.connection !== connection);
  }

  /** Cancels. */
  cancel(cancel: ModelCancel): ModelCancelled {
    const { connection, channel, key, nowUs } = cancel;
    const all = this.#starts.filter((start) => start.channel === channel && start.key === key);
    const atUs = cancel.atUs ?? all.reduce((latest, { timeUs }) => (timeUs > latest ? timeUs : latest), nowUs);
    const starts = all.filter(({ timeUs }) => timeUs <= atUs);
    const mine = latest(starts.filter((start) => start.connection === connection && !start.own));
    if (mine !== undefined && (mine.aborted || this.#beaten(mine, atUs)))
      return { status: abi.STATUS_CANCELLED, withdrawn: 0, forwarded: 0 };
    const others = starts.filter(
      (start) => start.connection !== connection && this.#world.joined(start.connection, channel) >= 0,
    );
    const withdrawn = this.#withdraw(cancel, mine === undefined ? undefined : atUs);
    if (mine === undefined) for (const start of starts) start.aborted = true;
    else if (mine.claimUs === undefined || atUs < mine.claimUs) mine.claimUs = atUs;
    const told = [...new Set(others.map((start) => start.connection))];
    const forwarded = told.length === 0 ? 0 : this.#tell({ ...cancel, atUs }, told, mine !== undefined);
    return { status: abi.STATUS_OK, withdrawn, forwarded };
  }

  /** An earlier claim of a sink that is still there covers what this one got; of two at one moment, who joined first. */
  #beaten(mine: Start, atUs: bigint): boolean {
    const place = (start: Start) => this.#world.joined(start.connection, start.channel);
    return this.#starts.some(
      (start) =>
        start.channel === mine.channel &&
        start.key === mine.key &&
        start.connection !== mine.connection &&
        start.claimUs !== undefined &&
        start.claimUs >= mine.timeUs &&
        place(start) >= 0 &&
        (start.claimUs < atUs || (start.claimUs === atUs && place(start) < place(mine))),
    );
  }

  #withdraw({ channel, key, atUs }: ModelCancel, claimUs: bigint | undefined): number {
    const hit = (entry: Entry): boolean => {
      if (entry.channel !== channel || entry.event.key !== key) return false;
      const timeUs = entry.event.timeUs as bigint;
      if (entry.cancel === undefined) return atUs === undefined || timeUs <= atUs;
      return entry.cancel === "claim" && claimUs !== undefined && timeUs >= claimUs;
    };
    let withdrawn = 0;
    for (const inbox of this.#world.inboxes()) {
      const gone = inbox.entries.filter(hit);
      inbox.entries = inbox.entries.filter((entry) => !hit(entry));
      inbox.drop(channel, "cancelled", gone.length);
      withdrawn += gone.filter((entry) => entry.cancel === undefined).length;
    }
    return withdrawn;
  }

  #tell(
    { connection, channel, key, atUs }: ModelCancel & { atUs: bigint },
    told: readonly number[],
    claims: boolean,
  ): number {
    const source = this.#world.source(connection);
    const event = create(EventSchema, { type: "cancel", source, key, timeUs: atUs });
    return this.#world.tell(channel, event, told, claims ? "claim" : "abort");
  }
}

function latest(starts: readonly Start[]): Start | undefined {
  // The newest delivery of those that happened last.
  return starts.reduce<Start | undefined>(
    (best, start) => (best === undefined || start.timeUs >= best.timeUs ? start : best),
    undefined,
  );
}
