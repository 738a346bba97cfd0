/**
 * One connection of the harness: feeds bytes split anywhere, runs the ingest loop, takes and decodes drains.
 */
import * as abi from "../../core-wasm/abi.ts";
import type { Event } from "../../host/gen/sluice/v1/event_pb.ts";
import { type Drained, mergeDrained, parseDrained } from "./drained.ts";
import { type ClientFrameInit, type EventInit, encodeFrame, publishFrame } from "./frames.ts";
import type { Harness } from "./harness.ts";
import { type Outcome, type OutcomeOf, readOutcome } from "./outcome.ts";
import { binaryMessage } from "./websocket.ts";
import { sizeDelimited } from "./wire.ts";

/** No input of one chunk makes more returns than this; more means that ingest() goes in circles. */
const TURNS_MAX = 200_000;

/** See the head of this file. */
export class TestConnection {
  readonly id: number;
  readonly kind: number;
  readonly #harness: Harness;
  /** Whether an unknown source becomes one; else REASON_SOURCE is only recorded. */
  implicitSources = true;

  constructor(harness: Harness, id: number, kind: number) {
    this.#harness = harness;
    this.id = id;
    this.kind = kind;
  }

  /** Frames a binary ClientFrame as this kind of connection carries it. */
  wrap(frame: Uint8Array): Uint8Array {
    const delimited = sizeDelimited(frame);
    return this.kind === abi.CONNECTION_WEBSOCKET ? binaryMessage(delimited) : delimited;
  }

  /**
   * Feeds bytes as the socket would, in one chunk or split at the given offsets.
   *
   * @param bytes What the peer wrote.
   * @param splits Offsets in ascending order; chunks beyond LANDING_BYTES are cut in any case.
   * @returns All outcomes in order.
   */
  feed(bytes: Uint8Array, splits: readonly number[] = []): Outcome[] {
    const outcomes: Outcome[] = [];
    let from = 0;
    for (const to of [...splits, bytes.length]) {
      while (from < to) {
        const end = Math.min(to, from + abi.LANDING_BYTES);
        this.#chunk(bytes.subarray(from, end), outcomes);
        from = end;
      }
    }
    return outcomes;
  }

  /** Sends one frame as bytes of this kind of connection; for a JSON session, as the host would translate it. */
  send(frame: ClientFrameInit): Outcome[] {
    const bytes = encodeFrame(frame);
    return this.kind === abi.CONNECTION_WEBSOCKET_JSON ? this.inject(bytes) : this.feed(this.wrap(bytes));
  }

  /** Hands one encoded frame to ingestFrame(), as the host does for JSON, HTTP and embedded use. */
  inject(frame: Uint8Array): Outcome[] {
    const outcomes: Outcome[] = [];
    this.#inject(frame, outcomes);
    this.#chunk(new Uint8Array(0), outcomes);
    return outcomes;
  }

  /** Publishes on a channel number. With `ref` the outcome is a receipt. */
  publish(channel: number, events: readonly EventInit[], ref?: number): Outcome[] {
    return this.send(publishFrame(channel, events, ref));
  }

  /** Publishes and returns the records of the receipt. */
  receipt(channel: number, events: readonly EventInit[]): OutcomeOf<"receipt">["records"] {
    const outcomes = this.publish(channel, events, 77).filter((outcome) => outcome.reason !== "decide");
    const [first, ...rest] = outcomes;
    if (first?.reason !== "receipt" || rest.length > 0 || first.ref !== 77) {
      throw new Error(
        `Expected one receipt, got ${JSON.stringify(outcomes, (_, v) => (typeof v === "bigint" ? `${v}` : v))}`,
      );
    }
    return first.records;
  }

  /** Grants credit. */
  credit(events: number, bytes: number): Outcome[] {
    return this.send({ kind: { case: "credit", value: { events: BigInt(events), bytes: BigInt(bytes) } } });
  }

  /** Cancels a key on a channel number. */
  cancel(channel: number, key: string, atUs?: bigint): Outcome[] {
    const value = { channelNumber: channel, key, ...(atUs === undefined ? {} : { atUs }) };
    return this.send({ kind: { case: "cancel", value } });
  }

