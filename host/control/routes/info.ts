/**
 * `/v1/info`, the probes and `/metrics`.
 *
 * Probes and metrics stand outside `/v1`, where orchestrators and scrapers look for them. `live` says nothing about load or
 * peers on purpose: restarting a process does not cure those.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { SluiceError } from "../../errors.ts";
import { metricsContentType } from "../../metrics.ts";
import { readQuery } from "../request.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const infoSchema = z
  .object({
    version: z.string().describe("Of Sluice"),
    host: z.string().describe("Its id, which `--data` keeps"),
    epoch: z.int().describe("Incarnation of its core, to which sequences belong"),
    runtime: z.string().describe("Such as `node 20.20.2`"),
    startedAt: z.iso.datetime(),
    uptimeMs: z.int(),
    draining: z.boolean().describe("Whether it is going down and takes no more changes"),
    capabilities: z.record(z.string(), z.boolean()).describe("What it can do, by name"),
    configDigest: z.string().nullable().describe("Of its configuration, to compare hosts"),
    url: z.string().nullable().describe("Of its HTTP and WebSocket"),
    tcp: z.string().nullable().describe("Of its binary frames over TCP"),
    clients: z
      .object({ connections: z.int(), requests: z.int() })
      .describe("What one address may use: connections at a time, requests per second; 0: no limit"),
    limits: z.record(z.string(), z.number()).describe("All limits by name, see docs/operating.md"),
  })
  .meta({ id: "Info" });

/** What this version can do on every runtime; what it cannot yet is told too, so that clients need not guess by version. */
const abilities: Readonly<Record<string, boolean>> = {
  cloudevents: true,
  conditions: true,
  contracts: true,
  durable: false,
  explain: true,
  expressions: true,
  "filters.routes": true,
  "filters.upload": false,
  groups: false,
  inboxes: true,
  members: true,
  sse: true,
  store: true,
  templates: true,
};

const statusSchema = z.object({ status: z.literal("ok") });
const text = { "text/plain": { schema: z.string() } };

const routes = {
  info: createRoute({
    method: "get",
    path: "/v1/info",
    summary: "What runs here and what it can do",
    responses: { 200: { description: "The host", content: jsonContent(infoSchema) }, ...problemAnswers(400) },
  }),
  live: createRoute({
    method: "get",
    path: "/health/live",
    summary: "Whether the process works at all; restart it where this fails",
    responses: { 200: { description: "It does", content: jsonContent(statusSchema) } },
  }),
  ready: createRoute({
    method: "get",
    path: "/health/ready",
    summary: "Whether new clients are welcome",
    responses: { 200: { description: "They are", content: jsonContent(statusSchema) }, ...problemAnswers(503) },
  }),
  metrics: createRoute({
    method: "get",
    path: "/metrics",
    summary: "Measurements in the text format of Prometheus",
    responses: { 200: { description: "All metrics", content: text } },
  }),
};

/** Adds the routes. */
export function addInfoRoutes(app: ControlApp): void {
  const { service, info } = app;

  app.route(routes.info, (context) => {
    readQuery(context, []);
    return context.json({
      version: info.version,
      host: service.hostId,
      epoch: service.epoch,
      runtime: info.runtime,
      startedAt: new Date(service.startedAt).toISOString(),
      uptimeMs: Math.max(0, Math.floor(app.clock.now() - service.startedAt)),
      draining: service.draining,
      capabilities: { ...abilities, "channels.implicit": service.options.implicitChannels, ...info.capabilities },
      configDigest: info.configDigest ?? null,
      url: info.url ?? null,
      tcp: info.tcp ?? null,
      clients: app.clients.rules,
      limits: app.limits,
    });
  });

  app.route(routes.live, (context) => context.json({ status: "ok" }));

  app.route(routes.ready, (context) => {
    if (service.draining) throw new SluiceError("draining", "Cannot take new clients, the host is shutting down");
    return context.json({ status: "ok" });
  });

  app.route(routes.metrics, (context) => context.body(app.metrics.text(), 200, { "Content-Type": metricsContentType }));
}
