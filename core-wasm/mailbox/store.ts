/**
 * The store: a bounded log of slabs. When the oldest slab is needed, what mailboxes still hold of it is copied into
 * chunks of their own, so that one slow, selective sink never pins the store and never slows a publisher.
 */
import { OVERFLOW_BLOCK, PAGE_BYTES, SLAB_BYTES, STATISTIC_EVACUATED_BYTES } from "../abi";
import { COPY_SLACK_BYTES } from "../memory/copy";
import { statisticAdd } from "../statistics";
import { dueEnter } from "./due";
import { inboxDropRun } from "./inbox";
import { keyHash, keysNote } from "./keys";
import { Mailbox, META_BYTES, Meta, metaAt, Run, Slab } from "./records";
import { runFree, runLink, runUnlink } from "./run";
import { chunkNew, slabCurrent, slabFill, slabIdle, slabNew, slabOldest, slabsTrim } from "./slab";

/** Between entries and metas: entries are written in steps of 32 bytes, see memory/copy.ts. */
const SLACK_BYTES: u32 = COPY_SLACK_BYTES + 1;

/** The slab in which the last storeTake() found room. */
export let storeSlab: u32 = 0;

/** Changes with all that is stored: what was known of the bytes in some place is so no longer. */
export let storeTurn: u32 = 0;

/** Room for `bytes` and `metas` in the slab that is being filled; 0 where it has none, see storeAdvance(). */
export function storeTake(bytes: u32, metas: u32): u32 {
  storeTurn++;
  storeSlab = slabCurrent();
  if (storeSlab === 0) return 0;
  const slab = changetype<Slab>(storeSlab);
  if (slab.used + bytes + SLACK_BYTES + (slab.metas + metas) * META_BYTES > slab.bytes) return 0;
  return slab.base + slab.used;
}

/**
 * Makes room where storeTake() found none and returns it; 0 where the store is full.
 * Every entry before must be in a mailbox by now, or pinned. An entry larger than a slab gets one of its own.
 */
export function storeAdvance(bytes: u32, metas: u32): u32 {
  const need = bytes + SLACK_BYTES + metas * META_BYTES;
  let at = slabNew(need);
  while (at === 0) {
    const oldest = slabOldest();
    if (need > SLAB_BYTES) slabsTrim();
    else if (oldest === 0) return 0;
    if (oldest !== 0) {
      if (!evacuate(changetype<Slab>(oldest))) return 0;
      if (need > SLAB_BYTES) slabsTrim();
    }
    at = slabNew(need);
    if (oldest === 0) break;
  }
  if (at === 0) return 0;
  storeSlab = at;
  if (need <= SLAB_BYTES) slabFill(at);
  return changetype<Slab>(at).base;
}

/** Adds a meta for the entry at `entryAt`, for which room was taken; it has no key yet. */
export function metaAdd(slab: Slab, entryAt: u32, deadline: f64, channel: u32, submitter: u32): Meta {
  const meta = metaAt(slab, slab.metas++);
  meta.deadline = deadline;
  meta.slab = changetype<u32>(slab);
  meta.entryAt = entryAt;
  meta.keyBytes = 0;
  meta.flags = 0;
  meta.channel = channel;
  meta.submitter = submitter;
  return meta;
}

/** Gives a meta its entry's key, which lies `keyOffset` behind the beginning of the entry. */
export function metaKey(meta: Meta, keyOffset: u32, keyBytes: u32, timeUs: i64): void {
  meta.keyOffset = keyOffset;
  meta.keyBytes = <u16>keyBytes;
  meta.hash = keyHash(meta.channel, meta.entryAt + keyOffset, keyBytes);
  meta.timeUs = timeUs;
  keysNote(changetype<Slab>(meta.slab));
}

/** Adds a meta for a copy of the entry that has `from`, whose event has moved on by `shift` bytes within it. */
export function metaCopy(slab: Slab, entryAt: u32, from: Meta, shift: u32): void {
  const meta = metaAdd(slab, entryAt, from.deadline, from.channel, from.submitter);
  meta.flags = from.flags;
  // Whatever has the run under its key must find it there when it goes.
  meta.hash = from.hash;
  if (from.keyBytes === 0) return;
  meta.keyOffset = from.keyOffset + shift;
  meta.keyBytes = from.keyBytes;
  meta.timeUs = from.timeUs;
  keysNote(slab);
}

/** Moves all runs out of a slab, which is free then. False where a run may not be dropped and can't be kept. */
function evacuate(slab: Slab): bool {
  while (slab.runs !== 0) {
    const run = changetype<Run>(slab.runs);
    const mailbox = changetype<Mailbox>(run.mailbox);
    const chunk = chunkWithRoom(mailbox, run.bytes + run.metas * META_BYTES);
    if (chunk !== 0) {
      move(mailbox, run, changetype<Slab>(chunk));
    } else {
      if (mailbox.overflow === OVERFLOW_BLOCK) return false;
      slab.pins++;
      inboxDropRun(mailbox, run);
      slab.pins--;
    }
  }
  slabIdle(slab);
  return true;
}

/** The mailbox's chunk if it has room, else a new one; 0 where its share of the mailboxes' memory is used up. */
export function chunkWithRoom(mailbox: Mailbox, need: u32): u32 {
  if (mailbox.chunk !== 0) {
    const chunk = changetype<Slab>(mailbox.chunk);
    if (chunk.used + chunk.metas * META_BYTES + need <= chunk.bytes) return mailbox.chunk;
  }
  const at = chunkNew(mailbox, need);
  // A chunk made to measure for a long run is full at once; the smaller one goes on being filled.
  if (at !== 0 && (need <= PAGE_BYTES || mailbox.chunk === 0)) mailbox.chunk = at;
  return at;
}

function move(mailbox: Mailbox, run: Run, chunk: Slab): void {
  const from = changetype<Slab>(run.slab);
  const at = chunk.base + chunk.used;
  const metaFirst = <u16>chunk.metas;
  memory.copy(at, run.at, run.bytes);
  chunk.used += run.bytes;
  for (let i: u32 = 0; i < run.metas; i++) {
    const old = metaAt(from, run.metaFirst + i);
    metaCopy(chunk, old.entryAt - run.at + at, old, 0);
  }
  statisticAdd(STATISTIC_EVACUATED_BYTES, run.bytes);
  runUnlink(run);
  run.at = at;
  run.metaFirst = metaFirst;
  mergeOrLink(mailbox, run, chunk);
}

/** Joins a moved run to the one before it in the mailbox if they are neighbours now. */
function mergeOrLink(mailbox: Mailbox, run: Run, chunk: Slab): void {
  if (run.previous !== 0 && mailbox.order === 0) {
    const before = changetype<Run>(run.previous);
    if (before.slab === changetype<u32>(chunk) && before.at + before.bytes === run.at) {
      if (before.metas === 0) before.metaFirst = run.metaFirst;
      before.bytes += run.bytes;
      before.events += run.events;
      before.back = run.back;
      before.metas += run.metas;
      if (run.deadline < before.deadline) {
        before.deadline = run.deadline;
        if (mailbox.due !== 0) dueEnter(mailbox, before, before.deadline);
      }
      runFree(mailbox, run);
      return;
    }
  }
  runLink(run, chunk);
}
