/** `/v1/conditions`: what the system measures, and what others tell it (host/condition/). */
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith, resourceName } from "../../check.ts";
import type { ConditionChange, ConditionReading } from "../../condition/conditions.ts";
import { conditionSchema, scalarSchema } from "../../condition/schema.ts";
import { assertPreconditions, etagOf, isUnchanged } from "../etag.ts";
import { pageFrom, pageQuery, pageSchema, readPage } from "../list.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const LIST = "conditions";
const path = "/v1/conditions/{condition}";
const shown = conditionSchema.meta({ id: "Condition" });
const params = z.object({
  condition: z.string().openapi({ param: { name: "condition", in: "path" }, example: "web.latency" }),
});

const added = z.strictObject({ add: z.number() });
const changeSchema = z
  .union([z.strictObject({ value: scalarSchema }), added])
  .meta({ id: "ConditionChange" })
  .describe("A value to set, or an amount to add: to a counter, a window, a rate; a sample for an average");
const patchSchema = z
  .strictObject({
    values: z
      .record(z.string(), z.union([scalarSchema, added]))
      .describe('By condition: a value to set, or `{ "add": n }`'),
  })
  .meta({ id: "ConditionChanges" });
const reading = z
  .object({ value: scalarSchema.nullable(), at: z.iso.datetime(), kind: z.string() })
  .meta({ id: "ConditionReading" });

const routes = {
  list: createRoute({
    method: "get",
    path: "/v1/conditions",
    summary: "Lists conditions with their values by name",
    request: { query: pageQuery },
    responses: {
      200: { description: "One page", content: jsonContent(pageSchema(shown)) },
      ...problemAnswers(400, 422),
    },
  }),
  patch: createRoute({
    method: "patch",
    path: "/v1/conditions",
    summary: "Changes several conditions at once",
    description: "All of them or none: nobody sees one changed and another not.",
    request: { body: { content: jsonContent(patchSchema), required: true } },
    responses: {
      200: { description: "Changed", content: jsonContent(z.object({ values: z.record(z.string(), reading) })) },
      ...problemAnswers(400, 404, 413, 415, 422, 503),
    },
  }),
  get: createRoute({
    method: "get",
    path,
    summary: "Shows a condition with its value",
    request: { params },
    responses: {
      200: { description: "The condition", content: jsonContent(shown) },
      304: { description: "Unchanged, its value too" },
      ...problemAnswers(400, 404, 422),
    },
  }),
  put: createRoute({
    method: "put",
    path,
    summary: "Creates or replaces a condition",
    description: "One that is defined so already keeps its value; replaced, it begins anew.",
    request: { params, body: { content: jsonContent(shown), required: true } },
    responses: {
      200: { description: "Replaced, or as it was", content: jsonContent(shown) },
      201: { description: "Created; Location says where", content: jsonContent(shown) },
      ...problemAnswers(400, 403, 412, 413, 415, 422, 503),
    },
  }),
  write: createRoute({
    method: "put",
    path: `${path}/value`,
    summary: "Sets a condition, or adds to it",
    description: "A value equal to the present one is no change: nothing is set off by it.",
    request: { params, body: { content: jsonContent(changeSchema), required: true } },
    responses: {
      200: { description: "Changed", content: jsonContent(reading) },
      ...problemAnswers(400, 404, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Removes a condition from which nothing follows",
    request: { params },
    responses: { 204: { description: "Removed" }, ...problemAnswers(400, 404, 409, 412, 422, 503) },
  }),
};

/** Adds the routes. */
export function addConditionRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const { conditions } = service;
  const bodyOf = (context: ControlContext) => readJsonBody(context, limits.bodyBytes, ["application/json"]);

  app.route(routes.list, (context) => {
    const page = pageFrom(conditions.list(), readPage(context, app, LIST), app, LIST, ({ name }) => name);
    return context.json({ data: page.data.map(({ name }) => resourceOf(conditions.read(name))), next: page.next });
  });

  app.route(routes.patch, async (context) => {
    readQuery(context, []);
    const { values } = checkWith(patchSchema, await bodyOf(context));
    const changes = Object.entries(values).map(([name, given]): readonly [string, ConditionChange] => [
      name,
      typeof given === "object" ? given : { value: given },
    ]);
    conditions.change(changes);
    const read = changes.map(([name]) => [name, readingOf(conditions.read(name))]);
    return context.json({ values: Object.fromEntries(read) });
  });

  app.route(routes.get, (context) => {
    const resource = resourceOf(conditions.read(nameOf(context)));
    readQuery(context, []);
    const etag = etagOf(resource);
    if (isUnchanged(context, etag)) return context.body(null, 304, { ETag: etag });
    return context.json(resource, 200, { ETag: etag });
  });

  app.route(routes.put, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const definition = conditions.definitionFrom(await bodyOf(context), name);
    // Nothing is awaited between the comparison and the change.
    const present = conditions.get(name);
    assertPreconditions(context, name, present && etagOf(resourceOf(conditions.read(name))));
    const created = conditions.put(name, definition);
    await app.persisted();
    const resource = resourceOf(conditions.read(name));
    const headers = { ETag: etagOf(resource) };
    if (!created) return context.json(resource, 200, headers);
    return context.json(resource, 201, { ...headers, Location: `/v1/conditions/${name}` });
  });

  app.route(routes.write, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const body = await bodyOf(context);
    // Which of the two it is decides what is wrong with it.
    const isAdded = typeof body === "object" && body !== null && "add" in body;
    const change = isAdded ? checkWith(added, body) : checkWith(z.strictObject({ value: scalarSchema }), body);
    conditions.change([[name, change]]);
    return context.json(readingOf(conditions.read(name)));
  });

  app.route(routes.delete, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    assertPreconditions(context, name, etagOf(resourceOf(conditions.read(name))));
    conditions.remove(name);
    await app.persisted();
    return context.body(null, 204);
  });
}

/** The name in the address. @throws {SluiceError} `invalid_value` for what cannot be one. */
function nameOf(context: ControlContext): string {
  return checkWith(resourceName, context.req.param("condition") ?? "", ["condition"]);
}

function resourceOf(condition: ConditionReading): object {
  const { name, definition, holders, problem } = condition;
  return {
    name,
    ...definition,
    ...readingOf(condition),
    ...(holders === undefined ? {} : { holders }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function readingOf({ value, at, definition }: ConditionReading): object {
  return { value: value ?? null, at: new Date(at).toISOString(), kind: definition.kind };
}
