/** Uploads over real sockets, looked at in a real worker: those that break off, that are too large, and many at a time. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { serveHost } from "../../../host/runtime/node.ts";
import type { ServedHost } from "../../../host/runtime/open-host.ts";
import { moduleWith } from "../filter/registry/modules.ts";
import { until } from "../support/until.ts";

let host: ServedHost;
beforeAll(async () => {
  host = await serveHost({
    listen: "127.0.0.1:0",
    tcp: null,
    options: { memoryBytes: 96 * 2 ** 20 },
    onFatal: () => {},
  });
});
afterAll(() => host.close());

const put = (name: string, body: BodyInit): Promise<Response> =>
  fetch(`${host.url}/v1/filters/${name}`, { method: "PUT", headers: { "content-type": "application/wasm" }, body });

describe("uploads", () => {
  test("that break off leave nothing behind", async () => {
    const module = moduleWith();
    const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
    const head = ["PUT /v1/filters/cut HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/wasm"];
    socket.write(`${[...head, `Content-Length: ${module.length}`].join("\r\n")}\r\n\r\n`);
    socket.end(module.subarray(0, module.length / 2));
    let closed = false;
    socket.on("close", () => {
      closed = true;
    });
    socket.resume();
    await until(
      () => closed,
      () => "the host hangs up",
    );
    expect(host.service.filters?.list()).toEqual([]);
    const whole = await put("cut", module as BodyInit);
    expect([whole.status, (await whole.json()).version]).toEqual([201, 1]);
  });

  test("of more than 8 MiB are refused as they come", async () => {
    const part = new Uint8Array(2 ** 20);
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += part.length;
        if (sent > limits.filterUploadBytes + part.length) controller.close();
        else controller.enqueue(part);
      },
    });
    const init = { method: "PUT", headers: { "content-type": "application/wasm" }, body, duplex: "half" };
    const { status } = await fetch(`${host.url}/v1/filters/large`, init as RequestInit);
    expect(status).toBe(413);
  });

  test("that come together are all answered, one content once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => put("many", moduleWith({ salt: index % 6 }) as BodyInit)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(6).fill(200), ...Array(6).fill(201)]);
    const { versions } = (await (await fetch(`${host.url}/v1/filters/many`)).json()) as { versions: number };
    expect(versions).toBe(6);
  });

  test("of code that never ends are refused, and the next one is looked at", async () => {
    const endless = await put("endless", moduleWith({ code: "loop void br 0 end unreachable" }) as BodyInit);
    expect(await endless.json()).toMatchObject({ status: 422, reasons: [expect.stringMatching(/dry run.*fuel/)] });
    expect((await put("after", moduleWith() as BodyInit)).status).toBe(201);
  });
});
