/**
 * A small typed driver of the core through its ABI, one fresh instance per test.
 *
 * It stands on core-wasm/abi.ts and host/core/exports.ts alone, so that the core is tested by what those promise and
 * not by what the host happens to do. Everything it reads from core memory it copies at once.
 */
import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import * as abi from "../../core-wasm/abi.ts";
import type { CoreExports } from "../../host/core/exports.ts";
import { TestConnection } from "./connection.ts";
import { typeList } from "./frames.ts";
import { type DecideRecord, Words } from "./outcome.ts";
import { utf8 } from "./wire.ts";

/** How an instance is laid out. */
export interface HarnessOptions {
  /** Room of the store; default 4 slabs, so that evacuation happens all the time. */
  readonly storeBytes?: number;
  /** Room beyond regions and store for tables and mailboxes; default 24 MiB. */
  readonly poolBytes?: number;
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
  readonly decider?: number;
}

/** Answers a batch: decision words, then the variable area, or undefined to leave the batch waiting. */
export type Decider = (records: readonly DecideRecord[]) => readonly number[] | undefined;

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

/** One instance of the core, its clock and its connections. */
export class Harness {
  readonly core: CoreExports;
  readonly memory: Uint8Array;
  readonly words: Words;
  readonly connections = new Map<number, TestConnection>();
  /** The service clock, ms since 1970. */
  now: number;
  /** Used at REASON_DECIDE; default: all candidates of every event. */
  decider: Decider = (records) => records.map(() => abi.DECISION_ALL);
  /** Status of the last decide(). */
  decideStatus: number = abi.STATUS_OK;
  /** RESULT_STATUS of the last drain(). */
  drainStatus: number = abi.STATUS_OK;
  /** Every batch that was decided. */
  readonly batches: (readonly DecideRecord[])[] = [];
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
    const status = core.coreInit(storeBytes, options.epoch ?? 1);
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
    this.core.channelSet(number, flags, options.priority ?? 4, options.ttlMs ?? 0, options.decider ?? 0);
    if (options.types !== undefined) {
      this.stage(typeList(options.types));
      this.core.channelTypes(number, abi.STAGE_OFFSET, options.types.length);
    }
    return number;
  }

  /** Adds a member, with the types it wants. Returns its number, or 0 with RESULT_STATUS set. */
  member(connection: TestConnection, channel: number, role: number, types?: readonly string[]): number {
    const member = this.core.memberAdd(connection.id, channel, role);
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
      this.connections.values().next().value?.decideWaiting();
      if (count < abi.DIRTY_COUNT_MAX) return ids;
    }
  }
}
