/**
 * The event that tells of a cancel: type `cancel`, the key, `time` the moment up to which it counts, and the canceller's
 * implicit `source`. It is an ordinary event of its channel, with a sequence; but it meets no filter, and no ring keeps it.
 */
import { Channel } from "../channel/channel";
import { entryHeadCopy, entryPrepare } from "../event/entry";
import { varintBytes, varintWrite } from "../event/wire";
import { META_CLAIM, META_CONTROL, Slab } from "../mailbox/records";
import { metaAdd, metaKey, storeAdvance, storeSlab, storeTake } from "../mailbox/store";
import { Connection } from "../session/connection";
import { fanBegin } from "./fan-out";

/** `type`: "cancel", with tag and length. */
const typeAt: u32 = <u32>memory.data<u8>([0x1a, 6, 0x63, 0x61, 0x6e, 0x63, 0x65, 0x6c]);
const TYPE_BYTES: u32 = 8;
const TAG_SOURCE: u8 = 0x12;
const TAG_TIME: u8 = 0x29;
const TAG_PRIORITY: u8 = 0x30;
const TAG_KEY: u8 = 0x4a;

/** Where the last one begins. */
export let controlEntry: u32 = 0;

/**
 * Stores the event and begins its fan-out, which the caller ends with fanEnd().
 *
 * @param claims Whether its sender got the key itself.
 * @returns False where the store is full.
 */
export function controlStored(
  connection: Connection,
  channel: Channel,
  keyAt: u32,
  keyBytes: u32,
  atUs: i64,
  claims: bool,
): bool {
  const sourceBytes = connection.sourceBytes;
  const priority = channel.priority;
  let bytes = TYPE_BYTES + 9 + 1 + varintBytes(keyBytes) + keyBytes;
  if (sourceBytes !== 0) bytes += 1 + varintBytes(sourceBytes) + sourceBytes;
  if (priority !== 4) bytes += 2;
  const sequence = channel.sequence + 1;
  const size = entryPrepare(channel.number, sequence, bytes);
  let entry = storeTake(size, 1);
  if (entry === 0) entry = storeAdvance(size, 1);
  if (entry === 0) return false;
  const slab = changetype<Slab>(storeSlab);
  channel.sequence = sequence;
  let at = entryHeadCopy(entry, channel.number, sequence);
  if (sourceBytes !== 0) at = textWrite(at, TAG_SOURCE, connection.sourceAt, sourceBytes);
  memory.copy(at, typeAt, TYPE_BYTES);
  at += TYPE_BYTES;
  store<u8>(at, TAG_TIME);
  store<i64>(at, atUs, 1);
  at += 9;
  if (priority !== 4) {
    store<u8>(at, TAG_PRIORITY);
    store<u8>(at, <u8>priority, 1);
    at += 2;
  }
  const end = textWrite(at, TAG_KEY, keyAt, keyBytes);
  slab.used += size;
  const meta = metaAdd(slab, entry, Infinity, channel.number, connection.number);
  metaKey(meta, end - keyBytes - entry, keyBytes, atUs);
  meta.flags = META_CONTROL | (claims ? META_CLAIM : 0);
  controlEntry = entry;
  fanBegin(slab, entry, size, slab.metas - 1, 1, Infinity);
  return true;
}

function textWrite(at: u32, tag: u8, from: u32, bytes: u32): u32 {
  store<u8>(at, tag);
  at = varintWrite(at + 1, bytes);
  memory.copy(at, from, bytes);
  return at + bytes;
}
