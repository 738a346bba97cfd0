/**
 * A small typed driver of the core through its ABI, one fresh instance per test.
 *
 * It stands on core-wasm/abi.ts and host/core/exports.ts alone, so that the core is tested by what those promise and
 * not by what the host happens to do. Everything it reads from core memory it copies at once.
 */
import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import { encodeProjection, type Projection, payloadOnly } from "../../host/core/decider.ts";
import type { CoreExports } from "../../host/core/exports.ts";
import { TestConnection } from "./connection.ts";
import { typeList } from "./frames.ts";
import { Words } from "./outcome.ts";
import { type Batch, type EventRecord, readBatch } from "./record.ts";
import { utf8 } from "./wire.ts";

/** How an instance is laid out. */
export interface HarnessOptions {
  /** Room of the store; default 4 slabs, so that evacuation happens all the time. */
  readonly storeBytes?: number;
  /** Room beyond regions and store for tables and mailboxes; default 24 MiB. */
  readonly poolBytes?: number;
  /** Room for what inboxes hold beyond the store. */
  readonly mailboxBytes?: number;
  readonly epoch?: number;
  /** The service clock at the start, ms. */
  readonly now?: number;
}

/** Settings of a channel; what is absent is neutral. */
export interface ChannelOptions {
  readonly flags?: number;
  readonly priority?: number;
  readonly ttlMs?: number;
  readonly types?: readonly string[];
  /** A decider on OUT that sees the data of events. */
  readonly decided?: boolean;
}

/** A sink that an event may go to. */
export interface Candidate {
  readonly slot: number;
  readonly member: number;
}

/** A record with what a module has to find out: its candidates, in join order. */
export interface DecideRecord extends EventRecord {
  readonly sinks: readonly Candidate[];
}

/** A batch whose records have their candidates. */
export interface DecideBatch extends Batch {
  readonly records: readonly DecideRecord[];
}

/** Answers a batch: decision words, then the variable area, or undefined to leave the batch waiting. */
export type Decider = (records: readonly DecideRecord[], batch: DecideBatch) => readonly number[] | undefined;

/** SLUICE_TEST_CORE: "debug", or the path of any other build; default the release build. */
const chosen = process.env["SLUICE_TEST_CORE"] ?? "release";
const corePath =
  chosen === "release" || chosen === "debug"
    ? new URL(chosen === "debug" ? "../../dist/core.debug.wasm" : "../../dist/core.wasm", import.meta.url)
    : pathToFileURL(chosen);
let compiled: WebAssembly.Module | undefined;

/** The core's module, compiled once per test file. */
export function coreModule(): WebAssembly.Module {
  if (compiled === undefined) {
    if (!existsSync(corePath)) throw new Error(`Cannot find ${corePath.pathname}, run "npm run build" first`);
    compiled = new WebAssembly.Module(readFileSync(corePath));
  }
  return compiled;
}

/** A fresh instance. The debug build may import `abort`; the release build has no imports. */
export function createInstance(): CoreExports {
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`The core aborted at ${line}:${column}`);
  };
  return new WebAssembly.Instance(coreModule(), { env: { abort } }).exports as unknown as CoreExports;
}

/** No test has so many batches. */
const TURNS_MAX = 100_000;

/** One instance of the core, its clock and its connections. */
export class Harness {
  readonly core: CoreExports;
  readonly memory: Uint8Array;
  readonly words: Words;
  readonly connections = new Map<number, TestConnection>();
  /** The service clock, ms since 1970. */
  now: number;
  /** Used where events wait for a decision; default: all candidates of every event. */
  decider: Decider = (records) => records.map(() => filterAbi.DECISION_ALL);
  /** Status of the last decide(). */
  decideStatus: number = abi.STATUS_OK;
  /** RESULT_STATUS of the last drain(). */
  drainStatus: number = abi.STATUS_OK;
  /** Every batch that was presented. */
  readonly batches: DecideBatch[] = [];
  /** Index and word of every event whose word was missing or wrong; it goes to all candidates. */
  readonly faults: { readonly index: number; readonly word: number }[] = [];
  /** Members in the order in which they joined. */
  readonly #joined = new Map<number, number>();
  #joins = 0;
  /** Channel numbers by name, for implicit sources. */
  readonly channelNumbers = new Map<string, number>();

