/**
 * `/v1/filters`: filter modules, uploaded under a name and kept in versions.
 *
 * The tag of a name and of a version is the digest, so that a module is put back only over the one that was looked at.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith, resourceName } from "../../check.ts";
import { countersView, type NameTotals, totalsByName } from "../../filter/module/name-totals.ts";
import { type FilterRegistry, type FilterVersion, filtersOf } from "../../filter/registry/registry.ts";
import { digestSchema } from "../../filter/schema.ts";
import { assertPreconditions, isUnchanged } from "../etag.ts";
import { pageFrom, pageQuery, readPage } from "../list.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import { readUpload } from "../upload.ts";
import { filterSchema, logSchema, versionSchema } from "./filter-view.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const LIST = "filters";
const path = "/v1/filters/{filter}";
const filterParams = z.object({
  filter: z.string().openapi({ param: { name: "filter", in: "path" }, example: "least-loaded" }),
});
const versionParams = filterParams.extend({
  digest: z.string().openapi({ param: { name: "digest", in: "path" }, description: "Such as `sha256:…`" }),
});
const rollbackSchema = z.strictObject({
  digest: digestSchema.optional().describe("Which version; absent: the one that was current before"),
});
/** Any bytes; what they must be is the instrumenter's to say. */
const bytes = { schema: z.any().openapi({ type: "string", format: "binary" }) };

