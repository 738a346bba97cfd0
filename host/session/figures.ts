/** What conditions are told of channels, inboxes and filter modules. */
import type { ChannelView } from "../channel/channel.ts";
import type { ChannelFigures, FilterFigures, InboxFigures } from "../condition/measured.ts";
import { type ModulesAtWork, totalsByName } from "../filter/module/name-totals.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { losses } from "./reasons.ts";

/** What conditions may tell of a channel; undefined of none. */
export function channelFigures(channel: ChannelView | undefined): ChannelFigures | undefined {
  if (channel === undefined) return undefined;
  const dropped = losses.reduce((sum, { dropped: reason }) => sum + channel.lost(reason), 0);
  return { sinks: channel.sinks(), events: channel.sequence(), dropped };
}

/** What they may tell of an inbox; undefined of none. @param channel Whose misses count; absent: those of all. */
export function inboxFigures(view: MailboxView | undefined, channel?: string): InboxFigures | undefined {
  if (view === undefined) return undefined;
  const { id, events, bytes, unacknowledged } = view;
  let missed = 0;
  for (const join of view.joins())
    if (channel === undefined || join.channel === channel) missed += join.deadlines?.missed ?? 0;
  return { id, events, bytes, unacknowledged, missed, waits: view.waits() };
}

/** The inboxes that have joined a channel by its name, whatever else is in them. */
export function* inboxesOf(channel: string, views: Iterable<MailboxView>): Generator<InboxFigures> {
  for (const view of views) {
    let isJoined = false;
    for (const join of view.joins()) isJoined ||= join.channel === channel;
    const figures = isJoined ? inboxFigures(view, channel) : undefined;
    if (figures !== undefined) yield figures;
  }
}

/** What they may tell of a filter module, all its versions together; undefined where none of that name was bound. */
export function filterFigures(name: string, modules: ModulesAtWork | undefined): FilterFigures | undefined {
  const counters = totalsByName(modules).get(name)?.counters;
  if (counters === undefined) return undefined;
  const faults = Object.values(counters.faults).reduce((sum, count) => sum + count, 0);
  return { faults, events: counters.events, us: counters.ns / 1_000 };
}
