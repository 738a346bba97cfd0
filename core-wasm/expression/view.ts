/**
 * The event as expressions see it: where each field and each attribute that some program asks for lies. Built in one pass
 * at the first question about an event, then every program reads a slot.
 */

import { Live } from "../channel/live";
import { Member } from "../channel/member";
import { scanShape } from "../event/scan";
import { SHAPES, Shape, shapeIndex } from "../event/shape";
import { cursor, fieldSkip, lengthRead, tagRead } from "../event/wire";
import { bytesEqual } from "../memory/bytes";
import { heapGive, heapTakeZero } from "../memory/heap";
import { FIELDS } from "./code";
import { NAMES_MAX, nameLookup, namesChanged, namesHigh } from "./names";

/** Per name: u32 layout, u32 where in the event its Value lies, u32 its bytes, u32 unused; then what it was cast to, with viewTag(). */
export const SLOT_BYTES: u32 = 48;
/** u64 tag, f64 value. */
export const SLOT_NUMBER_TAG: u32 = 16;
export const SLOT_NUMBER: u32 = 24;
/** u64 tag, u32 address, u32 bytes. */
export const SLOT_TEXT_TAG: u32 = 32;
export const SLOT_TEXT: u32 = 40;
let slotsAt: u32 = 0;
let slots: u32 = 0;
/** Counts events: casts of another stamp are of an earlier one. */
let stamp: u32 = 0;
/** Slots of another layout say nothing. Events of one shape that follow one another share a layout. */
let layout: u32 = 0;
/** Address of the Template that the slots show, 0: none. */
let laid: u32 = 0;
let eventAt: u32 = 0;
let eventBytes: u32 = 0;
let built = false;
/** The Shape of its first so many bytes, 0: none is known. */
let shapeAt: u32 = 0;
let shapeBytes: u32 = 0;
/** Address of the Template from which the fields are still to be recalled, 0: they are there. Filters mostly ask for attributes. */
let fieldsFrom: u32 = 0;
/** Per FIELD_…: u32 address (0: absent), u32 bytes. Scalars: the address of their first byte. */
const fieldsAt: u32 = <u32>memory.data(96);
/** The event's data, which no expression sees. */
export const VIEW_DATA: u32 = FIELDS;
/** An even number, so that they are cleared in pairs. */
const VIEW_FIELDS: u32 = (VIEW_DATA + 2) & ~1;
if (VIEW_FIELDS * 8 !== 96) ERROR("fieldsAt has not the size of the fields");

/** The live attributes that `sink.NAME` means, 0 bytes for none: entries of Update.attributes. */
let sinkAt: u32 = 0;
let sinkBytes: u32 = 0;
/** When each of them was set, f64 ms. */
let agesAt: u32 = 0;

/** Forgets everything. */
export function viewInit(): void {
  slotsAt = slots = stamp = layout = laid = shapeAt = 0;
  built = false;
  memory.fill(templatesAt, 0, TEMPLATE_BYTES * SHAPES);
}

/** Makes room for all names there are. Returns false where memory is used up. */
export function viewGrow(): bool {
  if (namesHigh < slots) return true;
  let wanted: u32 = slots === 0 ? 256 : slots * 2;
  if (wanted > NAMES_MAX + 1) wanted = NAMES_MAX + 1;
  const at = heapTakeZero(wanted * SLOT_BYTES);
  if (at === 0) return false;
  if (slotsAt !== 0) heapGive(slotsAt, slots * SLOT_BYTES);
  slotsAt = at;
  slots = wanted;
  laid = 0;
  built = false;
  return true;
}

/** From now on questions are about this event, which is valid. */
export function viewEvent(at: u32, bytes: u32): void {
  eventAt = at;
  eventBytes = bytes;
  shapeAt = 0;
  built = false;
}

/** The same for a copy of the event that was scanned just now, of `scanned` bytes; fields may be appended to it. */
export function viewScanned(at: u32, bytes: u32, scanned: u32): void {
  eventAt = at;
  eventBytes = bytes;
  shapeAt = scanShape;
  shapeBytes = scanned;
  built = false;
}

