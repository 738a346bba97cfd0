/** An event as a filter sees it: a view of the host's record, valid while the filter decides it. */
import { Attribute } from "./attributes";
import { Constant } from "./constants";

const FLAG_TRUNCATED: u16 = 1;
const FLAG_REDELIVERED: u16 = 2;

/** Where parts of a record lie. */
const ATTRIBUTES: usize = 88;
const ATTRIBUTE_BYTES: usize = 16;
const TEXT_ID: usize = 48;
const TEXT_TYPE: usize = 56;
const TEXT_SOURCE: usize = 64;
const PAYLOAD: usize = 72;

const TAG_BOOLEAN: u8 = 1;
const TAG_INTEGER: u8 = 2;
const TAG_NUMBER: u8 = 3;
const TAG_TEXT: u8 = 4;
const TAG_TIME: u8 = 6;

/** See the head of this file. */
export class Event {
  /** Address of the record, and how many sinks the table has. Of no use to filters. */
  at: usize = 0;
  sinks: i32 = 0;

  /** 0 to 9, higher is more urgent. */
  get priority(): i32 {
    return load<u8>(this.at, 6);
  }

  /** When it came about, ms since 1970. */
  get timeMs(): f64 {
    return load<f64>(this.at, 16);
  }

  /** The moment after which it is useless, ms since 1970; infinity: none. */
  get deadlineMs(): f64 {
    return load<f64>(this.at, 24);
  }

  /** Whether it was delivered before, without being acknowledged. */
  get isRedelivered(): bool {
    return (load<u16>(this.at, 4) & FLAG_REDELIVERED) !== 0;
  }

  get id(): string {
    return this.textAt(TEXT_ID);
  }

  /** A number that events with the same id share, and hardly any others; cheaper than the id, never 0. It changes when the host restarts. */
  get idHash(): u64 {
    return load<u64>(this.at, 8);
  }

  get type(): string {
    return this.textAt(TEXT_TYPE);
  }

  get source(): string {
    return this.textAt(TEXT_SOURCE);
  }

  /** Whether its type is that text. */
  typeIs(text: Constant): bool {
    return this.textIs(TEXT_TYPE, load<u32>(this.at, 40), text);
  }

  /** Whether its source is that text. */
  sourceIs(text: Constant): bool {
    return this.textIs(TEXT_SOURCE, load<u32>(this.at, 36), text);
  }

  /** Whether it has the attribute. */
  has(attribute: Attribute): bool {
    return load<u8>(this.slotAt(attribute)) !== 0;
  }

  /** The attribute as a number: 0 or 1 of a boolean, ms of a time; NaN where it is missing or a text. */
  number(attribute: Attribute): f64 {
    const slot = this.slotAt(attribute);
    const tag = load<u8>(slot);
    if (tag === TAG_NUMBER || tag === TAG_TIME) return load<f64>(slot, 8);
    if (tag === TAG_INTEGER || tag === TAG_BOOLEAN) return <f64>load<i64>(slot, 8);
    return NaN;
  }

  /** The attribute as a whole number, 0 where it is none; exact beyond 2^53, where {@link number} is not. */
  integer(attribute: Attribute): i64 {
    const slot = this.slotAt(attribute);
    const tag = load<u8>(slot);
    if (tag === TAG_INTEGER || tag === TAG_BOOLEAN) return load<i64>(slot, 8);
    return tag === TAG_NUMBER || tag === TAG_TIME ? <i64>load<f64>(slot, 8) : 0;
  }

  /** Whether the attribute is true; false where it is missing or no boolean. */
  boolean(attribute: Attribute): bool {
    const slot = this.slotAt(attribute);
    return load<u8>(slot) === TAG_BOOLEAN && load<u64>(slot, 8) !== 0;
  }

  /** The attribute as a text, empty where it is missing or none. It is copied: to compare, {@link is} is cheaper. */
  text(attribute: Attribute): string {
    const slot = this.slotAt(attribute);
    if (load<u8>(slot) !== TAG_TEXT) return "";
    return String.UTF8.decodeUnsafe(this.at + load<u32>(slot, 8), load<u32>(slot, 4));
  }

