/**
 * Serves the page of this folder: `node examples/browser/serve.mjs [PORT]`, 8080 where neither that nor the variable PORT says.
 *
 * A page opened as a file has no origin that a host could know, so it needs some server; any will do that serves this
 * folder from this machine.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const page = readFileSync(new URL("index.html", import.meta.url));
const port = Number(process.argv[2] ?? process.env["PORT"] ?? 8080);

const server = createServer((request, response) => {
  const isPage = new URL(request.url ?? "/", "http://localhost").pathname === "/";
  response.writeHead(isPage ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
  response.end(isPage ? page : "There is only one page here.");
});
server.on("error", (error) => {
  console.error(`Cannot serve on port ${port}: ${error.message}. Name another: node examples/browser/serve.mjs 8081`);
  process.exitCode = 1;
});
server.listen(port, "127.0.0.1", () => {
  const address = server.address();
  console.log(`open http://127.0.0.1:${typeof address === "object" ? address?.port : port}/`);
});
