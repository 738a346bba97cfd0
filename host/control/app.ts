/**
 * The control plane: an HTTP app over a service, for every runtime. Each resource has its file in routes/.
 *
 * Routes are described by zod-openapi and checked by our own reader and schemas, so that a body is refused with the same
 * code and path whether it came over HTTP or a socket.
 */
import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Clients, unlimited } from "../clients.ts";
import { SluiceError, sluiceErrorFrom } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import { createAccess, preflightHeaders } from "./access.ts";
import { registerContractMetrics } from "./contract-metrics.ts";
import { createCursors } from "./cursor.ts";
import { createFastPublish, type FastPublish } from "./fast-publish.ts";
import { createGate, type GateRequest } from "./gate.ts";
import { registerModuleMetrics } from "./module-metrics.ts";
import { problemAnswer } from "./problem.ts";
import type { ControlContext, ControlEnv } from "./request.ts";
import { addCancelRoute } from "./routes/cancel.ts";
import { addChannelRoutes } from "./routes/channels.ts";
import { addConditionRoutes } from "./routes/conditions.ts";
import { addContractRoutes } from "./routes/contracts.ts";
import { addDocsRoutes } from "./routes/docs.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addExplainRoute } from "./routes/explain.ts";
import { addFilterModuleRoutes } from "./routes/filter-modules.ts";
import { addFilterRoutes } from "./routes/filters.ts";
import { addHostRoutes } from "./routes/hosts.ts";
import { addInboxEventRoutes } from "./routes/inbox-events.ts";
import { addInboxJoinRoutes } from "./routes/inbox-joins.ts";
import { addInboxRoutes } from "./routes/inboxes.ts";
import { addInfoRoutes } from "./routes/info.ts";
import { type ControlApp, type ControlOptions, problemAnswers } from "./routes/kit.ts";
import { addMemberRoutes } from "./routes/members.ts";
import { addOpenapiRoute } from "./routes/openapi.ts";
import { addStatsRoutes } from "./routes/stats.ts";
import { addSubscribeRoute } from "./routes/subscribe.ts";
import { addTemplateRoutes } from "./routes/templates.ts";
import { addTestRoutes } from "./routes/test-controls.ts";
import { addTraceRoutes } from "./routes/trace.ts";
import { registerFilterMetrics, registerInboxMetrics, registerServiceMetrics } from "./service-metrics.ts";

export type { ControlInfo, ControlOptions } from "./routes/kit.ts";
export type { ControlService } from "./service.ts";

/** A Hono app; its `fetch` answers requests, and every refusal is a problem (RFC 9457). */
export interface ControlPlane extends OpenAPIHono<ControlEnv> {
  /** The fast way for publishes; a runtime may ask it before it makes a Request for `fetch`. */
  readonly fastPublish: FastPublish;
}

