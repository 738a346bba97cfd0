/**
 * Shapes: events of one source mostly have the same fields in the same places with the same lengths. A shape remembers
 * one such event and which of its bits another must share to be just as valid; then 16 bytes are checked at a time
 * instead of field by field.
 *
 *   byte of the event                     mask   because
 *   tag, length, name, varint             FF     must be the same
 *   string that is ASCII                  80     any ASCII string is UTF-8
 *   whole number of an attribute, TTL     80     any one of as many bytes; booleans too
 *   priority                              F0     any digit (above 9 is checked again)
 *   fixed 64-bit value, data              00     any value will do (times are checked again)
 *
 * Shapes are an optimisation only: scanEvent() says the same without them, which a property test holds.
 */
import { cursor, lengthRead, tagRead, varintRead } from "./wire";

/** What must be the same lies in the first so many bytes, or the event has no shape. */
const SHAPE_BYTES_MAX: u32 = 128;
export const SHAPES: u32 = 16;
/** Address 0 of a record: fields; then the event's bytes, then the mask. */
const FIELDS_BYTES: u32 = 80;
const RECORD_BYTES: u32 = FIELDS_BYTES + SHAPE_BYTES_MAX * 2;

/** One remembered event: where its fields lie; its bytes and the mask follow the record. */
@unmanaged
export class Shape {
  /** Size of the event; 0: no shape here. */
  bytes: u32;
  /** 16-byte blocks that hold what must be the same. */
  blocks: u32;
  /** SCAN_… bits. */
  flags: u32;
  /** Offsets in the event. */
  typeOffset: u32;
  typeBytes: u32;
  idOffset: u32;
  idBytes: u32;
  keyOffset: u32;
  keyBytes: u32;
  timeOffset: u32;
  deliverByOffset: u32;
  /** How often it served since it was learned, and how many misses pass before the next one is learned here. */
  hits: u32;
  patience: u32;
  wait: u32;
  /** Of the values of priority and TTL. */
  priorityOffset: u32;
  ttlOffset: u32;
  /** Counts what any shape has learned: others that remember a shape see when it has become another. */
  learned: u32;
}
if (offsetof<Shape>() > FIELDS_BYTES) ERROR("Shape is larger than its record");

const shapesAt: u32 = <u32>memory.data(6144, 16);
if (SHAPES * RECORD_BYTES > 6144) ERROR("Shapes have not enough room");
const PATIENCE_MAX: u32 = 4096;

/** The shape that may fit an event of that size; events of other sizes share it. */
export function shapeOf(bytes: u32): Shape {
  return changetype<Shape>(shapesAt + (bytes & (SHAPES - 1)) * RECORD_BYTES);
}

/** The place of a shape among all, from 0. */
export function shapeIndex(shape: Shape): u32 {
  return (changetype<u32>(shape) - shapesAt) / RECORD_BYTES;
}

let learned: u32 = 0;

/** Forgets all shapes. */
export function shapesInit(): void {
  memory.fill(shapesAt, 0, SHAPES * RECORD_BYTES);
}

/** Whether an event of the shape's size fits it. May read up to 15 bytes beyond the event. */
export function shapeFits(shape: Shape, at: u32): bool {
  const model = changetype<u32>(shape) + FIELDS_BYTES;
  let difference = v128.and(v128.xor(v128.load(at), v128.load(model)), v128.load(model + SHAPE_BYTES_MAX));
  const end = shape.blocks << 4;
  for (let i: u32 = 16; i < end; i += 16) {
    const block = v128.xor(v128.load(at + i), v128.load(model + i));
    difference = v128.or(difference, v128.and(block, v128.load(model + SHAPE_BYTES_MAX + i)));
  }
  return !v128.any_true(difference);
}

/** Whether a miss of this shape is to be answered with shapeLearn(): the more in vain it was, the more seldom. */
export function shapeWantsLearning(shape: Shape): bool {
  if (shape.wait !== 0) {
    shape.wait--;
    return false;
  }
  shape.patience = shape.hits > shape.patience ? 0 : min<u32>(shape.patience * 2 + 1, PATIENCE_MAX);
  shape.wait = shape.patience;
  shape.hits = 0;
  return true;
}

