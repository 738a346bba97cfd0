/** `/openapi.json`: the description of all routes, OpenAPI 3.1. */
import { createRoute, z } from "@hono/zod-openapi";
import { type ControlApp, jsonContent } from "./kit.ts";

const openapi = createRoute({
  method: "get",
  path: "/openapi.json",
  summary: "This description",
  responses: { 200: { description: "OpenAPI 3.1", content: jsonContent(z.object({})) } },
});

/** What stands at the top of the document. */
export interface DocumentHead {
  openapi: string;
  info: { title: string; version: string; description: string };
}

/**
 * Adds the route; last, because it describes those before it.
 *
 * @param describe Makes the document of all registered routes.
 */
export function addOpenapiRoute(app: ControlApp, describe: (head: DocumentHead) => object): void {
  const description = "Event channels: the control plane of one host";
  let text: string | undefined;
  app.route(openapi, (context) => {
    // Made at the first request and never changes: routes are all added at the start.
    text ??= JSON.stringify(
      describe({ openapi: "3.1.0", info: { title: "Sluice", version: app.info.version, description } }),
    );
    return context.body(text, 200, { "Content-Type": "application/json" });
  });
}