/** Makes the app. */
export function createControlApp(options: ControlOptions): ControlPlane {
  const { service, log } = options;
  const hono = new OpenAPIHono<ControlEnv>();
  const methods = new Map<string, Set<string>>();

  const access = options.access ?? createAccess({ origins: [], loopback: true });
  const clients = options.clients ?? new Clients(unlimited, options.clock);
  const gate = createGate({ service, access, clients, requestId: options.requestId ?? (() => crypto.randomUUID()) });

  hono.use(async (context, next) => {
    const { req } = context;
    const request: GateRequest = {
      method: req.method,
      client: context.env?.client,
      // A request that never was on a wire has no Host.
      header: (name) => req.header(name) ?? (name === "host" ? new URL(req.url).host : undefined),
    };
    const { id, refusal } = gate(request, (name, value) => context.header(name, value));
    context.set("requestId", id);
    if (refusal !== undefined) {
      const answer = answerProblem(context, refusal);
      countAnswer(answer.status);
      return answer;
    }
    await next();
    countAnswer(context.res.status);
    return undefined;
  });

  // Handlers and middleware throw; this is the one place where that becomes an answer.
  hono.onError((thrown, context) => {
    const error = sluiceErrorFrom(thrown);
    if (error.code === "internal")
      log.error("request failed", { requestId: context.get("requestId"), path: context.req.path, error: thrown });
    return answerProblem(context, error);
  });

  hono.notFound((context) => {
    const path = context.req.path.slice(0, 256);
    return answerProblem(context, new SluiceError("not_found", `Cannot find anything at ${path}`, { value: path }));
  });

  const app: ControlApp = {
    persisted: async () => {},
    docs: async () => undefined,
    cursors: createCursors(service.hostId),
    ...options,
    access,
    clients,
    route(route: RouteConfig, handler) {
      hono.openAPIRegistry.registerPath({ ...route, responses: { ...problemAnswers(403, 429), ...route.responses } });
      const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
      hono.on(route.method.toUpperCase(), path, handler);
      const known = methods.get(path) ?? new Set<string>();
      methods.set(path, known.add(route.method.toUpperCase()));
    },
  };
  addInfoRoutes(app);
  addChannelRoutes(app);
  addEventRoutes(app);
  addSubscribeRoute(app);
  addCancelRoute(app);
  addExplainRoute(app);
  addTraceRoutes(app);
  addTemplateRoutes(app);
  addConditionRoutes(app);
  addContractRoutes(app);
  addFilterRoutes(app);
  addFilterModuleRoutes(app);
  addMemberRoutes(app);
  addHostRoutes(app);
  addStatsRoutes(app);
  addInboxRoutes(app);
  addInboxJoinRoutes(app);
  addInboxEventRoutes(app);
  addTestRoutes(app, options.testControls);
  addDocsRoutes(app);
  addOpenapiRoute(app, (head) => hono.getOpenAPI31Document({ ...head }));
  registerServiceMetrics(options.metrics, service);
  registerFilterMetrics(options.metrics, service);
  registerInboxMetrics(options.metrics, service);
  registerModuleMetrics(options.metrics, service);
  registerContractMetrics(options.metrics, service);
  const countAnswer = countAnswers(options.metrics);

  // Behind all routes: what comes here has a path that is known, and a method that is not.
  for (const [path, known] of methods) {
    if (known.has("GET")) known.add("HEAD");
    const allowed = [...known.add("OPTIONS")].sort();
    const allow = allowed.join(", ");
    hono.all(path, (context) => {
      const { method } = context.req;
      if (method === "OPTIONS") return context.body(null, 204, { Allow: allow, ...preflight(context, allowed) });
      const error = new SluiceError(
        "method_not_allowed",
        `Cannot ${method.slice(0, 32)} ${context.req.path.slice(0, 256)}, it takes ${allow}`,
        { value: method.slice(0, 32), limit: allowed },
      );
      return answerProblem(context, error, { Allow: allow });
    });
  }
  const fastPublish = createFastPublish({
    service,
    gate,
    countAnswer,
    bytesMax: options.limits.bodyBytes,
    onFault: (error, requestId) => log.error("request failed", { requestId, path: "fast publish", error }),
  });
  return Object.assign(hono, { fastPublish });
}

/** What a browser asks before it lets a page of another origin make a request; the gate has let that origin in. */
function preflight({ req }: ControlContext, methods: readonly string[]): Readonly<Record<string, string>> {
  if (req.header("origin") === undefined || req.header("access-control-request-method") === undefined) return {};
  const network = req.header("access-control-request-private-network") === "true";
  return preflightHeaders(methods, req.header("access-control-request-headers"), network);
}

/** Counts answers by their status, for /metrics. */
function countAnswers(metrics: Metrics): (status: number) => void {
  const counts = new Map<number, number>();
  metrics.counter("http_answers_total", "Answers of the control plane by status", () =>
    Array.from(counts, ([status, value]) => ({ labels: { status: String(status) }, value })),
  );
  return (status) => counts.set(status, (counts.get(status) ?? 0) + 1);
}

/** Answers with a problem. */
function answerProblem(context: ControlContext, error: SluiceError, headers: Record<string, string> = {}): Response {
  const answer = problemAnswer(error, context.get("requestId") ?? "");
  return context.body(answer.body, answer.status as ContentfulStatusCode, { ...answer.headers, ...headers });
}
