/**
 * Filter modules as the core knows them: what one wants to see of events and sinks, encoded as core-wasm/abi.ts has it, and
 * the batches that are put before it.
 */
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import type { Core } from "./instance.ts";
import { placeScratch, placeText } from "./instance.ts";
import { errorFromStatus } from "./status.ts";

/** An attribute of the event, or a field that goes by a name. */
export interface ProjectedName {
  readonly name: string;
  /** FIELD_… of core-wasm/expression/code.ts; absent: it is an attribute. */
  readonly field?: number;
}

/** What a module wants to see. */
export interface Projection {
  /** In the order of the slots in a record. */
  readonly attributes: readonly ProjectedName[];
  /** Most bytes of an event's data; Infinity: all. */
  readonly payloadBytes: number;
  /** Live attributes of sinks, in the order of the columns. */
  readonly columns: readonly string[];
}

/** The data of events and nothing else. */
export const payloadOnly: Projection = Object.freeze({
  attributes: [],
  payloadBytes: Number.POSITIVE_INFINITY,
  columns: [],
});

const encoder = new TextEncoder();
const NAME_HEAD_BYTES = 4;

/** The bytes that deciderAdd() takes. */
export function encodeProjection({ attributes, payloadBytes, columns }: Projection): Uint8Array {
  const names = [...attributes, ...columns.map((name): ProjectedName => ({ name }))].map(({ name, field }) => ({
    field: field ?? 0,
    text: encoder.encode(name),
  }));
  const size = names.reduce((sum, { text }) => sum + NAME_HEAD_BYTES + text.length, filterAbi.DECIDER_HEAD_BYTES);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, attributes.length, true);
  view.setUint32(4, columns.length, true);
  view.setUint32(8, Math.min(payloadBytes, 0xffff_ffff), true);
  let at = filterAbi.DECIDER_HEAD_BYTES;
  for (const { field, text } of names) {
    view.setUint16(at, field, true);
    view.setUint16(at + 2, text.length, true);
    bytes.set(text, at + NAME_HEAD_BYTES);
    at += NAME_HEAD_BYTES + text.length;
  }
  return bytes;
}

/**
 * Tells the core of a module.
 *
 * @returns Its handle; whoever has it gives it back with deciderRelease().
 * @throws {SluiceError} `limit_reached`, `store_full`.
 */
export function addDecider(core: Core, projection: Projection): number {
  const bytes = encodeProjection(projection);
  const handle = core.exports.deciderAdd(placeScratch(core, bytes), bytes.length);
  if (handle === 0) throw refusalOf(core, core.views.result[abi.RESULT_STATUS] as number);
  return handle;
}

/** The number of a constant of a module, 0 where it has too many or this one is too long. */
export function internText(core: Core, decider: number, text: string): number {
  const { at, bytes } = placeText(core, text);
  return core.exports.deciderIntern(decider, at, bytes);
}

/**
 * Binds a decider to a stage of a channel, 0: none.
 *
 * @throws {SluiceError} `too_many_sinks`, `limit_reached`, `store_full`; what was bound before stays then.
 */
export function bindDecider(core: Core, channel: number, stage: number, decider: number): void {
  const status = core.exports.channelDecider(channel, stage, decider);
  if (status !== abi.STATUS_OK) throw refusalOf(core, status);
}

function refusalOf(core: Core, status: number): Error {
  const { result } = core.views;
  return errorFromStatus(status, result[abi.RESULT_VALUE] as number, result[abi.RESULT_LIMIT] as number);
}

/** Events that wait together for one decider. All views are of the core's memory, and valid until decide(). */
export interface DecideBatch {
  readonly count: number;
  readonly channelNumber: number;
  /** STAGE_…. */
  readonly stage: number;
  /** Handle of deciderAdd(). */
  readonly decider: number;
  /** Whether a source carries it for its own events. */
  readonly own: boolean;
  /** The records of the events, one behind the other. */
  readonly records: Uint8Array;
  /** Rows of the table: slots are smaller. */
  readonly sinks: number;
  /** Head and rows of the table. */
  readonly table: Uint8Array;
  /** Slots whose rows have changed since this decider's last batch. */
  readonly changed: Uint32Array;
  /** Where the answer goes: one DECISION_… word per event, then the variable area. */
  readonly words: Uint32Array;
}

/** The batch that decideNext() has presented, undefined where nothing waits. */
export function nextBatch(core: Core, now: number): DecideBatch | undefined {
  const count = core.exports.decideNext(now);
  return count === 0 ? undefined : presentedBatch(core);
}

/** The batch that lies there now: that of decideNext(), or the one event that explain() asks about. */
export function presentedBatch(core: Core): DecideBatch {
  const { bytes, words, decision } = core.views;
  const head = (word: number): number => words[abi.DECIDE_OFFSET / 4 + word] as number;
  const part = (at: number, size: number): Uint8Array => bytes.subarray(head(at), head(at) + head(size));
  const changedAt = head(filterAbi.BATCH_CHANGED_AT) >>> 2;
  return {
    count: head(filterAbi.BATCH_EVENTS),
    channelNumber: head(filterAbi.BATCH_CHANNEL),
    stage: head(filterAbi.BATCH_STAGE),
    decider: head(filterAbi.BATCH_DECIDER),
    own: head(filterAbi.BATCH_OWN) === 1,
    records: part(filterAbi.BATCH_RECORDS_AT, filterAbi.BATCH_RECORDS_BYTES),
    sinks: head(filterAbi.BATCH_SINKS),
    table: part(filterAbi.BATCH_TABLE_AT, filterAbi.BATCH_TABLE_BYTES),
    changed: words.subarray(changedAt, changedAt + head(filterAbi.BATCH_CHANGED)),
    words: decision,
  };
}
