/** Sinks that do not want everything: in the index where their expression has a key, else in the list that is scanned. */
import { Channel, grownAt, grownCapacity, SINK_BYTES, Sink, sinkFind, sinksGrow } from "../channel/channel";
import { Program } from "../expression/program";
import { indexAdd, indexFree, indexNew, indexRemove } from "./index";

/** Sets what a sink wants, 0 and 0: everything. Returns false where memory is used up; then nothing has changed. */
export function sinkSelect(channel: Channel, member: u32, types: u32, where: u32): bool {
  const at = sinkFind(channel.sinksAt, channel.sinks, member);
  const sink = changetype<Sink>(at);
  const oldTypes = sink.types;
  const oldWhere = sink.where;
  // The new place is taken first: what cannot be had leaves the old one as it is.
  sink.types = types;
  sink.where = where;
  const added = (types | where) === 0 || enlist(channel, at);
  sink.types = oldTypes;
  sink.where = oldWhere;
  if (!added) return false;
  sinkDeselect(channel, at);
  sink.types = types;
  sink.where = where;
  if ((types | where) !== 0) channel.selectiveSinks++;
  return true;
}

/** Takes the Sink record at `at` off the selective ones, before it changes or goes. */
export function sinkDeselect(channel: Channel, at: u32): void {
  const sink = changetype<Sink>(at);
  if ((sink.types | sink.where) === 0) return;
  channel.selectiveSinks--;
  if (hasKey(sink.where)) {
    indexRemove(channel.index, at);
    return;
  }
  const listed = sinkFind(channel.selectiveAt, channel.scannedSinks, sink.member);
  memory.copy(
    listed,
    listed + SINK_BYTES,
    channel.selectiveAt + channel.scannedSinks * SINK_BYTES - listed - SINK_BYTES,
  );
  channel.scannedSinks--;
}

function hasKey(where: u32): bool {
  return where !== 0 && changetype<Program>(where).accessName !== 0;
}

function enlist(channel: Channel, at: u32): bool {
  if (hasKey(changetype<Sink>(at).where)) {
    if (channel.index === 0) channel.index = indexNew();
    return channel.index !== 0 && indexAdd(channel.index, at);
  }
  if (!sinksGrow(channel.selectiveAt, channel.scannedSinks, channel.selectiveCapacity)) return false;
  channel.selectiveAt = grownAt;
  channel.selectiveCapacity = grownCapacity;
  memory.copy(channel.selectiveAt + channel.scannedSinks++ * SINK_BYTES, at, SINK_BYTES);
  return true;
}

/** Frees the index of a channel that has no sinks any more. */
export function selectiveFree(channel: Channel): void {
  if (channel.index !== 0) indexFree(channel.index);
  channel.index = 0;
}
