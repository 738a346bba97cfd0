/** Records of events as a filter module reads them: the reference reader, written from the layout and nothing else. */
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";

/** A value of an attribute; a text comes with its number. */
export type AttributeValue =
  | { readonly tag: "missing" }
  | { readonly tag: "boolean"; readonly value: boolean }
  | { readonly tag: "integer"; readonly value: bigint }
  | { readonly tag: "number"; readonly value: number }
  | { readonly tag: "time"; readonly value: number }
  | { readonly tag: "text"; readonly value: string; readonly number: number };

/** One record. */
export interface EventRecord {
  readonly size: number;
  readonly flags: number;
  readonly priority: number;
  readonly idHash: bigint;
  readonly time: number;
  readonly deadline: number;
  /** Numbers of texts. */
  readonly channelText: number;
  readonly sourceText: number;
  readonly typeText: number;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly payload: Uint8Array;
  readonly payloadTotal: number;
  /** Slots; undefined: every sink. */
  readonly slots: readonly number[] | undefined;
  readonly candidates: number;
  readonly attributes: readonly AttributeValue[];
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the record that begins with the bytes.
 *
 * @param sinks Rows of the table.
 * @throws {RangeError} where anything lies outside of the record, or what must be 0 is not.
 */
export function readRecord(bytes: Uint8Array, sinks: number): EventRecord {
  const all = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = all.getUint32(0, true);
  if (size % 8 !== 0 || size > bytes.length || size > 65_536) throw new RangeError(`A record of ${size} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const slice = (offset: number, length: number): Uint8Array => {
    if (offset + length > size) throw new RangeError(`${length} bytes at ${offset} of a record of ${size}`);
    return bytes.slice(offset, offset + length);
  };
  const part = (at: number): Uint8Array => slice(view.getUint32(at, true), view.getUint32(at + 4, true));
  const text = (at: number): string => decoder.decode(part(at));
  const attribute = (at: number): AttributeValue => {
    const tag = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (tag !== 4 && length !== 0) throw new RangeError(`Tag ${tag} with ${length} bytes`);
    if (tag === 0) return { tag: "missing" };
    if (tag === 1) return { tag: "boolean", value: view.getBigUint64(at + 8, true) === 1n };
    if (tag === 2) return { tag: "integer", value: view.getBigInt64(at + 8, true) };
    if (tag === 3) return { tag: "number", value: view.getFloat64(at + 8, true) };
    if (tag === 6) return { tag: "time", value: view.getFloat64(at + 8, true) };
    if (tag !== 4) throw new RangeError(`Tag ${tag}`);
    const value = decoder.decode(slice(view.getUint32(at + 8, true), length));
    return { tag: "text", value, number: view.getUint32(at + 12, true) };
  };
  const bitmapAt = view.getUint32(80, true);
  const slots = Array.from({ length: sinks }, (_, slot) => slot).filter(
    (slot) => bitmapAt !== 0 && ((view.getUint32(bitmapAt + (slot >> 5) * 4, true) >>> (slot & 31)) & 1) === 1,
  );
  const payload = part(72);
  const end = view.getUint32(72, true) + payload.length;
  if (slice(end, size - end).some((byte) => byte !== 0)) throw new RangeError("What lies behind the data is not 0");
  return {
    size,
    flags: view.getUint16(4, true),
    priority: view.getUint8(6),
    idHash: view.getBigUint64(8, true),
    time: view.getFloat64(16, true),
    deadline: view.getFloat64(24, true),
    channelText: view.getUint32(32, true),
    sourceText: view.getUint32(36, true),
    typeText: view.getUint32(40, true),
    payloadTotal: view.getUint32(44, true),
    id: text(48),
    type: text(56),
    source: text(64),
    payload,
    slots: bitmapAt === 0 ? undefined : slots,
    candidates: view.getUint32(84, true),
    attributes: Array.from({ length: view.getUint8(7) }, (_, index) => attribute(88 + index * 16)),
  };
}

/** A row of the table of sinks. */
export interface SinkRow {
  readonly id: number;
  readonly flags: number;
  readonly updatedAt: number;
  readonly columns: readonly number[];
}

/** The table as a module sees it. */
export interface SinkRows {
  readonly generation: number;
  readonly rows: readonly SinkRow[];
  readonly changed: readonly number[];
}

/** One batch as the host hands it to a module. */
export interface Batch {
  readonly channel: number;
  readonly stage: number;
  readonly decider: number;
  readonly own: boolean;
  readonly table: SinkRows;
  readonly records: readonly EventRecord[];
}

/**
 * The batch that decideNext() has presented, copied.
 *
 * @throws {RangeError} where it breaks a rule of the layout.
 */
export function readBatch(memory: Uint8Array): Batch {
  const view = new DataView(memory.buffer);
  const head = (word: number): number => view.getUint32(abi.DECIDE_OFFSET + word * 4, true);
  const [events, bytes, sinks] = [
    head(filterAbi.BATCH_EVENTS),
    head(filterAbi.BATCH_RECORDS_BYTES),
    head(filterAbi.BATCH_SINKS),
  ];
  if (events > 256 || bytes > 262_144 || head(filterAbi.BATCH_RECORDS_AT) % 8 !== 0 || sinks > 4096)
    throw new RangeError(`A batch of ${events} events, ${bytes} bytes, for ${sinks} sinks`);
  const records: EventRecord[] = [];
  let at = head(filterAbi.BATCH_RECORDS_AT);
  const end = at + bytes;
  for (; records.length < events; at += records.at(-1)?.size ?? 0)
    records.push(readRecord(memory.subarray(at, end), sinks));
  if (at !== end) throw new RangeError(`Records end at ${at}, their block at ${end}`);
  return {
    channel: head(filterAbi.BATCH_CHANNEL),
    stage: head(filterAbi.BATCH_STAGE),
    decider: head(filterAbi.BATCH_DECIDER),
    own: head(filterAbi.BATCH_OWN) === 1,
    table: readTable(view, head(filterAbi.BATCH_TABLE_AT), head(filterAbi.BATCH_TABLE_BYTES), {
      at: head(filterAbi.BATCH_CHANGED_AT),
      count: head(filterAbi.BATCH_CHANGED),
    }),
    records,
  };
}

function readTable(view: DataView, at: number, bytes: number, changed: { at: number; count: number }): SinkRows {
  const [count, stride, generation, columns] = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset, true));
  if (count === undefined || stride === undefined || columns === undefined) throw new RangeError("no head");
  if (stride !== 16 + columns * 8 || bytes !== 16 + count * stride) throw new RangeError(`A table of ${bytes} bytes`);
  return {
    generation: generation ?? 0,
    rows: Array.from({ length: count }, (_, slot) => {
      const row = at + 16 + slot * stride;
      return {
        id: view.getUint32(row, true),
        flags: view.getUint32(row + 4, true),
        updatedAt: view.getFloat64(row + 8, true),
        columns: Array.from({ length: columns }, (_, column) => view.getFloat64(row + 16 + column * 8, true)),
      };
    }),
    changed: Array.from({ length: changed.count }, (_, index) => view.getUint32(changed.at + index * 4, true)),
  };
}