/** Learns from a valid event. Returns false where it has no shape; then the record holds none. */
export function shapeLearn(shape: Shape, at: u32, bytes: u32): bool {
  const model = changetype<u32>(shape) + FIELDS_BYTES;
  const mask = model + SHAPE_BYTES_MAX;
  const end = at + bytes;
  shape.bytes = 0;
  shape.learned = ++learned;
  memory.fill(model, 0, SHAPE_BYTES_MAX * 2);
  memory.copy(model, at, min<u32>(bytes, SHAPE_BYTES_MAX));
  let last: u32 = 0;
  let numbers: u32 = 0;
  for (let p = at; p < end; ) {
    const field = tagRead(p, end) >> 3;
    const wireType = load<u8>(p) & 7;
    let free: u32 = 0;
    let loose: u8 = 0xff;
    let valueAt = cursor;
    let next = cursor;
    if (field > 12) return false;
    if (wireType === 2) {
      const size = lengthRead(cursor, end);
      valueAt = cursor;
      next = cursor + size;
      if (field === 12) free = size;
      else if (field !== 10 && !asciiMask(mask, valueAt, next, at)) return false;
    } else if (wireType === 1) {
      next = cursor + 8;
      free = 8;
    } else {
      varintRead(cursor, end);
      next = cursor;
      const counts = field === 6 || field === 8;
      // Of a repeated one the last counts, and all must be valid: only one is where the scan looks.
      if (counts && (numbers & ((<u32>1) << field)) !== 0) return false;
      if (counts) numbers |= (<u32>1) << field;
      if (field === 6 && next - valueAt === 1) loose = 0xf0;
      // So many bytes cannot say more than 64 bits.
      else if (field === 8 && next - valueAt < 10) loose = 0x80;
    }
    const strict = field === 10 ? next : valueAt + (free === 0 && wireType !== 2 ? next - valueAt : 0);
    if (strict - at > SHAPE_BYTES_MAX) return false;
    memory.fill(mask + (p - at), 0xff, strict - p);
    if (field === 10) attributeMask(mask, valueAt, next, at);
    else if (loose !== 0xff) memory.fill(mask + (valueAt - at), loose, next - valueAt);
    last = max<u32>(last, wireType === 2 && field !== 12 ? next - at : strict - at);
    p = next;
  }
  shape.blocks = max<u32>(1, (last + 15) >> 4);
  shape.bytes = bytes;
  return true;
}

/** Values of attributes that would be as valid with other bits, where the entry is a short name and a short Value. */
function attributeMask(mask: u32, from: u32, to: u32, start: u32): void {
  const nameEnd = from + 2 + <u32>load<u8>(from, 1);
  if (load<u8>(from) !== 0x0a || load<u8>(from, 1) >= 0x80 || nameEnd + 2 >= to) return;
  if (load<u8>(nameEnd) !== 0x12 || nameEnd + 2 + <u32>load<u8>(nameEnd, 1) !== to) return;
  const at = nameEnd + 2;
  const tag = load<u8>(at);
  if (tag === 0x11 && to - at === 9) memory.fill(mask + (at + 1 - start), 0, 8);
  else if (tag === 0x1a && load<u8>(at, 1) < 0x80 && at + 2 + <u32>load<u8>(at, 1) === to)
    asciiMask(mask, at + 2, to, start);
  else if ((tag === 0x08 || tag === 0x20) && to - at <= 10 && isOneVarint(at + 1, to))
    memory.fill(mask + (at + 1 - start), 0x80, to - at - 1);
}

/** Whether [at, end) is one varint. */
function isOneVarint(at: u32, end: u32): bool {
  for (; at < end - 1; at++) if (load<u8>(at) < 0x80) return false;
  return load<u8>(at) < 0x80;
}

/** Masks a string's bytes; false where it is not ASCII or lies too far behind. */
function asciiMask(mask: u32, from: u32, to: u32, start: u32): bool {
  if (to - start > SHAPE_BYTES_MAX) return false;
  for (let p = from; p < to; p++) {
    if (load<u8>(p) >= 0x80) return false;
  }
  memory.fill(mask + (from - start), 0x80, to - from);
  return true;
}