/** As viewScanned(), of an event that was scanned a while ago and had that Shape as it was `learned`. */
export function viewAgain(at: u32, bytes: u32, shape: u32, learned: u32, scanned: u32): void {
  eventAt = at;
  eventBytes = bytes;
  shapeAt = shape !== 0 && changetype<Shape>(shape).learned === learned ? shape : 0;
  shapeBytes = scanned;
  built = false;
}

/** From now on `sink.NAME` means the attributes of this member. */
export function viewSink(member: Member | null): void {
  if (member === null || member.live === 0) {
    sinkAt = sinkBytes = 0;
    return;
  }
  const live = changetype<Live>(member.live);
  sinkAt = live.attributesAt;
  sinkBytes = live.attributesBytes;
  agesAt = live.agesAt;
}

/** What the last viewAttribute(), viewField() or viewSinkAttribute() found; 0: it is not there. */
export let viewAt: u32 = 0;
export let viewBytes: u32 = 0;

/** The slots of all names: that of a name lies at its number × SLOT_BYTES. */
export function viewSlots(): u32 {
  if (!built) build();
  return slotsAt;
}

/** What says that a cast is of this event, and of a name with that FIELD_…. */
export function viewTag(field: u32): u64 {
  return ((<u64>stamp) << 32) | field;
}

/** Address of the Value of a slot of viewSlots(), whose bytes are at slot + 8; 0: the event has none. */
export function viewValue(slot: u32): u32 {
  return load<u32>(slot) === layout ? eventAt + load<u32>(slot, 4) : 0;
}

/** The Value of the event's attribute with that number. */
export function viewAttribute(name: u32): void {
  const slot = viewSlots() + name * SLOT_BYTES;
  viewAt = viewValue(slot);
  viewBytes = load<u32>(slot, 8);
}

/** The field of the event, or VIEW_DATA. */
export function viewField(field: u32): void {
  if (!built) build();
  if (fieldsFrom !== 0) recallFields();
  viewAt = load<u32>(fieldsAt + field * 8);
  viewBytes = load<u32>(fieldsAt + field * 8, 4);
}

/** When the attribute that viewSinkAttribute() found was set, ms. */
export let viewSetMs: f64 = 0;

/** The Value of the sink's live attribute of that name. A name is there once. */
export function viewSinkAttribute(nameAt: u32, nameBytes: u32): void {
  viewAt = 0;
  const end = sinkAt + sinkBytes;
  let setAt = agesAt;
  for (let at = sinkAt; at < end; setAt += 8) {
    tagRead(at, end);
    const size = lengthRead(cursor, end);
    const from = cursor;
    at = from + size;
    entryRead(from, at);
    if (!bytesEqual(entryNameAt, entryNameBytes, nameAt, nameBytes)) continue;
    viewAt = entryValueAt;
    viewBytes = entryValueBytes;
    viewSetMs = load<f64>(setAt);
    return;
  }
}

let entryNameAt: u32 = 0;
let entryNameBytes: u32 = 0;
let entryValueAt: u32 = 0;
let entryValueBytes: u32 = 0;

/** Reads one entry of a map of attributes, which is well-formed. */
function entryRead(at: u32, end: u32): void {
  entryNameAt = entryNameBytes = 0;
  entryValueAt = at;
  entryValueBytes = 0;
  while (at < end) {
    const tag = tagRead(at, end);
    if ((tag & 7) === 2) {
      const size = lengthRead(cursor, end);
      if (tag === 0x0a) {
        entryNameAt = cursor;
        entryNameBytes = size;
      } else if (tag === 0x12) {
        entryValueAt = cursor;
        entryValueBytes = size;
      }
      at = cursor + size;
    } else {
      at = fieldSkip(cursor, end, tag & 7);
    }
  }
}

