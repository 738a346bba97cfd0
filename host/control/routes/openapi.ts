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
  tags: { name: string; description: string }[];
}

/** Chapters of the reference, in order; the first whose pattern fits a path takes its routes. */
const chapters: ReadonlyArray<{ readonly name: string; readonly description: string; readonly paths: RegExp }> = [
  {
    name: "Events",
    description: "Publishing, subscribing, why and when",
    paths: /^\/v1\/channels\/\{channel\}\/(events|explain|trace)$|^\/v1\/traces$/,
  },
  { name: "Channels", description: "Streams of events, by name", paths: /^\/v1\/channels(\/\{channel\})?$/ },
  {
    name: "Filters",
    description: "Who gets the events of a channel",
    paths: /^\/v1\/channels\/\{channel\}\/filters\//,
  },
  { name: "Filter modules", description: "WebAssembly that decides who gets an event", paths: /^\/v1\/filters/ },
  { name: "Members", description: "Sources and sinks of a channel", paths: /^\/v1\/channels\/\{channel\}\/members/ },
  { name: "Templates", description: "Settings of channels that come later", paths: /^\/v1\/templates/ },
  { name: "Conditions", description: "What the system measures, and what others tell it", paths: /^\/v1\/conditions/ },
  {
    name: "Contracts",
    description: "Regions of operation, and what is done between them",
    paths: /^\/v1\/(contracts|schemas\/contract)/,
  },
  { name: "Inboxes", description: "Deliveries that wait until they are asked for", paths: /^\/v1\/inboxes/ },
  { name: "Test controls", description: "Only with SLUICE_TEST_CONTROLS=1", paths: /^\/v1\/test\// },
  { name: "Host", description: "What runs here, and how it is", paths: /^/ },
];

/**
 * Adds the route; last, because it describes those before it.
 *
 * @param describe Makes the document of all registered routes.
 */
export function addOpenapiRoute(
  app: ControlApp,
  describe: (head: DocumentHead) => { readonly paths?: Readonly<Record<string, object>> },
): void {
  const description = "Event channels: the control plane of one host";
  const tags = chapters.map(({ name, description }) => ({ name, description }));
  let text: string | undefined;
  app.route(openapi, (context) => {
    // Made at the first request and never changes: routes are all added at the start.
    text ??= JSON.stringify(
      inChapters(
        describe({ openapi: "3.1.0", info: { title: "Sluice", version: app.info.version, description }, tags }),
      ),
    );
    return context.body(text, 200, { "Content-Type": "application/json" });
  });
}

/** Gives every operation its chapter: a reader who looks for inboxes finds them together. */
function inChapters(document: { readonly paths?: Readonly<Record<string, object>> }): object {
  const paths = Object.entries(document.paths ?? {}).map(([path, operations]) => {
    const tags = chapters.filter((chapter) => chapter.paths.test(path)).map(({ name }) => name);
    const tagged = Object.entries(operations).map(([method, operation]) => [
      method,
      { ...operation, tags: tags.slice(0, 1) },
    ]);
    return [path, Object.fromEntries(tagged)];
  });
  return { ...document, paths: Object.fromEntries(paths) };
}