const routes = {
  list: createRoute({
    method: "get",
    path: "/v1/filters",
    summary: "Lists filter modules by name, each as its current version",
    request: { query: pageQuery },
    responses: {
      200: {
        description: "One page",
        content: jsonContent(z.object({ data: z.array(filterSchema), next: z.string().nullable() })),
      },
      ...problemAnswers(400, 422),
    },
  }),
  get: createRoute({
    method: "get",
    path,
    summary: "Shows a filter module: its current version, where it is bound, what it has done",
    request: { params: filterParams },
    responses: {
      200: { description: "The filter module", content: jsonContent(filterSchema) },
      ...problemAnswers(400, 404, 422),
    },
  }),
  put: createRoute({
    method: "put",
    path,
    summary: "Uploads a filter module and makes it the current version of its name",
    description:
      "The module is checked, instrumented, compiled and tried before it is taken; bindings without a `digest` switch to it " +
      "between two events. One that the name has already becomes current again. With `multipart/form-data`, the part " +
      "`module` is the file and the part `manifest` its manifest, which is put into the module as the custom section " +
      "`sluice.manifest`: the digest is that of the whole.",
    request: {
      params: filterParams,
      body: {
        content: {
          "application/wasm": bytes,
          "multipart/form-data": { schema: z.object({ module: bytes.schema, manifest: z.string().optional() }) },
        },
        required: true,
      },
    },
    responses: {
      200: { description: "Known, and current now", content: jsonContent(versionSchema) },
      201: { description: "Taken; Location says where", content: jsonContent(versionSchema) },
      ...problemAnswers(400, 409, 412, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Removes a filter module with all its versions",
    request: { params: filterParams },
    responses: { 204: { description: "Removed" }, ...problemAnswers(400, 404, 409, 412, 422, 503) },
  }),
  rollback: createRoute({
    method: "post",
    path: `${path}/rollback`,
    summary: "Makes the version current again that was so before, or another one",
    request: { params: filterParams, body: { content: jsonContent(rollbackSchema) } },
    responses: {
      200: { description: "The version that is current now", content: jsonContent(versionSchema) },
      ...problemAnswers(400, 404, 409, 412, 413, 415, 422, 503),
    },
  }),
  logs: createRoute({
    method: "get",
    path: `${path}/logs`,
    summary: "Lists what a filter module said of late, and what was said of it",
    request: { params: filterParams },
    responses: {
      200: { description: "The oldest line first", content: jsonContent(logSchema) },
      ...problemAnswers(400, 404, 422),
    },
  }),
  versions: createRoute({
    method: "get",
    path: `${path}/versions`,
    summary: "Lists the versions of a filter module, the newest first",
    request: { params: filterParams, query: pageQuery },
    responses: {
      200: {
        description: "One page",
        content: jsonContent(z.object({ data: z.array(versionSchema), next: z.string().nullable() })),
      },
      ...problemAnswers(400, 404, 422),
    },
  }),
  version: createRoute({
    method: "get",
    path: `${path}/versions/{digest}`,
    summary: "Shows a version, or with `Accept: application/wasm` gives back the module",
    request: { params: versionParams },
    responses: {
      200: { description: "The version", content: { ...jsonContent(versionSchema), "application/wasm": bytes } },
      304: { description: "Unchanged" },
      ...problemAnswers(400, 404, 422, 503),
    },
  }),
  deleteVersion: createRoute({
    method: "delete",
    path: `${path}/versions/{digest}`,
    summary: "Removes a version; with the last one goes the name",
    request: { params: versionParams },
    responses: { 204: { description: "Removed" }, ...problemAnswers(400, 404, 409, 412, 422, 503) },
  }),
};

/** Adds the routes. */
export function addFilterModuleRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const { filters } = service;

  app.route(routes.list, (context) => {
    const page = pageFrom(filters?.list() ?? [], readPage(context, app, LIST), app, LIST, ({ name }) => name);
    const totals = totalsByName(service.modules);
    return context.json({ data: page.data.map((one) => filterView(one, totals)), next: page.next });
  });

  app.route(routes.get, (context) => {
    const version = known(context);
    readQuery(context, []);
    return context.json(filterView(version, totalsByName(service.modules)), 200, { ETag: tagOf(version) });
  });

  app.route(routes.put, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const registry = present();
    const content = await readUpload(context);
    const { created, version } = await registry.put(name, content, (current) =>
      assertPreconditions(context, name, current && tagOf(current)),
    );
    const headers = { ETag: tagOf(version) };
    if (!created) return context.json(viewOf(version), 200, headers);
    const location = `/v1/filters/${name}/versions/${version.digest}`;
    return context.json(viewOf(version), 201, { ...headers, Location: location });
  });

  app.route(routes.delete, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    await present().remove(name, (current) => assertPreconditions(context, name, tagOf(current)));
    return context.body(null, 204);
  });

  app.route(routes.rollback, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const body = await readJsonBody(context, limits.bodyBytes, ["application/json"]);
    const { digest } = checkWith(rollbackSchema, body);
    // Nothing is awaited between the comparison and the change.
    const current = known(context);
    assertPreconditions(context, name, tagOf(current));
    const version = present().goBack(name, digest);
    await app.persisted();
    return context.json(viewOf(version), 200, { ETag: tagOf(version) });
  });

  app.route(routes.logs, (context) => {
    const { name } = known(context);
    readQuery(context, []);
    const data = present()
      .lines(name)
      .map(({ at, ...line }) => ({ at: new Date(at).toISOString(), ...line }));
    return context.json({ data, next: null });
  });

  app.route(routes.versions, (context) => {
    const { name } = known(context);
    const list = `${LIST}/${name}`;
    const found = present().versions(name);
    const page = pageFrom(found, readPage(context, app, list), app, list, newestFirst);
    return context.json({ data: page.data.map(viewOf), next: page.next });
  });

  app.route(routes.version, async (context) => {
    const version = known(context, digestOf(context));
    readQuery(context, []);
    const headers = { ETag: tagOf(version), Vary: "Accept" };
    if (!(context.req.header("accept") ?? "").includes("application/wasm")) {
      return context.json(viewOf(version), 200, headers);
    }
    if (isUnchanged(context, tagOf(version))) return context.body(null, 304, headers);
    const content = await present().content(version.name, version.digest);
    return context.body(content as Uint8Array<ArrayBuffer>, 200, { ...headers, "Content-Type": "application/wasm" });
  });

  app.route(routes.deleteVersion, async (context) => {
    const name = nameOf(context);
    const digest = digestOf(context);
    readQuery(context, []);
    await present().removeVersion(name, digest, (version) => assertPreconditions(context, digest, tagOf(version)));
    return context.body(null, 204);
  });

  /** @throws {SluiceError} `not_supported` where this host takes no modules. */
  function present(): FilterRegistry {
    return filtersOf(filters);
  }

  function known(context: ControlContext, digest?: string): FilterVersion {
    return present().get(nameOf(context), digest);
  }

  function viewOf(version: FilterVersion) {
    return present().view(version);
  }

  function filterView({ name }: FilterVersion, totals: ReadonlyMap<string, NameTotals>) {
    return { ...present().viewOfName(name), counters: countersView(totals.get(name)) };
  }
}

/** The name in the address. @throws {SluiceError} `invalid_value` for what cannot be one. */
function nameOf(context: ControlContext): string {
  return checkWith(resourceName, context.req.param("filter") ?? "", ["filter"]);
}

/** The digest in the address. @throws {SluiceError} `invalid_value` for what cannot be one. */
function digestOf(context: ControlContext): string {
  return checkWith(digestSchema, context.req.param("digest") ?? "", ["digest"]);
}

function tagOf({ digest }: FilterVersion): string {
  return `"${digest}"`;
}

/** Lists are in the order of texts. */
function newestFirst({ version }: FilterVersion): string {
  return String(Number.MAX_SAFE_INTEGER - version);
}
