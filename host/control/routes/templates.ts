/** `/v1/templates`: defaults for channels whose name matches a pattern (host/channel/templates.ts). */
import { createRoute, z } from "@hono/zod-openapi";
import { moduleUses } from "../../channel/module-uses.ts";
import { type Template, templateFromJson, templateResource, templateSchema } from "../../channel/templates.ts";
import { checkWith, resourceName } from "../../check.ts";
import { SluiceError } from "../../errors.ts";
import { assertPreconditions, etagOf, isUnchanged } from "../etag.ts";
import { pageFrom, pageQuery, pageSchema, readPage } from "../list.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const LIST = "templates";
const path = "/v1/templates/{template}";
const shown = templateSchema.meta({ id: "Template" });
const params = z.object({
  template: z.string().openapi({ param: { name: "template", in: "path" }, example: "sensors" }),
});

const routes = {
  list: createRoute({
    method: "get",
    path: "/v1/templates",
    summary: "Lists templates by name",
    request: { query: pageQuery },
    responses: {
      200: { description: "One page", content: jsonContent(pageSchema(shown)) },
      ...problemAnswers(400, 422),
    },
  }),
  get: createRoute({
    method: "get",
    path,
    summary: "Shows a template",
    request: { params },
    responses: {
      200: { description: "The template", content: jsonContent(shown) },
      304: { description: "Unchanged" },
      ...problemAnswers(400, 404, 422),
    },
  }),
  put: createRoute({
    method: "put",
    path,
    summary: "Creates or replaces a template",
    description:
      "Counts for channels that come into being later, and for what later requests about a channel leave out. Of several " +
      "that match, the more specific one counts more, field by field.",
    request: { params, body: { content: jsonContent(shown), required: true } },
    responses: {
      200: { description: "Replaced", content: jsonContent(shown) },
      201: { description: "Created; Location says where", content: jsonContent(shown) },
      ...problemAnswers(400, 412, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Removes a template; channels keep what they have",
    request: { params },
    responses: { 204: { description: "Removed" }, ...problemAnswers(400, 404, 412, 422, 503) },
  }),
};

/** Adds the routes. */
export function addTemplateRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const { templates } = service;

  app.route(routes.list, (context) => {
    const page = pageFrom(templates.list(), readPage(context, app, LIST), app, LIST, ({ name }) => name);
    return context.json({ data: page.data.map(templateResource), next: page.next });
  });

  app.route(routes.get, (context) => {
    const template = known(nameOf(context));
    readQuery(context, []);
    const etag = tagOf(template);
    if (isUnchanged(context, etag)) return context.body(null, 304, { ETag: etag });
    return context.json(templateResource(template), 200, { ETag: etag });
  });

  app.route(routes.put, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const template = templateFromJson(await readJsonBody(context, limits.bodyBytes, ["application/json"]), name);
    assertBindable(template);
    // Nothing is awaited between the comparison and the change.
    const present = templates.get(name);
    assertPreconditions(context, name, present && tagOf(present));
    const created = templates.put(template);
    await app.persisted();
    const headers = { ETag: tagOf(template) };
    if (!created) return context.json(templateResource(template), 200, headers);
    return context.json(templateResource(template), 201, { ...headers, Location: `/v1/templates/${name}` });
  });

  app.route(routes.delete, async (context) => {
    const template = known(nameOf(context));
    readQuery(context, []);
    assertPreconditions(context, template.name, tagOf(template));
    templates.remove(template.name);
    await app.persisted();
    return context.body(null, 204);
  });

  /** A channel that is to come must find its module. @throws {SluiceError} `filter_unknown`, `invalid_value`. */
  function assertBindable(template: Template): void {
    for (const { module, digest, stage } of moduleUses([], [template]))
      if (service.filters !== undefined) service.filters.bindable(module, digest, stage);
  }

  function known(name: string): Template {
    const template = templates.get(name);
    if (template === undefined) throw new SluiceError("not_found", `Cannot find a template "${name}"`, { value: name });
    return template;
  }
}

/** The name in the address. @throws {SluiceError} `invalid_value` for what cannot be one. */
function nameOf(context: ControlContext): string {
  return checkWith(resourceName, context.req.param("template") ?? "", ["template"]);
}

function tagOf(template: Template): string {
  return etagOf(templateResource(template));
}
