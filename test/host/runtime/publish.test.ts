/** Publishes over real connections: the fast way, what it leaves to the app, and many requests on one connection. */
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveHost } from "../../../host/runtime/node.ts";
import { rawRequest } from "../support/request.ts";
import { until } from "../support/until.ts";

async function serve() {
  const host = await serveHost({ listen: "127.0.0.1:0", tcp: null });
  onTestFinished(() => host.close());
  return { host, port: Number(new URL(host.url).port) };
}

const post = (body: string, more = "", length = Buffer.byteLength(body)) =>
  `POST /v1/channels/c/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n${body}`;

describe("POST over node:http", () => {
  test("answers with all that an answer needs", async () => {
    const { port } = await serve();
    const answer = await rawRequest(port, post('{"type":"t","id":"ä"}'));
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
      "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      date: expect.any(String),
      connection: "keep-alive",
    });
    const text = Buffer.from(answer.body, "latin1").toString();
    expect(JSON.parse(text)).toEqual({ results: [{ id: "ä", sequence: 1, epoch: 1, sinks: 0, hosts: 0 }] });
  });

  test.each([
    ["no JSON", '{"type":', 400, "malformed"],
    ["an unknown field", '{"type":"t","colour":1}', 400, "unknown_field"],
    ["nothing", "", 400, "malformed"],
  ])("leaves a body with %s to the app, which says what is wrong", async (_name, body, status, code) => {
    const { port } = await serve();
    const answer = await rawRequest(port, post(body));
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([status, code]);
  });

  test("takes requests that come in pieces, and several at once on one connection", async () => {
    const { port } = await serve();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    onTestFinished(() => void socket.destroy());
    let all = "";
    socket.on("data", (chunk) => {
      all += chunk.toString("latin1");
    });
    const large = post(`{"type":"t","data":"${"x".repeat(200_000)}"}`);
    const wrong = post("{");
    const bytes = post('{"type":"t"}') + large + wrong + post('[{"type":"t"},{"type":"t"}]');
    for (let at = 0; at < bytes.length; at += 7_919) {
      socket.write(bytes.slice(at, at + 7_919));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const statuses = () => [...all.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
    await until(
      () => statuses().length === 4 && all.includes('"sequence":4'),
      () => all,
    );
    expect(statuses()).toEqual([200, 200, 400, 200]);
  });

  test("publishes nothing of a request whose client breaks off", async () => {
    const { host, port } = await serve();
    const socket = connect(port, "127.0.0.1");
    socket.write(post('{"type":"t"}', "", 100));
    await until(
      () => socket.bytesWritten > 100,
      () => "the request",
    );
    socket.resetAndDestroy();
    const answer = await rawRequest(port, post('{"type":"t"}'));
    expect(JSON.parse(answer.body).results).toMatchObject([{ sequence: 1 }]);
    expect(host.service.channels.get("c")?.sequence()).toBe(1);
  });
});
