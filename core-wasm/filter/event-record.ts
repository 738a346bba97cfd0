/**
 * The record of one event as modules read it: every part of it in a fixed place, so that they index and never search. The
 * layout is in abi.ts, RECORD_…; it is written from the view of the event, where fields and attributes are found already.
 *
 *   head │ attributes │ bitmap of candidates │ texts │ data │ zeros up to a multiple of 8
 */

import { varintRead } from "../event/wire";
import {
  FIELD_DELIVER_BY,
  FIELD_ID,
  FIELD_PRIORITY,
  FIELD_SOURCE,
  FIELD_TIME,
  FIELD_TYPE,
  TYPE_TEXT,
} from "../expression/code";
import { eventValuePut } from "../expression/load";
import { outcomeBegin } from "../expression/outcome";
import { stackAt, textAt, textBytes, typeOf } from "../expression/stack";
import { VIEW_DATA, viewAt, viewBytes, viewField } from "../expression/view";
import { hashBytes } from "../memory/bytes";
import { copyLoose } from "../memory/copy";
import { mix64 } from "../memory/random";
import {
  RECORD_ATTRIBUTE_BYTES,
  RECORD_ATTRIBUTES,
  RECORD_BYTES_MAX,
  RECORD_CANDIDATES,
  RECORD_CANDIDATES_AT,
  RECORD_CHANNEL,
  RECORD_DEADLINE,
  RECORD_FLAGS,
  RECORD_HEAD_BYTES,
  RECORD_ID_HASH,
  RECORD_ID_TEXT,
  RECORD_PAYLOAD,
  RECORD_PAYLOAD_CUT,
  RECORD_PAYLOAD_TOTAL,
  RECORD_PRIORITY,
  RECORD_SIZE,
  RECORD_SOURCE,
  RECORD_SOURCE_TEXT,
  RECORD_TEXT_CUT,
  RECORD_TIME,
  RECORD_TYPE,
  RECORD_TYPE_TEXT,
  TAG_TIME,
} from "./abi";
import { Decider, deciderInterned, FIELD_BYTES, Field } from "./decider";
import { Interned, internedFind } from "./interned";

/** Where neither the event nor its channel says. */
const PRIORITY_DEFAULT: u32 = 4;

/** Where the next text goes, up to where it may reach, and RECORD_… flags so far. */
let to: u32 = 0;
let limit: u32 = 0;
let flags: u32 = 0;

/**
 * Writes the record of the event of the view to `at`, which is a multiple of 8, and returns its bytes: at most
 * RECORD_BYTES_MAX, and up to 31 more are overwritten.
 *
 * @param identity What makes the event another one than any other of this core, where it has no id.
 * @param bitsAt Bitmap of candidates of so many words; 0 words: every sink is one.
 */
export function recordWrite(at: u32, decider: Decider, identity: u64, bitsAt: u32, words: u32, candidates: u32): u32 {
  const interned = deciderInterned(decider);
  to = at + RECORD_HEAD_BYTES + decider.attributes * RECORD_ATTRIBUTE_BYTES;
  limit = at + RECORD_BYTES_MAX;
  flags = 0;
  store<u8>(at + RECORD_ATTRIBUTES, <u8>decider.attributes);
  store<u32>(at + RECORD_CHANNEL, decider.channelText);
  store<u32>(at + RECORD_CANDIDATES_AT, words === 0 ? 0 : to - at);
  store<u32>(at + RECORD_CANDIDATES, candidates);
  for (let i: u32 = 0; i < words; i++, to += 4) store<u32>(to, load<u32>(bitsAt + i * 4));
  numbersWrite(at);
  viewField(FIELD_ID);
  store<u64>(at + RECORD_ID_HASH, viewAt === 0 ? mix64(identity) | 1 : hashBytes(viewAt, viewBytes));
  textWrite(at, at + RECORD_ID_TEXT, viewAt, viewBytes);
  viewField(FIELD_TYPE);
  store<u32>(at + RECORD_TYPE, numberOf(interned));
  textWrite(at, at + RECORD_TYPE_TEXT, viewAt, viewBytes);
  viewField(FIELD_SOURCE);
  store<u32>(at + RECORD_SOURCE, numberOf(interned));
  textWrite(at, at + RECORD_SOURCE_TEXT, viewAt, viewBytes);
  outcomeBegin(false);
  for (let i: u32 = 0; i < decider.attributes; i++) {
    attributeWrite(
      at,
      at + RECORD_HEAD_BYTES + i * RECORD_ATTRIBUTE_BYTES,
      changetype<Field>(decider.fieldsAt + i * FIELD_BYTES),
      interned,
    );
  }
  payloadWrite(at, decider.payload);
  // Whatever lay here must not be read by a module.
  store<u64>(to, 0);
  const bytes = (to - at + 7) & ~7;
  store<u16>(at + RECORD_FLAGS, <u16>flags);
  store<u32>(at + RECORD_SIZE, bytes);
  return bytes;
}