  private constructor(core: CoreExports, now: number) {
    this.core = core;
    this.now = now;
    this.memory = new Uint8Array(core.memory.buffer);
    this.words = new Words(core.memory);
  }

  /**
   * Instantiates, grows memory once, and calls coreInit().
   *
   * @throws {Error} where coreInit() refuses.
   */
  static create(options: HarnessOptions = {}): Harness {
    const core = createInstance();
    const storeBytes = options.storeBytes ?? 4 * abi.SLAB_BYTES;
    const bytes = abi.REGIONS_END + storeBytes + (options.poolBytes ?? 24 * 1024 * 1024);
    const missing = Math.ceil((bytes - core.memory.buffer.byteLength) / abi.PAGE_BYTES);
    if (missing > 0) core.memory.grow(missing);
    const status = core.coreInit(storeBytes, options.epoch ?? 1, options.mailboxBytes ?? 0);
    if (status !== abi.STATUS_OK) throw new Error(`coreInit() gave status ${status}`);
    return new Harness(core, options.now ?? 1_700_000_000_000);
  }

  /** Opens a connection; `source` is its implicit source. */
  open(kind: number = abi.CONNECTION_STREAM, source = "/test"): TestConnection {
    const bytes = this.stage(utf8(source));
    const id = this.core.connectionOpen(kind, abi.STAGE_OFFSET, bytes);
    if (id === 0) throw new Error("connectionOpen() gave 0");
    const connection = new TestConnection(this, id, kind);
    this.connections.set(id, connection);
    return connection;
  }

  /** The face of a connection that goes on over another carrier. */
  adopt(id: number, kind: number): TestConnection {
    const connection = new TestConnection(this, id, kind);
    this.connections.set(id, connection);
    return connection;
  }

  /** Adds a channel and sets what `options` names. Returns its number. */
  channel(name: string, options: ChannelOptions = {}): number {
    const flags = options.flags ?? abi.CHANNEL_ECHO;
    const number = this.core.channelAdd(abi.STAGE_OFFSET, this.stage(utf8(name)), flags);
    if (number === 0) throw new Error(`channelAdd(${name}) gave 0`);
    this.channelNumbers.set(name, number);
    this.core.channelSet(number, flags, options.priority ?? 4, options.ttlMs ?? 0);
    if (options.decided === true) this.decide(number);
    if (options.types !== undefined) {
      this.stage(typeList(options.types));
      this.core.channelTypes(number, abi.STAGE_OFFSET, options.types.length);
    }
    return number;
  }

  /** A decider; its handle. */
  addDecider(projection: Projection = payloadOnly): number {
    const handle = this.core.deciderAdd(abi.STAGE_OFFSET, this.stage(encodeProjection(projection)));
    if (handle === 0) throw new Error(`deciderAdd() gave status ${this.result(abi.RESULT_STATUS)}`);
    return handle;
  }

  /** Binds a new decider to a stage of a channel; its handle, which the binding alone holds. */
  decide(channel: number, projection: Projection = payloadOnly, stage: number = abi.STAGE_OUT): number {
    const handle = this.addDecider(projection);
    const status = this.core.channelDecider(channel, stage, handle);
    if (status !== abi.STATUS_OK) throw new Error(`channelDecider() gave status ${status}`);
    this.core.deciderRelease(handle);
    return handle;
  }

  /** Takes the decider of a stage away. */
  undecide(channel: number, stage: number = abi.STAGE_OUT): undefined {
    this.core.channelDecider(channel, stage, 0);
  }

