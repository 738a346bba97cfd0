/**
 * What filter modules see, written byte by byte from docs/filters/abi.md: slow, and without anything of the core but the order in which
 * it puts texts behind the fixed parts.
 */
import type { Event, Value } from "../../../host/gen/sluice/v1/event_pb.ts";
import { utf8 } from "../../core-wasm/wire.ts";

const RECORD_BYTES_MAX = 65_536;
/** Flags of a record. */
const PAYLOAD_CUT = 1;
const TEXT_CUT = 4;
/** A sink that is there is up, and of this host. */
const UP_AND_LOCAL = 3;

/** What a module asked for, and the texts that it has numbered, in their order. */
export interface Seen {
  readonly attributes: readonly string[];
  readonly payloadBytes: number;
  readonly columns: readonly string[];
  readonly interned: readonly string[];
}

/** What a record says beside the event. */
export interface Around {
  readonly channel: string;
  /** The hash is the host's to choose. */
  readonly idHash: bigint;
  /** Slots; undefined: every sink. */
  readonly slots: readonly number[] | undefined;
  readonly candidates: number;
  /** Rows of the table. */
  readonly rows: number;
}

/** What a manifest may name and is no attribute. */
const fields: Readonly<Record<string, (event: Event) => Value["kind"] | { case: "time"; value: number }>> = {
  id: ({ id }) => textOf(id),
  source: ({ source }) => textOf(source),
  type: ({ type }) => textOf(type),
  subject: ({ subject }) => textOf(subject),
  key: ({ key }) => textOf(key),
  datacontenttype: ({ dataContentType }) => textOf(dataContentType),
  priority: ({ priority }) => ({ case: "integer", value: BigInt(priority ?? 4) }),
  time: ({ timeUs }) => momentOf(timeUs),
  deliverby: ({ deliverByUs }) => momentOf(deliverByUs),
};

const textOf = (value: string): Value["kind"] => (value === "" ? { case: undefined } : { case: "text", value });
const momentOf = (us: bigint | undefined) =>
  us === undefined ? { case: undefined } : ({ case: "time", value: Number(us) / 1000 } as const);

/** The record of an event as it is stored. */
export function recordOf(event: Event, seen: Seen, around: Around): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES_MAX + 8);
  const view = new DataView(bytes.buffer);
  const data = event.data ?? new Uint8Array(0);
  let flags = 0;
  let at = 88 + 16 * seen.attributes.length;
  /** Puts bytes behind what is there; a text is cut between characters. */
  const put = (value: Uint8Array, isText: boolean): readonly [offset: number, length: number] => {
    let length = Math.min(value.length, RECORD_BYTES_MAX - at);
    if (length < value.length) flags |= isText ? TEXT_CUT : PAYLOAD_CUT;
    while (isText && length < value.length && ((value[length] as number) & 0xc0) === 0x80) length--;
    bytes.set(value.subarray(0, length), at);
    at += length;
    return [at - length, length];
  };
  const putAt = (slot: number, value: Uint8Array, isText = true): void => {
    const [offset, length] = put(value, isText);
    view.setUint32(slot, offset, true);
    view.setUint32(slot + 4, length, true);
  };
  const number = (text: string): number => seen.interned.indexOf(text) + 1;

  view.setUint8(6, event.priority ?? 4);
  view.setUint8(7, seen.attributes.length);
  view.setBigUint64(8, around.idHash, true);
  view.setFloat64(16, Number(event.timeUs ?? 0n) / 1000, true);
  view.setFloat64(24, event.deliverByUs === undefined ? Infinity : Number(event.deliverByUs) / 1000, true);
  view.setUint32(32, number(around.channel), true);
  view.setUint32(36, number(event.source), true);
  view.setUint32(40, number(event.type), true);
  view.setUint32(44, data.length, true);
  view.setUint32(84, around.candidates, true);
  if (around.slots !== undefined) {
    view.setUint32(80, at, true);
    for (const slot of around.slots) {
      const byte = at + (slot >> 3);
      bytes[byte] = (bytes[byte] as number) | (1 << (slot & 7));
    }
    at += 4 * Math.ceil(around.rows / 32);
  }
  putAt(48, utf8(event.id));
  putAt(56, utf8(event.type));
  putAt(64, utf8(event.source));
  for (const [index, name] of seen.attributes.entries()) {
    const slot = 88 + 16 * index;
    const kind = fields[name]?.(event) ?? event.attributes[name]?.kind ?? { case: undefined };
    if (kind.case === "boolean") {
      view.setUint8(slot, 1);
      view.setBigInt64(slot + 8, BigInt(kind.value), true);
    } else if (kind.case === "integer") {
      view.setUint8(slot, 2);
      view.setBigInt64(slot + 8, kind.value, true);
    } else if (kind.case === "number" || kind.case === "time") {
      view.setUint8(slot, kind.case === "time" ? 6 : 3);
      view.setFloat64(slot + 8, kind.value, true);
    } else if (kind.case === "text") {
      const [offset, length] = put(utf8(kind.value), true);
      view.setUint8(slot, 4);
      view.setUint32(slot + 4, length, true);
      view.setUint32(slot + 8, offset, true);
      view.setUint32(slot + 12, number(kind.value), true);
    }
  }
  const shown = data.subarray(0, seen.payloadBytes);
  if (shown.length < data.length) flags |= PAYLOAD_CUT;
  putAt(72, shown, false);
  view.setUint16(4, flags, true);
  const size = Math.ceil(at / 8) * 8;
  view.setUint32(0, size, true);
  return bytes.slice(0, size);
}

/** A sink as the table has it. */
export interface SeenSink {
  readonly member: number;
  /** ms; 0: it has never said anything. */
  readonly updatedAt: number;
  readonly attributes: Readonly<Record<string, number | bigint | boolean | string>>;
}

/** The table of sinks by slot; undefined: the one that was there has left. */
export function tableOf(sinks: readonly (SeenSink | undefined)[], generation: number, seen: Seen): Uint8Array {
  const stride = 16 + 8 * seen.columns.length;
  const bytes = new Uint8Array(16 + sinks.length * stride);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of [sinks.length, stride, generation, seen.columns.length].entries())
    view.setUint32(index * 4, word, true);
  for (const [slot, sink] of sinks.entries()) {
    if (sink === undefined) continue;
    const row = 16 + slot * stride;
    view.setUint32(row, sink.member, true);
    view.setUint32(row + 4, UP_AND_LOCAL, true);
    view.setFloat64(row + 8, sink.updatedAt, true);
    for (const [column, name] of seen.columns.entries()) {
      const value = sink.attributes[name];
      const shown =
        value === undefined ? Number.NaN : typeof value === "string" ? seen.interned.indexOf(value) + 1 : Number(value);
      view.setFloat64(row + 16 + 8 * column, shown, true);
    }
  }
  return bytes;
}

/** Slots as they are given: the one that has been free longest first, then a new one. */
export class Slots<Sink> {
  readonly sinks: (Sink | undefined)[] = [];
  readonly #free: number[] = [];

  take(sink: Sink): number {
    const slot = this.#free.shift() ?? this.sinks.length;
    this.sinks[slot] = sink;
    return slot;
  }

  give(slot: number): void {
    this.sinks[slot] = undefined;
    this.#free.push(slot);
  }
}
