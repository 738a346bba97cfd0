/**
 * What became of the deadlines of one stream, which is a channel in an inbox: met, missed, dropped, and windows that were
 * violated. An account comes into being with the first deadline, since most streams have none.
 */
import { heapGive, heapTakeZero } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";

/** Counts since the membership began; STREAM_… of abi.ts in this order. */
@unmanaged
export class Account {
  met: f64;
  missed: f64;
  dropped: f64;
  violations: f64;
}
export const ACCOUNT_COUNTS: u32 = offsetof<Account>() / 8;

let accounts: u32 = 0;
/** The account that was asked for last: events that leave one after another are mostly of few streams. */
let lastKey: u64 = 0;
let lastAt: u32 = 0;
/** Where memory is used up counts go here, and are lost. */
const nobody: u32 = <u32>memory.data(offsetof<Account>(), 8);

/** Forgets all accounts. Returns false where memory is too small. */
export function accountsInit(): bool {
  lastAt = 0;
  accounts = mapNew();
  return accounts !== 0;
}

function accountKey(connection: u32, channel: u32): u64 {
  return ((<u64>connection) << 32) | channel;
}

/** The account of a connection's stream; it is made where there is none. */
export function accountOf(connection: u32, channel: u32): Account {
  const key = accountKey(connection, channel);
  if (lastAt !== 0 && lastKey === key) return changetype<Account>(lastAt);
  const map = changetype<Map64>(accounts);
  let at = mapFind(map, key);
  if (at !== 0) {
    lastKey = key;
    lastAt = at;
    return changetype<Account>(at);
  }
  at = heapTakeZero(offsetof<Account>());
  if (at === 0) return changetype<Account>(nobody);
  if (!mapSet(map, key, at)) {
    heapGive(at, offsetof<Account>());
    return changetype<Account>(nobody);
  }
  return changetype<Account>(at);
}

/** One count of a stream; 0 where it has no account. */
export function accountCount(connection: u32, channel: u32, index: u32): f64 {
  const at = mapFind(changetype<Map64>(accounts), accountKey(connection, channel));
  return at === 0 || index >= ACCOUNT_COUNTS ? 0 : load<f64>(at + index * 8);
}

/** Frees the account of a stream that ends. */
export function accountFree(connection: u32, channel: u32): void {
  const map = changetype<Map64>(accounts);
  if (map.count === 0) return;
  const key = accountKey(connection, channel);
  const at = mapFind(map, key);
  if (at === 0) return;
  if (lastAt === at) lastAt = 0;
  mapDelete(map, key);
  heapGive(at, offsetof<Account>());
}
