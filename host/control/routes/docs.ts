/**
 * `/docs`: the HTTP reference as pages that work without a network, the guides as they are (`/docs/quickstart.md`), and
 * `/llms.txt`, which leads to them: what a host says of itself is always of its own version.
 *
 * The page is swagger-ui over our own `/openapi.json`. Its two files are copied at build time and served from here, so that
 * neither a content delivery network nor a package at run time is needed; the policy below has browsers hold us to that.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { SluiceError } from "../../errors.ts";
import { etagOf, isUnchanged } from "../etag.ts";
import { type ControlContext, readQuery } from "../request.ts";
import { type ControlApp, problemAnswers } from "./kit.ts";

const MARKDOWN = "text/markdown; charset=utf-8";

/** Files that the build puts into `dist/docs/`, and their media types. */
export const docsFiles = Object.freeze({
  // Without a charset browsers read scripts of pages by guesswork, and swagger-ui does not survive that.
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui-bundle.js.LICENSE.txt": "text/plain; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  "llms.txt": "text/plain; charset=utf-8",
  "ARCHITECTURE.md": MARKDOWN,
  "concepts.md": MARKDOWN,
  "conditions.md": MARKDOWN,
  "contracts.md": MARKDOWN,
  "explain.md": MARKDOWN,
  "errors.md": MARKDOWN,
  "expressions.md": MARKDOWN,
  "delivery.md": MARKDOWN,
  "client.md": MARKDOWN,
  "embedding.md": MARKDOWN,
  "mailboxes.md": MARKDOWN,
  "frames.md": MARKDOWN,
  "http.md": MARKDOWN,
  "operating.md": MARKDOWN,
  "quickstart.md": MARKDOWN,
  "filters/abi.md": MARKDOWN,
  "filters/cost.md": MARKDOWN,
  "filters/threat-model.md": MARKDOWN,
  "filters/writing.md": MARKDOWN,
  "guides/first-response.md": MARKDOWN,
  "guides/geofence.md": MARKDOWN,
  "guides/least-loaded.md": MARKDOWN,
  "guides/n-of-m.md": MARKDOWN,
  "guides/orderings.md": MARKDOWN,
  "guides/queue-group.md": MARKDOWN,
  "guides/stale-load.md": MARKDOWN,
  "guides/sticky.md": MARKDOWN,
  "guides/tied-requests.md": MARKDOWN,
  "guides/who-gets-this-event.md": MARKDOWN,
} as const);

/** Name of such a file. */
export type DocsFile = keyof typeof docsFiles;

/** Reads one of them; undefined where this build has none. */
export type ReadDocs = (name: DocsFile) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** Nothing from elsewhere, and nowhere else: swagger-ui writes styles into elements, and has its icons as data. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice: HTTP reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"><noscript>This page needs JavaScript; <a href="/openapi.json">/openapi.json</a> says the same.</noscript></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** The default validator is a web service of others: it would be told where this host is. */
const START = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

const html = { "text/html": { schema: z.string() } };

const routes = {
  root: createRoute({
    method: "get",
    path: "/",
    summary: "Leads people who follow the address of a host to its pages",
    responses: { 302: { description: "To /docs" } },
  }),
  page: createRoute({
    method: "get",
    path: "/docs",
    summary: "This reference as pages",
    responses: { 200: { description: "A page", content: html }, ...problemAnswers(404) },
  }),
  file: createRoute({
    method: "get",
    path: "/docs/{file}",
    summary: "A guide, such as quickstart.md, or what the pages are made of",
    request: { params: z.object({ file: z.string() }) },
    responses: { 200: { description: "The file" }, 304: { description: "Unchanged" }, ...problemAnswers(404) },
  }),
  guide: createRoute({
    method: "get",
    path: "/docs/guides/{file}",
    summary: "A page of the guide to who gets an event",
    request: { params: z.object({ file: z.string() }) },
    responses: { 200: { description: "The file" }, 304: { description: "Unchanged" }, ...problemAnswers(404) },
  }),
  filters: createRoute({
    method: "get",
    path: "/docs/filters/{file}",
    summary: "A page about filters that are modules",
    request: { params: z.object({ file: z.string() }) },
    responses: { 200: { description: "The file" }, 304: { description: "Unchanged" }, ...problemAnswers(404) },
  }),
  llms: createRoute({
    method: "get",
    path: "/llms.txt",
    summary: "What language models should know about Sluice",
    responses: {
      200: { description: "Markdown", content: { "text/plain": { schema: z.string() } } },
      ...problemAnswers(404),
    },
  }),
};

/** Adds the routes. */
export function addDocsRoutes(app: ControlApp): void {
  app.route(routes.root, (context) => context.redirect("/docs", 302));

  app.route(routes.page, async (context) => {
    readQuery(context, []);
    // A page without its scripts would be a blank one: say what is missing instead.
    if ((await app.docs("swagger-ui-bundle.js")) === undefined) throw missing("/docs");
    return context.body(PAGE, 200, {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": POLICY,
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-cache",
    });
  });

  app.route(routes.file, async (context) => {
    const name = context.req.param("file") ?? "";
    if (name === "start.js") return send(context, START, docsFiles["swagger-ui-bundle.js"]);
    return await sendNamed(context, name);
  });

  app.route(routes.guide, (context) => sendNamed(context, `guides/${context.req.param("file") ?? ""}`));

  app.route(routes.filters, (context) => sendNamed(context, `filters/${context.req.param("file") ?? ""}`));

  app.route(routes.llms, (context) => sendFile(context, "llms.txt"));

  async function sendNamed(context: ControlContext, name: string): Promise<Response> {
    if (!Object.hasOwn(docsFiles, name)) throw missing(`/docs/${name.slice(0, 64)}`);
    return await sendFile(context, name as DocsFile);
  }

  async function sendFile(context: ControlContext, name: DocsFile): Promise<Response> {
    const bytes = await app.docs(name);
    if (bytes === undefined) throw missing(context.req.path.slice(0, 128));
    return send(context, bytes, docsFiles[name]);
  }

  /** The version stands for the content: a build changes none of them without being another build. */
  function send(context: ControlContext, body: string | Uint8Array<ArrayBuffer>, type: string): Response {
    const etag = etagOf([app.info.version, type, body.length]);
    const headers = { ETag: etag, "Cache-Control": "no-cache" };
    if (isUnchanged(context, etag)) return context.body(null, 304, headers);
    return context.body(body, 200, { ...headers, "Content-Type": type });
  }
}

function missing(path: string): SluiceError {
  return new SluiceError("not_found", `Cannot find ${path}, this build has no such page; /openapi.json says the same`, {
    value: path,
  });
}