/** The same for entries of the event: nearly all are a short name and a short value, in this order. */
function entryFind(at: u32, end: u32): void {
  const name = <u32>load<u8>(at, 1);
  const value = at + 2 + name;
  if (load<u8>(at) !== 0x0a || name >= 0x80 || value + 2 > end || load<u8>(value) !== 0x12) return entryRead(at, end);
  const bytes = <u32>load<u8>(value, 1);
  if (bytes >= 0x80 || value + 2 + bytes !== end) return entryRead(at, end);
  entryNameAt = at + 2;
  entryNameBytes = name;
  entryValueAt = value + 2;
  entryValueBytes = bytes;
}

/** Field numbers of the schema to FIELD_…, 0 for those that expressions do not see. */
const fieldOf: u32 = <u32>memory.data<u8>([0, 1, 2, 3, 4, 5, 6, 7, 0, 8, 0, 9, 10, 0, 0, 0]);

function build(): void {
  built = true;
  stamp++;
  if (stamp === 0) {
    stamp = 1;
    layout = u32.MAX_VALUE;
    laid = 0;
  }
  const end = eventAt + eventBytes;
  fieldsFrom = 0;
  if (shapeAt === 0) {
    layoutNew();
    clearFields();
    return read(eventAt, end);
  }
  const shape = changetype<Shape>(shapeAt);
  const template = changetype<Template>(templatesAt + shapeIndex(shape) * TEMPLATE_BYTES);
  if (template.learned !== shape.learned || template.names !== namesChanged) {
    layoutNew();
    clearFields();
    noted = 0;
    read(eventAt, eventAt + shapeBytes);
    learn(template, shape);
  } else {
    recall(template);
  }
  // What the host of the event has appended stands behind what was scanned.
  if (eventBytes !== shapeBytes) {
    if (fieldsFrom !== 0) recallFields();
    read(eventAt + shapeBytes, end);
  }
}

/** Begins a layout: no slot says anything. */
function layoutNew(): void {
  laid = 0;
  layout++;
  if (layout !== 0) return;
  memory.fill(slotsAt, 0, slots * SLOT_BYTES);
  layout = 1;
}

/** Forgets where fields are: six stores where memory.fill() would be a call. */
function clearFields(): void {
  const zero = i64x2.splat(0);
  for (let field: u32 = 0; field < VIEW_FIELDS * 8; field += 16) v128.store(fieldsAt + field, zero);
}

/** Notes where the fields at [at, end) and the attributes that programs ask for lie. */
function read(at: u32, end: u32): void {
  while (at < end) {
    // Tags and short lengths are one byte nearly always: they are read here, without a call.
    let tag = <u32>load<u8>(at);
    let valueAt = at + 1;
    if (tag >= 0x80) {
      tag = tagRead(at, end);
      valueAt = cursor;
    }
    const field = tag >> 3;
    let bytes: u32 = 8;
    if ((tag & 7) === 2) {
      bytes = load<u8>(valueAt);
      if (bytes < 0x80) {
        valueAt++;
      } else {
        bytes = lengthRead(valueAt, end);
        valueAt = cursor;
      }
      at = valueAt + bytes;
    } else if ((tag & 7) === 1) {
      at = valueAt + 8;
    } else if ((tag & 7) === 0 && load<u8>(valueAt) < 0x80) {
      at = valueAt + 1;
      bytes = 1;
    } else {
      at = fieldSkip(valueAt, end, tag & 7);
      if ((tag & 7) === 0) bytes = at - valueAt;
    }
    if (field === 10) {
      if (namesHigh !== 0) attributeNote(valueAt, at);
    } else if (field < 16) {
      const slot = fieldsAt + <u32>load<u8>(fieldOf + field) * 8;
      // An empty text is an absent one, as in all of protobuf's fields without presence.
      store<u32>(slot, bytes === 0 ? 0 : valueAt);
      store<u32>(slot, bytes, 4);
    }
  }
}