  /** Has decided what the last call of the core left waiting. */
  decideWaiting(): void {
    if (this.result(abi.RESULT_REASON) === abi.REASON_DECIDE) this.decideAll();
  }

  /** Has everything decided that waits. */
  decideAll(): void {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const batch = this.next();
      if (batch === undefined) return;
      this.batches.push(batch);
      const words = this.decider(batch.records, batch);
      if (words === undefined) return;
      this.decideStatus = this.answer(words);
      if (this.decideStatus === abi.STATUS_OK) continue;
      this.faults.push({ index: this.result(abi.RESULT_INDEX), word: this.result(abi.RESULT_VALUE) });
      const rest = this.next();
      this.answer(
        rest?.records.map((_, index) => (index === 0 ? filterAbi.DECISION_ALL : filterAbi.DECISION_NONE)) ?? [],
      );
    }
    throw new Error("decideNext() never ends");
  }

  /** The batch that decideNext() presents, undefined where nothing waits. */
  next(): DecideBatch | undefined {
    if (this.core.decideNext(this.now) === 0) return undefined;
    const batch = readBatch(this.memory);
    const { rows } = batch.table;
    const all = rows.flatMap(({ flags }, slot) => (flags === 0 ? [] : [slot]));
    const records = batch.records.map((record) => {
      const sinks = (record.slots ?? all).map((slot) => ({ slot, member: rows[slot]?.id ?? 0 }));
      if (sinks.length !== record.candidates) throw new Error(`${record.candidates} candidates are ${sinks.length}`);
      return { ...record, sinks: sinks.sort((a, b) => this.#order(a.member) - this.#order(b.member)) };
    });
    return { ...batch, records };
  }

  /** Writes words and has them carried out. Returns the status. */
  answer(words: readonly number[]): number {
    words.forEach((word, index) => {
      this.words.set(abi.DECIDE_WORDS_OFFSET, index, word);
    });
    return this.core.decide(words.length, this.now);
  }

  #order(member: number): number {
    return this.#joined.get(member) ?? 0;
  }

  /** Adds a member, with the types it wants. Returns its number, or 0 with RESULT_STATUS set. */
  member(connection: TestConnection, channel: number, role: number, types?: readonly string[]): number {
    const member = this.core.memberAdd(connection.id, channel, role);
    if (member !== 0) this.#joined.set(member, this.#joins++);
    if (member !== 0 && types !== undefined) {
      this.stage(typeList(types));
      this.core.memberTypes(member, abi.STAGE_OFFSET, types.length);
    }
    return member;
  }

  /** Adds a sink. */
  sink(connection: TestConnection, channel: number, types?: readonly string[]): number {
    return this.member(connection, channel, abi.ROLE_SINK, types);
  }

  /** Adds a source. */
  source(connection: TestConnection, channel: number): number {
    return this.member(connection, channel, abi.ROLE_SOURCE);
  }

  /** Copies bytes to STAGE. Returns their number. */
  stage(bytes: Uint8Array): number {
    if (bytes.length > abi.STAGE_BYTES) throw new RangeError(`${bytes.length} bytes do not fit STAGE`);
    this.memory.set(bytes, abi.STAGE_OFFSET);
    return bytes.length;
  }

  /** Word of RESULT. */
  result(index: number): number {
    return this.words.at(abi.RESULT_OFFSET, index);
  }

  /** STATISTIC_…. */
  statistic(index: number): number {
    return this.core.statistic(index);
  }

  /** Ids that dirtyTake() tells, until it has no more. */
  dirty(): number[] {
    const ids: number[] = [];
    for (;;) {
      const count = this.core.dirtyTake();
      for (let index = 0; index < count; index++) ids.push(this.words.at(abi.DIRTY_OFFSET, index));
      this.decideWaiting();
      if (count < abi.DIRTY_COUNT_MAX) return ids;
    }
  }
}