/** The number of the text that the view found. */
function numberOf(interned: Interned): u32 {
  return viewAt === 0 ? 0 : internedFind(interned, viewAt, viewBytes);
}

function numbersWrite(at: u32): void {
  viewField(FIELD_PRIORITY);
  const priority = viewAt === 0 ? PRIORITY_DEFAULT : <u32>varintRead(viewAt, viewAt + viewBytes);
  store<u8>(at + RECORD_PRIORITY, <u8>priority);
  viewField(FIELD_TIME);
  store<f64>(at + RECORD_TIME, viewAt === 0 ? 0 : <f64>load<i64>(viewAt) / 1000);
  viewField(FIELD_DELIVER_BY);
  store<f64>(at + RECORD_DEADLINE, viewAt === 0 ? Infinity : <f64>load<i64>(viewAt) / 1000);
}

/** Puts a text behind what is there, and where it lies into `slot`. What does not fit is cut at a character. */
function textWrite(record: u32, slot: u32, from: u32, bytes: u32): void {
  if (from === 0) bytes = 0;
  if (bytes > limit - to) {
    bytes = limit - to;
    while (bytes !== 0 && (load<u8>(from + bytes) & 0xc0) === 0x80) bytes--;
    flags |= RECORD_TEXT_CUT;
  }
  store<u32>(slot, to - record);
  store<u32>(slot, bytes, 4);
  copyLoose(to, from, bytes);
  to += bytes;
}

/** Writes one attribute: its tag is its type on the stack. */
function attributeWrite(record: u32, slot: u32, field: Field, interned: Interned): void {
  const isTime = field.field === FIELD_TIME || field.field === FIELD_DELIVER_BY;
  if (isTime) viewField(field.field);
  if (isTime && viewAt !== 0) {
    store<u64>(slot, TAG_TIME);
    store<f64>(slot, <f64>load<i64>(viewAt) / 1000, 8);
    return;
  }
  eventValuePut(stackAt, field.field, field.name);
  const type = typeOf(stackAt);
  store<u64>(slot, type);
  if (type !== TYPE_TEXT) {
    store<u64>(slot, type === 0 ? 0 : load<u64>(stackAt, 8), 8);
    return;
  }
  const from = textAt(stackAt);
  const bytes = textBytes(stackAt);
  const number = internedFind(interned, from, bytes);
  textWrite(record, slot + 4, from, bytes);
  // What textWrite() has left is (offset, bytes) from slot + 4 on; the layout wants (bytes, offset).
  const written = load<u32>(slot, 8);
  store<u32>(slot, load<u32>(slot, 4), 8);
  store<u32>(slot, written, 4);
  store<u32>(slot, number, 12);
}

function payloadWrite(at: u32, most: u32): void {
  viewField(VIEW_DATA);
  const total = viewAt === 0 ? 0 : viewBytes;
  const bytes = min<u32>(min<u32>(total, most), limit - to);
  if (bytes !== total) flags |= RECORD_PAYLOAD_CUT;
  store<u32>(at + RECORD_PAYLOAD_TOTAL, total);
  store<u32>(at + RECORD_PAYLOAD, to - at);
  store<u32>(at + RECORD_PAYLOAD, bytes, 4);
  copyLoose(to, viewAt, bytes);
  to += bytes;
}
