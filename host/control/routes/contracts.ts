/** `/v1/contracts`: regions of operation over conditions, and what is done between them (host/contract/). */
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith, resourceName } from "../../check.ts";
import { scalarSchema } from "../../condition/schema.ts";
import { type ContractDocument, documentFromJson, publishedSchema } from "../../contract/document.ts";
import { contractJsonSchema } from "../../contract/json-schema.ts";
import type { ContractObserver } from "../../contract/observers.ts";
import { contractSchema } from "../../contract/schema.ts";
import { yamlFrom } from "../../contract/yaml.ts";
import { readDocument, wantsYaml, yamlTypes } from "../contract-body.ts";
import { assertPreconditions, etagOf } from "../etag.ts";
import { pageFrom, pageQuery, pageSchema, readPage } from "../list.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import { shownTransition, TransitionStreams } from "../transition-stream.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const LIST = "contracts";
const path = "/v1/contracts/{contract}";
const params = z.object({
  contract: z.string().openapi({ param: { name: "contract", in: "path" }, example: "responsiveness" }),
});
const snapshot = z.record(z.string(), z.union([z.boolean(), z.number(), z.string(), z.null()]));
const stateFields = {
  path: z.array(z.string()).describe("The active regions, outer to inner"),
  status: z.enum(["active", "no_region"]).describe("no_region: none of some level holds, and the path stays behind"),
  hits: z.record(z.string(), z.int()).describe("By region, such as `normal/idle`: evaluations in which it was active"),
  triggers: z.int().describe("How often it was marked"),
  evaluations: z.int(),
  snapshot: snapshot.describe("Values that the last evaluation saw, by the names of the contract"),
  warnings: z.array(z.string()).describe("What may be meant otherwise"),
  failures: z.int().describe("Actions that failed"),
  lastFailure: z.object({ action: z.string(), code: z.string(), detail: z.string() }).nullable(),
};
const shown = publishedSchema
  .extend({
    ...stateFields,
    resolved: contractSchema
      .omit({ name: true })
      .optional()
      .describe("Where it extends another one: what that makes of it"),
  })
  .meta({ id: "ContractState" });
const yamlContent = (schema: z.ZodType) => ({ ...jsonContent(schema), [yamlTypes[0]]: { schema } });
const transition = z
  .object({
    number: z.int().describe("Counts the transitions of the contract"),
    at: z.iso.datetime(),
    from: z.array(z.string()),
    to: z.array(z.string()),
    handlers: z.array(z.string()).describe("Transitions that were carried out, in their order"),
    why: z.object({ region: z.string(), when: z.string().nullable(), values: snapshot }),
  })
  .meta({ id: "ContractTransition" });

