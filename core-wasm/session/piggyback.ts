/**
 * Live attributes that come with a member's own events: it names attributes, and what an event of it says of them is
 * what the member is from then on, without a frame of its own (KECho, section 2.1: attributes piggyback on events).
 */
import {
  ATTRIBUTE_NAME_BYTES_MAX,
  ATTRIBUTES_MAX,
  ROLE_PIGGYBACK,
  STATUS_LIMIT,
  STATUS_OK,
  STATUS_STORE_FULL,
} from "../abi";
import { Live, liveTake } from "../channel/live";
import { Member } from "../channel/member";
import { attributeCheck, attributeNameAt, attributeNameBytes } from "../event/attributes";
import { cursor, fieldSkip, lengthRead, tagRead, varintWrite } from "../event/wire";
import { bytesEqual } from "../memory/bytes";
import { heapCopy, heapGive, heapTake } from "../memory/heap";
import { resultStatus } from "../result";
import { attributesMerge } from "./attributes";

/** Sets the names, `count` of them at `at`: u16 bytes and text each. Returns a status. */
export function piggybackSet(member: Member, at: u32, count: u32): u32 {
  if (count > ATTRIBUTES_MAX) return resultStatus(STATUS_LIMIT, count, ATTRIBUTES_MAX);
  let end = at;
  for (let i: u32 = 0; i < count; i++) {
    const bytes = <u32>load<u16>(end);
    if (bytes > ATTRIBUTE_NAME_BYTES_MAX) return resultStatus(STATUS_LIMIT, bytes, ATTRIBUTE_NAME_BYTES_MAX);
    end += 2 + bytes;
  }
  const address = liveTake(member);
  const names = heapCopy(at, end - at);
  if (address === 0 || (count !== 0 && names === 0)) {
    if (names !== 0) heapGive(names, end - at);
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  }
  const live = changetype<Live>(address);
  if (live.piggybackAt !== 0) heapGive(live.piggybackAt, live.piggybackBytes);
  live.piggybackAt = names;
  live.piggybackBytes = end - at;
  member.role = count === 0 ? member.role & ~ROLE_PIGGYBACK : member.role | ROLE_PIGGYBACK;
  return STATUS_OK;
}

function named(live: Live, nameAt: u32, nameBytes: u32): bool {
  const end = live.piggybackAt + live.piggybackBytes;
  for (let at = live.piggybackAt; at < end; at += 2 + <u32>load<u16>(at)) {
    if (bytesEqual(at + 2, load<u16>(at), nameAt, nameBytes)) return true;
  }
  return false;
}

const TAG_EVENT_ATTRIBUTE: u32 = 0x52;
const TAG_UPDATE_ATTRIBUTE: u8 = 0x12;

/** Takes over what a member's own event, which is valid, says of the attributes that it named. */
export function piggybackTake(member: Member, at: u32, bytes: u32): void {
  const live = changetype<Live>(member.live);
  // An update made of them is no larger than the event's attributes; what would not fit the member's is refused whole.
  const update = heapTake(bytes);
  if (update === 0) return;
  const end = at + bytes;
  let to = update;
  while (at < end) {
    const tag = tagRead(at, end);
    if (tag !== TAG_EVENT_ATTRIBUTE) {
      at = fieldSkip(cursor, end, tag & 7);
      continue;
    }
    const size = lengthRead(cursor, end);
    const from = cursor;
    at = from + size;
    attributeCheck(from, at);
    if (!named(live, attributeNameAt, attributeNameBytes)) continue;
    store<u8>(to, TAG_UPDATE_ATTRIBUTE);
    const body = varintWrite(to + 1, size);
    memory.copy(body, from, size);
    to = body + size;
  }
  if (to !== update) attributesMerge(member, update, to);
  heapGive(update, bytes);
}
