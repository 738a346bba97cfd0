/** Loading values onto the stack: constants, and what names of the event and of the sink stand for. */
import { nowMs } from "../clock";
import { cursor, fieldSkip, lengthRead, tagRead, varintRead } from "../event/wire";
import {
  ERROR_MISSING,
  FIELD_DELIVER_BY,
  FIELD_ID,
  FIELD_PRIORITY,
  FIELD_SOURCE,
  FIELD_TIME,
  FIELD_TYPE,
  SCOPE_CONDITION,
  SCOPE_SINK,
  TYPE_INTEGER,
  TYPE_NUMBER,
  TYPE_TEXT,
} from "./code";
import { inputExists, inputPut } from "./inputs";
import { nameAt } from "./layout";
import { errorAdd, strict } from "./outcome";
import { scratchBytes, scratchMoment } from "./scratch";
import { castText, putBoolean, putInteger, putMissing, putNumber, putText, putZero, typeOf } from "./stack";
import { viewAt, viewAttribute, viewBytes, viewField, viewSetMs, viewSinkAttribute } from "./view";

/** Puts a constant of the program that lies at `base`. */
export function constantPut(slot: u32, base: u32, constant: u32): void {
  const type = <u32>load<u8>(constant);
  if (type === TYPE_TEXT) {
    putText(slot, base + load<u32>(constant, 8), load<u32>(constant, 12));
  } else {
    store<u32>(slot, type);
    store<u64>(slot, load<u64>(constant, 8), 8);
  }
}

/** Puts what a name stands for, of the program that lies at `program` and whose names have the numbers at `numbersAt`. */
export function namePut(slot: u32, program: u32, numbersAt: u32, index: u32): void {
  const name = nameAt(program, index);
  const field = <u32>load<u8>(name, 1);
  if (load<u8>(name) === SCOPE_SINK) {
    viewSinkAttribute(program + load<u32>(name, 4), load<u16>(name, 2));
    return valuePut(slot);
  }
  if (load<u8>(name) === SCOPE_CONDITION) return inputPut(slot, load<u32>(name, 4));
  eventValuePut(slot, field, load<u32>(numbersAt + index * 4));
}

/** Pushes how long ago the sink's attribute was set, ms; a clock that was set back makes nothing younger than now. */
export function agePut(slot: u32, program: u32, index: u32): void {
  const name = nameAt(program, index);
  viewSinkAttribute(program + load<u32>(name, 4), load<u16>(name, 2));
  if (viewAt !== 0) return putNumber(slot, max<f64>(nowMs - viewSetMs, 0));
  putMissing(slot);
  errorAdd(ERROR_MISSING);
}

/** Puts what a name of the event stands for: a field (FIELD_…), and where it is absent the attribute of that number. */
export function eventValuePut(slot: u32, field: u32, number: u32): void {
  if (field !== 0) {
    viewField(field);
    if (viewAt !== 0) return fieldPut(slot, field);
  }
  viewAttribute(number);
  if (viewAt === 0 && field === FIELD_PRIORITY) putInteger(slot, 4);
  else valuePut(slot);
}

function fieldPut(slot: u32, field: u32): void {
  if (field === FIELD_PRIORITY) return putInteger(slot, <i64>varintRead(viewAt, viewAt + viewBytes));
  if (field !== FIELD_TIME && field !== FIELD_DELIVER_BY) return putText(slot, viewAt, viewBytes);
  const at = scratchMoment(load<i64>(viewAt));
  if (at === 0) putZero(slot, TYPE_TEXT);
  else putText(slot, at, scratchBytes);
}

/** Puts the Value that the view found, missing where it found none; the last one of its fields counts. */
export function valuePut(slot: u32): void {
  if (viewAt === 0) {
    putMissing(slot);
    errorAdd(ERROR_MISSING);
    return;
  }
  const end = viewAt + viewBytes;
  let at = viewAt;
  putMissing(slot);
  while (at < end) at = valueFieldPut(slot, at, end);
  // The pure language has whole numbers of 32 bits only: others are texts to it.
  if (!strict) return;
  const type = typeOf(slot);
  const wide = type === TYPE_INTEGER && load<i64>(slot, 8) !== <i64>(<i32>load<i64>(slot, 8));
  if (wide || type === TYPE_NUMBER) castText(slot);
}

/** Reads one field of a Value, which is well-formed; returns where the next one begins. */
function valueFieldPut(slot: u32, at: u32, end: u32): u32 {
  const tag = tagRead(at, end);
  if (tag === 0x1a) {
    const bytes = lengthRead(cursor, end);
    putText(slot, cursor, bytes);
    return cursor + bytes;
  }
  if (tag === 0x11) {
    putNumber(slot, load<f64>(cursor));
    return cursor + 8;
  }
  if (tag !== 0x08 && tag !== 0x20) return fieldSkip(cursor, end, tag & 7);
  const value = varintRead(cursor, end);
  if (tag === 0x08) putBoolean(slot, value !== 0);
  else putInteger(slot, <i64>(value >> 1) ^ -(<i64>(value & 1)));
  return cursor;
}

/** Whether a name is there. */
export function nameExists(program: u32, numbersAt: u32, index: u32): bool {
  const name = nameAt(program, index);
  const field = <u32>load<u8>(name, 1);
  if (load<u8>(name) === SCOPE_SINK) {
    viewSinkAttribute(program + load<u32>(name, 4), load<u16>(name, 2));
    return viewAt !== 0;
  }
  if (load<u8>(name) === SCOPE_CONDITION) return inputExists(load<u32>(name, 4));
  // Every event has these when it is delivered, given or filled in.
  if (field === FIELD_ID || field === FIELD_SOURCE || field === FIELD_TYPE || field === FIELD_PRIORITY) return true;
  if (field !== 0) {
    viewField(field);
    if (viewAt !== 0) return true;
  }
  viewAttribute(load<u32>(numbersAt + index * 4));
  return viewAt !== 0;
}
