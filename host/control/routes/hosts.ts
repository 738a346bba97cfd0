/** `/v1/hosts`: the hosts of the group. There is one, until hosts form groups. */
import { createRoute, z } from "@hono/zod-openapi";
import { pageFrom, pageQuery, pageSchema, readPage } from "../list.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const LIST = "hosts";

const hostSchema = z
  .object({
    id: z.string(),
    url: z.string().nullable().openapi({ description: "Where others reach its HTTP" }),
    state: z.enum(["alive", "suspect", "left", "dead"]),
    self: z.boolean().openapi({ description: "It is the one that answers" }),
    joinedAt: z.iso.datetime(),
    links: z.array(z.unknown()),
  })
  .meta({ id: "Host" });

const list = createRoute({
  method: "get",
  path: "/v1/hosts",
  summary: "Lists the hosts of the group and their links",
  request: { query: pageQuery },
  responses: {
    200: { description: "One page", content: jsonContent(pageSchema(hostSchema)) },
    ...problemAnswers(400, 422),
  },
});

/** Adds the route. */
export function addHostRoutes(app: ControlApp): void {
  const { service, info } = app;
  app.route(list, (context) => {
    const self = {
      id: service.hostId,
      url: info.url ?? null,
      state: "alive" as const,
      self: true,
      joinedAt: new Date(service.startedAt).toISOString(),
      links: [],
    };
    return context.json(pageFrom([self], readPage(context, app, LIST), app, LIST, ({ id }) => id));
  });
}