const routes = {
  list: createRoute({
    method: "get",
    path: "/v1/contracts",
    summary: "Lists contracts with their state by name",
    request: { query: pageQuery },
    responses: {
      200: { description: "One page", content: jsonContent(pageSchema(shown)) },
      ...problemAnswers(400, 422),
    },
  }),
  get: createRoute({
    method: "get",
    path,
    summary: "Shows a contract with its state",
    request: { params },
    responses: { 200: { description: "The contract", content: yamlContent(shown) }, ...problemAnswers(400, 404, 422) },
  }),
  put: createRoute({
    method: "put",
    path,
    summary: "Creates or replaces a contract",
    description:
      "Replaced, it keeps its counters, and its path where the regions are still there. What extends it is made anew. What GET " +
      "shows beside the definition is taken and forgotten.",
    request: { params, body: { content: yamlContent(publishedSchema), required: true } },
    responses: {
      200: { description: "Replaced", content: jsonContent(shown) },
      201: { description: "Created; Location says where", content: jsonContent(shown) },
      ...problemAnswers(400, 404, 409, 412, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Removes a contract",
    request: { params },
    responses: { 204: { description: "Removed" }, ...problemAnswers(400, 404, 409, 412, 422, 503) },
  }),
  evaluate: createRoute({
    method: "post",
    path: `${path}/evaluate`,
    summary: "Evaluates a contract now",
    request: { params },
    responses: {
      200: { description: "Its path", content: jsonContent(z.object({ path: z.array(z.string()) })) },
      ...problemAnswers(400, 404, 422, 503),
    },
  }),
  transitions: createRoute({
    method: "get",
    path: `${path}/transitions`,
    summary: "Shows the last transitions of a contract, the newest last; as server-sent events those to come",
    description:
      "As `text/event-stream`, each transition is one `data:` line. `Last-Event-ID` goes on behind it, as far as the history goes; `gap` " +
      "tells what is missing. `left` comes last where the contract is removed, `drain` where the host ends.",
    request: {
      params,
      headers: z.object({ "last-event-id": z.string().optional().openapi({ description: "Where a stream goes on" }) }),
    },
    responses: {
      200: {
        description: "The transitions",
        content: { ...jsonContent(pageSchema(transition)), "text/event-stream": { schema: z.string() } },
      },
      ...problemAnswers(400, 404, 422),
    },
  }),
};

const schema = createRoute({
  method: "get",
  path: "/v1/schemas/contract.json",
  summary: "JSON Schema of contracts, for editors",
  responses: {
    200: { description: "JSON Schema 2020-12", content: { "application/schema+json": { schema: z.object({}) } } },
  },
});

const planBody = z.strictObject({
  contract: z.unknown().optional().describe("The contract that would be put; absent: as it is"),
  values: z.record(z.string(), scalarSchema).default({}).describe("Of conditions, in place of those that they have"),
});
const plan = createRoute({
  method: "post",
  path: `${path}/plan`,
  summary: "Tells what a contract would do; nothing happens",
  request: { params, body: { content: jsonContent(planBody.meta({ id: "ContractPlanRequest" })) } },
  responses: {
    200: {
      description: "Where it would be, what it would carry out, and what that would change",
      content: jsonContent(
        z
          .object({
            path: z.object({ from: z.array(z.string()), to: z.array(z.string()) }),
            status: z.enum(["active", "no_region"]),
            handlers: z.array(z.string()),
            actions: z.array(z.looseObject({ mode: z.enum(["sync", "async"]) })),
            governs: z.array(
              z.object({
                kind: z.enum(["channel", "inbox"]),
                name: z.string(),
                changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
                problem: z.object({ code: z.string(), detail: z.string() }).optional(),
              }),
            ),
            snapshot,
          })
          .meta({ id: "ContractPlan" }),
      ),
    },
    ...problemAnswers(400, 404, 413, 415, 422, 503),
  },
});

/** Adds the routes. */
export function addContractRoutes(app: ControlApp): void {
  const { service, limits, clock } = app;
  const { contracts, contractDocuments: documents } = service;
  const streams = new TransitionStreams();

  /** A contract and its state. */
  const resourceOf = (name: string): object => {
    const { name: _name, definition, ...state } = contracts.read(name);
    const document = documentOf(name);
    const { warnings: told = [] } = documents.resolved(name) ?? {};
    const resolved = typeof document.extends === "string" ? { resolved: definition } : {};
    return { name, ...document, ...state, warnings: [...told, ...state.warnings], ...resolved };
  };
  /** One that was made within the process is its own document. */
  const documentOf = (name: string): ContractDocument =>
    documents.get(name) ?? (contracts.read(name).definition as ContractDocument);
  const etag = (name: string): string | undefined => {
    const present = documents.get(name) ?? contracts.definition(name);
    return present && etagOf(present);
  };

  app.route(routes.list, (context) => {
    const page = pageFrom(contracts.names(), readPage(context, app, LIST), app, LIST, (name) => name);
    return context.json({ data: page.data.map(resourceOf), next: page.next });
  });

  app.route(routes.get, (context) => {
    const name = nameOf(context);
    const resource = resourceOf(name);
    readQuery(context, []);
    const headers = { ETag: etagOf(documentOf(name)), Vary: "Accept" };
    if (!wantsYaml(context)) return context.json(resource, 200, headers);
    return context.body(yamlFrom(resource), 200, { ...headers, "Content-Type": yamlTypes[0] });
  });

  app.route(routes.put, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const created = await readDocument(context, limits.bodyBytes, (value) => {
      const document = documentFromJson(value, name);
      // Nothing is awaited between the comparison and the change.
      assertPreconditions(context, name, etag(name));
      return documents.put(name, document);
    });
    await app.persisted();
    const headers = { ETag: etagOf(documentOf(name)) };
    const resource = resourceOf(name);
    if (!created) return context.json(resource, 200, headers);
    return context.json(resource, 201, { ...headers, Location: `/v1/contracts/${name}` });
  });

  app.route(routes.delete, async (context) => {
    const name = nameOf(context);
    const { definition } = contracts.read(name);
    readQuery(context, []);
    assertPreconditions(context, name, etagOf(documents.get(name) ?? definition));
    documents.remove(name);
    await app.persisted();
    return context.body(null, 204);
  });

  app.route(routes.evaluate, (context) => {
    readQuery(context, []);
    return context.json({ path: contracts.evaluate(nameOf(context)) });
  });

  app.route(plan, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const isEmpty = context.req.header("content-type") === undefined;
    const body = isEmpty ? {} : await readJsonBody(context, limits.bodyBytes, ["application/json"]);
    const { contract, values } = checkWith(planBody, body);
    const coming = contract === undefined ? undefined : documents.preview(name, documentFromJson(contract, name));
    return context.json(contracts.plan(name, coming?.definition, values, coming?.own));
  });

  app.route(schema, (context) => {
    readQuery(context, []);
    const headers = { "Content-Type": "application/schema+json", "Cache-Control": "no-cache" };
    return context.body(JSON.stringify(contractJsonSchema()), 200, headers);
  });

  app.route(routes.transitions, (context) => {
    readQuery(context, []);
    const name = nameOf(context);
    const history = contracts.history(name);
    if (!/(^|[,\s])text\/event-stream\b/i.test(context.req.header("accept") ?? ""))
      return context.json({ data: history.map(shownTransition), next: null });
    const fields = { "Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no" };
    if (context.req.method === "HEAD") return context.body(null, 200, fields);
    const source = {
      history: () => history,
      series: `${service.startedAt.toString(36)}.${contracts.serial(name)}`,
      observe: (observer: ContractObserver) => service.regions.add(name, observer),
    };
    const stream = streams.open(source, {
      clock,
      pingMs: limits.pingMs,
      retryMs: limits.drainRetryMs,
      lastEventId: context.req.header("last-event-id"),
      gone: context.req.raw.signal,
    });
    return context.body(stream, 200, fields);
  });
}

/** The name in the address. @throws {SluiceError} `invalid_value` for what cannot be one. */
function nameOf(context: ControlContext): string {
  return checkWith(resourceName, context.req.param("contract") ?? "", ["contract"]);
}
