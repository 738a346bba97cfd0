/**
 * From a channel number to this connection's source member, for publishers that use many channels in turn.
 *
 * A connection that does has an array of member addresses by channel number, as long as that is worth its memory;
 * otherwise, and for the first publish, the index of pairs answers.
 */
import { ROLE_SOURCE } from "../abi";
import { pairWithRole } from "../channel/member";
import { heapBlockBytes, heapGive, heapTakeZero } from "../memory/heap";
import { Connection } from "./connection";

/** The array may be this many times longer than the number of lookups that had to go without it. */
const SPARSE_MAX: u32 = 16;

/** Address of the source member of a connection in a channel, 0 where there is none. */
export function sourceFind(connection: Connection, channel: u32): u32 {
  if (channel < connection.sourcesCapacity) {
    const known = load<u32>(connection.sourcesAt + channel * 4);
    if (known !== 0) return known;
  }
  const source = pairWithRole(connection.number, channel, ROLE_SOURCE);
  if (source === 0) return 0;
  if (channel >= connection.sourcesCapacity && ++connection.sourceMisses * SPARSE_MAX > channel)
    grow(connection, channel);
  if (channel < connection.sourcesCapacity) store<u32>(connection.sourcesAt + channel * 4, source);
  return source;
}

function grow(connection: Connection, channel: u32): void {
  const bytes = heapBlockBytes((channel + 1) * 8);
  const at = heapTakeZero(bytes);
  if (at === 0) return;
  memory.copy(at, connection.sourcesAt, connection.sourcesCapacity * 4);
  sourcesFree(connection);
  connection.sourcesAt = at;
  connection.sourcesCapacity = bytes / 4;
}

/** Forgets one source that is about to end. */
export function sourceForget(connection: Connection, channel: u32): void {
  if (channel < connection.sourcesCapacity) store<u32>(connection.sourcesAt + channel * 4, 0);
}

/** Frees the array. */
export function sourcesFree(connection: Connection): void {
  if (connection.sourcesAt !== 0) heapGive(connection.sourcesAt, connection.sourcesCapacity * 4);
  connection.sourcesAt = connection.sourcesCapacity = 0;
}
