// The control for publishes over HTTP: the same framework on the same server, which reads a JSON body and answers with JSON
// of the size that Sluice answers with. It checks nothing and publishes nothing.
//
// Usage: node hono-json.mjs PORT.
import { serve } from "@hono/node-server";
import { Hono } from "hono";

let sequence = 0;
const app = new Hono();
app.post("/v1/channels/:channel/events", async (context) => {
  const event = await context.req.json();
  if (typeof event.type !== "string") return context.json({ error: "type" }, 422);
  sequence++;
  return context.json({
    results: [{ id: `0123456789ab-1-1-${sequence.toString(36)}`, sequence, epoch: 1, sinks: 0, hosts: 0 }],
  });
});
serve({ fetch: app.fetch, port: Number(process.argv[2]), hostname: "127.0.0.1" });