  /** One drain() into an output slot, decoded. */
  drainOnce(bytesMax: number = abi.OUT_SLOT_BYTES): Drained {
    const { core, memory, now } = this.#harness;
    const written = core.drain(this.id, abi.OUT_OFFSET, bytesMax, now);
    if (written > abi.OUT_SLOT_BYTES) throw new RangeError(`drain() wrote ${written} bytes into a slot`);
    const low = BigInt(this.#harness.result(abi.RESULT_NUMBER_LOW));
    const number = low | (BigInt(this.#harness.result(abi.RESULT_NUMBER_HIGH)) << 32n);
    const bytes = memory.slice(abi.OUT_OFFSET, abi.OUT_OFFSET + written);
    const drained = parseDrained(this.kind, bytes, number, this.#harness.result(abi.RESULT_DELIVERIES));
    this.#harness.drainStatus = this.#harness.result(abi.RESULT_STATUS);
    // Draining may let events of a blocked channel go on that wait for a decision then.
    this.#harness.decideWaiting();
    return drained;
  }

  /** Drains until nothing comes. */
  drain(bytesMax: number = abi.OUT_SLOT_BYTES): Drained {
    const parts: Drained[] = [];
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const part = this.drainOnce(bytesMax);
      if (part.bytes.length === 0) return mergeDrained(parts);
      parts.push(part);
    }
    throw new Error(`drain() of connection ${this.id} never ends`);
  }

  /** Drains until nothing comes, and gives the events. */
  events(): Event[] {
    return this.drain().deliveries.map((delivery) => delivery.event);
  }

  /** inboxSet(). */
  inbox(
    capacityEvents: number,
    capacityBytes: number,
    overflow: number,
    ordering: number = abi.ORDERING_FIFO,
    serviceMs = 0,
  ): number {
    return this.#harness.core.inboxSet(this.id, capacityEvents, capacityBytes, overflow, ordering, serviceMs);
  }

  /** inboxHold(). */
  hold(held: boolean): void {
    this.#harness.core.inboxHold(this.id, held ? 1 : 0);
  }

  /** connectionClose(). */
  close(): void {
    this.#harness.core.connectionClose(this.id);
    this.#harness.connections.delete(this.id);
  }

  #chunk(bytes: Uint8Array, outcomes: Outcome[]): void {
    const { core, memory } = this.#harness;
    memory.set(bytes, abi.LANDING_OFFSET);
    let at = 0;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const rest = bytes.length - at;
      const consumed = core.ingest(this.id, abi.LANDING_OFFSET + at, rest, this.#harness.now);
      if (consumed > rest) throw new RangeError(`ingest() consumed ${consumed} of ${rest} bytes`);
      at += consumed;
      const last = this.#take(outcomes);
      if (last === undefined) {
        if (at !== bytes.length) throw new RangeError(`REASON_DONE with ${bytes.length - at} bytes left`);
        return;
      }
      if (last.reason === "close") return;
      this.#handle(last, outcomes);
      // A decider that leaves events waiting has the input wait, too.
      if (last.reason === "decide" && this.#harness.statistic(abi.STATISTIC_PARKED) !== 0) return;
    }
    throw new Error(`ingest() of connection ${this.id} never ends`);
  }

  #inject(frame: Uint8Array, outcomes: Outcome[]): void {
    this.#injectAt(abi.STAGE_OFFSET, this.#harness.stage(frame), outcomes);
  }

  #injectAt(at: number, bytes: number, outcomes: Outcome[]): void {
    this.#harness.core.ingestFrame(this.id, at, bytes, this.#harness.now);
    const last = this.#take(outcomes);
    if (last !== undefined) this.#handle(last, outcomes);
  }

  #take(outcomes: Outcome[]): Outcome | undefined {
    const outcome = readOutcome(this.#harness.words, this.#harness.memory);
    if (outcome !== undefined) outcomes.push(outcome);
    return outcome;
  }

  #handle(outcome: Outcome, outcomes: Outcome[]): void {
    const at = this.#harness.result(abi.RESULT_AT);
    if (outcome.reason === "decide") this.#harness.decideAll();
    if (outcome.reason !== "source" || !this.implicitSources || outcome.frame?.kind.case !== "publish") return;
    const { channel, channelNumber } = outcome.frame.kind.value;
    const number = channelNumber !== 0 ? channelNumber : this.#harness.channelNumbers.get(channel);
    if (number === undefined || this.#harness.source(this, number) === 0) return;
    // Made a source, its frame goes on as if nothing had been in the way; the trace keeps only what matters to a peer.
    outcomes.pop();
    // The frame goes on from where it lies, as exports.ts allows: in LANDING, STAGE or the connection's own buffer.
    this.#injectAt(at, outcome.bytes.length, outcomes);
  }
}