function attributeNote(at: u32, end: u32): void {
  entryFind(at, end);
  const name = nameLookup(entryNameAt, entryNameBytes);
  if (name === 0) return;
  slotPut(name, entryValueAt - eventAt, entryValueBytes);
  if (noted < NOTED_MAX) {
    const note = notesAt + noted * NOTE_BYTES;
    store<u32>(note, name);
    store<u32>(note, entryValueAt - eventAt, 4);
    store<u32>(note, entryValueBytes, 8);
  }
  noted++;
}

function slotPut(name: u32, offset: u32, bytes: u32): void {
  const slot = slotsAt + name * SLOT_BYTES;
  store<u32>(slot, layout);
  store<u32>(slot, offset, 4);
  store<u32>(slot, bytes, 8);
}

// --- Templates: events of one shape (event/shape.ts) have all of this in the same places ---

/** Where fields and attributes of a shape lie, from the event's beginning. */
@unmanaged
class Template {
  /** Of which shape, and of which names: Shape.learned and namesChanged. */
  learned: u32;
  names: u32;
  notes: u32;
  reserved: u32;
}
const NOTE_BYTES: u32 = 12;
/** Attributes of one event that programs ask for; with more the event is read anew. */
const NOTED_MAX: u32 = 20;
const TEMPLATE_FIELDS: u32 = offsetof<Template>();
const TEMPLATE_NOTES: u32 = TEMPLATE_FIELDS + VIEW_FIELDS * 8;
const TEMPLATE_BYTES: u32 = TEMPLATE_NOTES + NOTED_MAX * NOTE_BYTES;
const templatesAt: u32 = <u32>memory.data(5632, 16);
if (TEMPLATE_BYTES * SHAPES !== 5632) ERROR("Templates have not the size of their room");
/** What attributeNote() has seen of the event under way: u32 name, u32 offset, u32 bytes of the Value. */
const notesAt: u32 = <u32>memory.data(240, 4);
if (NOTE_BYTES * NOTED_MAX !== 240) ERROR("Notes have not the size of their room");
let noted: u32 = 0;

/** Remembers what read() has found of an event of that shape. */
function learn(template: Template, shape: Shape): void {
  template.learned = 0;
  if (noted > NOTED_MAX) return;
  const at = changetype<u32>(template);
  for (let field: u32 = 0; field < VIEW_FIELDS * 8; field += 8) {
    const found = load<u32>(fieldsAt + field);
    // Absent ones stay below the event, wherever that lies.
    store<u32>(at + TEMPLATE_FIELDS + field, found === 0 ? 0 : found - eventAt);
    store<u32>(at + TEMPLATE_FIELDS + field, load<u32>(fieldsAt + field, 4), 4);
  }
  memory.copy(at + TEMPLATE_NOTES, notesAt, noted * NOTE_BYTES);
  template.notes = noted;
  template.names = namesChanged;
  template.learned = shape.learned;
  laid = at;
}

/** What read() would find; the fields only when somebody asks for one. Whatever changes a template changes the slots, too. */
function recall(template: Template): void {
  const at = changetype<u32>(template);
  fieldsFrom = at + TEMPLATE_FIELDS;
  if (laid === at) return;
  layoutNew();
  const end = at + TEMPLATE_NOTES + template.notes * NOTE_BYTES;
  for (let note = at + TEMPLATE_NOTES; note < end; note += NOTE_BYTES)
    slotPut(load<u32>(note), load<u32>(note, 4), load<u32>(note, 8));
  laid = at;
}

/** A field never lies at the event's first byte, which is a tag. */
function recallFields(): void {
  const from = fieldsFrom;
  fieldsFrom = 0;
  for (let field: u32 = 0; field < VIEW_FIELDS * 8; field += 8) {
    const offset = load<u32>(from + field);
    store<u32>(fieldsAt + field, offset === 0 ? 0 : eventAt + offset);
    store<u32>(fieldsAt + field, load<u32>(from + field, 4), 4);
  }
}