  /** Whether the attribute is that text. */
  is(attribute: Attribute, text: Constant): bool {
    const slot = this.slotAt(attribute);
    if (load<u8>(slot) !== TAG_TEXT) return false;
    if (text.number !== 0) return load<u32>(slot, 12) === text.number;
    return text.equals(this.at + load<u32>(slot, 8), load<u32>(slot, 4));
  }

  /** A number that equal texts share, and hardly any others; 0 where the attribute is missing or no text. */
  hash(attribute: Attribute): u64 {
    const slot = this.slotAt(attribute);
    if (load<u8>(slot) !== TAG_TEXT) return 0;
    return hashOf(this.at + load<u32>(slot, 8), load<u32>(slot, 4));
  }

  /** As {@link hash}, of the source. */
  get sourceHash(): u64 {
    return hashOf(this.at + load<u32>(this.at, TEXT_SOURCE), load<u32>(this.at, TEXT_SOURCE + 4));
  }

  /** Bytes of the payload that are here, and of the whole. */
  get payloadBytes(): i32 {
    return load<i32>(this.at, PAYLOAD + 4);
  }

  get payloadTotalBytes(): i32 {
    return load<i32>(this.at, 44);
  }

  /** Whether less than the whole payload is here. */
  get isTruncated(): bool {
    return (load<u16>(this.at, 4) & FLAG_TRUNCATED) !== 0;
  }

  /** A byte of the payload. What lies beyond it traps. */
  payloadByte(index: i32): u8 {
    assert(<u32>index < <u32>this.payloadBytes, "beyond the payload");
    return load<u8>(this.at + load<u32>(this.at, PAYLOAD) + index);
  }

  /** A copy of what is here of the payload. */
  payload(): Uint8Array {
    const bytes = this.payloadBytes;
    const copy = new Uint8Array(bytes);
    memory.copy(copy.dataStart, this.at + load<u32>(this.at, PAYLOAD), bytes);
    return copy;
  }

  /** How many sinks it may go to. */
  get candidates(): i32 {
    return load<i32>(this.at, 84);
  }

  /** Whether it may go to the sink in a slot. */
  isCandidate(slot: i32): bool {
    if (<u32>slot >= <u32>this.sinks) return false;
    const bitmap = load<u32>(this.at, 80);
    return bitmap === 0 || ((load<u32>(this.at + bitmap + (slot >> 5) * 4) >> (slot & 31)) & 1) !== 0;
  }

  /** The next sink behind `slot` that it may go to; -1: there is none. Begin with -1. */
  nextCandidate(slot: i32): i32 {
    slot++;
    const bitmap = load<u32>(this.at, 80);
    if (bitmap === 0) return slot < this.sinks ? slot : -1;
    const words = (this.sinks + 31) >> 5;
    for (let word = slot >> 5; word < words; word++) {
      let bits = load<u32>(this.at + bitmap + word * 4);
      if (word === slot >> 5) bits &= (<u32>-1) << (slot & 31);
      if (bits !== 0) return word * 32 + ctz<u32>(bits);
    }
    return -1;
  }

  @inline
  private slotAt(attribute: Attribute): usize {
    return this.at + ATTRIBUTES + <usize>attribute.slot * ATTRIBUTE_BYTES;
  }

  private textAt(field: usize): string {
    return String.UTF8.decodeUnsafe(this.at + load<u32>(this.at + field), load<u32>(this.at + field, 4));
  }

  private textIs(field: usize, number: u32, text: Constant): bool {
    if (text.number !== 0) return number === text.number;
    return text.equals(this.at + load<u32>(this.at + field), load<u32>(this.at + field, 4));
  }
}

/** FNV-1a, its upper half mixed into the lower one: texts that differ at their ends must not end up side by side. Never 0. */
function hashOf(at: usize, bytes: usize): u64 {
  let hash: u64 = 0xcbf29ce484222325;
  for (let i: usize = 0; i < bytes; i++) hash = (hash ^ load<u8>(at + i)) * 0x100000001b3;
  hash ^= hash >> 32;
  return hash === 0 ? 1 : hash;
}
