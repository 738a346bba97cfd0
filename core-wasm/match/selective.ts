/** Sinks that do not want everything are in the index of their channel (index/file.ts). */
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { sinkSelects, sinkSelectsNot } from "../channel/sinks";
import { filedTake, fileSink, unfile } from "./index/file";
import { indexFree, indexNew } from "./index/places";

/**
 * Sets what a sink wants, 0 and 0: everything. Returns false where memory is used up; then nothing has changed. The member's
 * `types` and `where` are the caller's to set, before the next event.
 */
export function sinkSelect(channel: Channel, member: Member, types: u32, where: u32): bool {
  if ((types | where) === 0) {
    sinkDeselect(channel, member);
    return true;
  }
  if (channel.index === 0) channel.index = indexNew();
  // The new place is taken first: what cannot be had leaves the old one as it is.
  if (channel.index === 0 || !fileSink(channel.index, changetype<u32>(member), types, where)) return false;
  if ((member.types | member.where) !== 0) unfile(member.indexed);
  else sinkSelects(channel, member);
  filedTake(member);
  return true;
}

/** From now on a sink wants everything. */
export function sinkDeselect(channel: Channel, member: Member): void {
  if ((member.types | member.where) === 0) return;
  unfile(member.indexed);
  sinkSelectsNot(channel, member);
}

/** Frees the index of a channel that has no sinks any more. */
export function selectiveFree(channel: Channel): void {
  if (channel.index !== 0) indexFree(channel.index);
  channel.index = 0;
}
