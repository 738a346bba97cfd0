/**
 * `/v1/stats`: what is counted, in total and per channel and mailbox. For people and scripts; `/metrics` is for scrapers,
 * and has no labels of which there may be a hundred thousand.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { SluiceError } from "../../errors.ts";
import { sumOf } from "../../filter/bound.ts";
import type { Stage } from "../../filter/schema.ts";
import { bindingSummary } from "../../filter/summary.ts";
import type { MailboxView } from "../../session/mailbox-view.ts";
import { losses } from "../../session/reasons.ts";
import { pageFrom, pageQuery, pageWanted } from "../list.ts";
import { readQuery } from "../request.ts";
import type { ControlChannel } from "../service.ts";
import { countersSchema } from "./filters.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const lists = ["channels", "inboxes"] as const;

const filterStats = countersSchema.omit({ route: true }).extend({ summary: z.string() });
const channelStats = z.object({
  name: z.string(),
  sinks: z.int(),
  sources: z.int(),
  sequence: z.int().openapi({ description: "Events sequenced in this epoch" }),
  stored: z.int().openapi({ description: "Events that its store holds now" }),
  dropped: z
    .object(Object.fromEntries(losses.map(({ word }) => [word, z.int()])))
    .openapi({ description: "Events that its sinks lost in this epoch, by reason" }),
  filters: z.object({ in: filterStats.nullable(), out: filterStats.nullable() }).openapi({
    description: "What its filters have decided, all routes together; `/filters` has each",
  }),
});
const inboxStats = z.object({
  id: z.string(),
  kind: z.string(),
  held: z.boolean(),
  events: z.int().openapi({ description: "Events that wait in it now" }),
  bytes: z.int(),
});
const page = <Schema extends z.ZodType>(entry: Schema) =>
  z.object({ data: z.array(entry), next: z.string().nullable() });
const statsSchema = z
  .object({
    host: z.string(),
    epoch: z.int(),
    at: z.iso.datetime(),
    uptimeMs: z.int(),
    totals: z.record(z.string(), z.number()).openapi({ description: "What ends in Total only grows" }),
    channels: page(channelStats),
    inboxes: page(inboxStats),
  })
  .meta({ id: "Stats" });

const stats = createRoute({
  method: "get",
  path: "/v1/stats",
  summary: "Counters in total, per channel and per mailbox",
  description:
    "Without `of`: the totals and the first page of each list. With it: one list alone, which `cursor` goes on with.",
  request: { query: pageQuery.extend({ of: z.enum(lists).optional() }) },
  responses: {
    200: {
      description: "Counters, or one page of a list",
      content: jsonContent(z.union([statsSchema, page(z.union([channelStats, inboxStats]))])),
    },
    ...problemAnswers(400, 422),
  },
});

/** Adds the route. */
export function addStatsRoutes(app: ControlApp): void {
  const { service, clock } = app;

  app.route(stats, (context) => {
    const query = readQuery(context, ["of", "limit", "cursor"]);
    const pages = {
      channels: () => pageOf("channels", query, service.channels.list(), ({ name }) => name, channelView),
      inboxes: () => pageOf("inboxes", query, service.inboxes.list(), ({ id }) => id, inboxView),
    };
    const { of } = query;
    if (of !== undefined) {
      const list = lists.find((known) => known === of);
      if (list === undefined) throw unknownList(of);
      return context.json(pages[list]());
    }
    if (query.cursor !== undefined) throw unknownList(undefined);
    const now = clock.now();
    return context.json({
      host: service.hostId,
      epoch: service.epoch,
      at: new Date(now).toISOString(),
      uptimeMs: Math.max(0, Math.floor(now - service.startedAt)),
      totals: service.statistics(),
      channels: pages.channels(),
      inboxes: pages.inboxes(),
    });
  });

  function pageOf<Entry>(
    of: (typeof lists)[number],
    query: { readonly limit?: string; readonly cursor?: string },
    entries: Iterable<Entry>,
    positionOf: (entry: Entry) => string,
    view: (entry: Entry) => object,
  ) {
    const list = `stats/${of}`;
    const found = pageFrom(entries, pageWanted(query, app, list), app, list, positionOf);
    return { data: found.data.map(view), next: found.next };
  }
}

function channelView(channel: ControlChannel) {
  const { name } = channel;
  const [sinks, sources] = [channel.sinks(), channel.sources()];
  const dropped = Object.fromEntries(losses.map(({ word, dropped: reason }) => [word, channel.lost(reason)]));
  return {
    name,
    sinks,
    sources,
    sequence: channel.sequence(),
    stored: channel.stored(),
    dropped,
    filters: filtersView(channel),
  };
}

function filtersView(channel: ControlChannel) {
  const { filters } = channel.inForce;
  const view = (stage: Stage) =>
    filters[stage] && { summary: bindingSummary(filters[stage]), ...sumOf(channel.routeCounters(stage)) };
  return { in: view("in"), out: view("out") };
}

function inboxView({ id, kind, held, events, bytes }: MailboxView) {
  return { id, kind, held, events, bytes };
}

function unknownList(of: string | undefined): SluiceError {
  const shown = of === undefined ? "query.cursor without query.of" : `query.of ${JSON.stringify(of.slice(0, 32))}`;
  return new SluiceError("invalid_value", `Cannot take ${shown}, query.of must be one of ${lists.join(", ")}`, {
    value: of?.slice(0, 32) ?? "query.cursor",
    limit: lists,
  });
}
