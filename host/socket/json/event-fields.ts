/** The names of the members of an event, as the fast way in tells them apart. */
import { limits } from "../../limits.ts";
import type { Cursor } from "./cursor.ts";
import { bytesOf } from "./scan.ts";

/** In the order of the numbers below. */
const names = [
  ...["id", "source", "type", "subject", "time", "priority", "deliverBy", "ttlMs", "key"],
  ...["attributes", "dataContentType", "data", "dataBase64"],
].map(bytesOf);
export const ID = 0;
export const SOURCE = 1;
export const TYPE = 2;
export const SUBJECT = 3;
export const TIME = 4;
export const PRIORITY = 5;
export const DELIVER_BY = 6;
export const TTL = 7;
export const KEY = 8;
export const ATTRIBUTES = 9;
export const CONTENT_TYPE = 10;
export const DATA = 11;
export const DATA_BASE64 = 12;

/** Index in `names` of the text that was just read; -1 for none. Lengths tell most of them apart. */
export function fieldOf(cursor: Cursor): number {
  const { text, textAt } = cursor;
  const field = candidate(cursor.textEnd - textAt, text[textAt], text[textAt + 1]);
  return field >= 0 && cursor.textIs(names[field] as Uint8Array) ? field : -1;
}

/** The only name that a text of this length and beginning can be; the caller compares the rest. */
function candidate(bytes: number, first: number | undefined, second: number | undefined): number {
  switch (bytes) {
    case 2:
      return ID;
    case 3:
      return KEY;
    case 4:
      if (first === 0x64) return DATA;
      return second === 0x79 ? TYPE : TIME;
    case 5:
      return TTL;
    case 6:
      return SOURCE;
    case 7:
      return SUBJECT;
    case 8:
      return PRIORITY;
    case 9:
      return DELIVER_BY;
    case 10:
      return first === 0x61 ? ATTRIBUTES : DATA_BASE64;
    case 15:
      return CONTENT_TYPE;
    default:
      return -1;
  }
}

/** Whether [at, end) of `text` matches [a-z][a-z0-9_]{0,63}. */
export function isAttributeName(text: Uint8Array, at: number, end: number): boolean {
  if (end - at < 1 || end - at > limits.attributeNameBytes) return false;
  for (let index = at; index < end; index += 1) {
    const byte = text[index] as number;
    if (byte >= 0x61 && byte <= 0x7a) continue;
    if (index === at || !((byte >= 0x30 && byte <= 0x39) || byte === 0x5f)) return false;
  }
  return true;
}
