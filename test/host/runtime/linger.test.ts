/** Answers that come before all of a request has: they arrive, whatever the client is doing, and nobody is waited for long. */
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { hasBody, lingerFor } from "../../../host/runtime/node/linger.ts";
import { ManualClock } from "../support/service.ts";
import { until } from "../support/until.ts";

const BODY_BYTES = 8 * 2 ** 20;

/** A server that refuses without reading, and a client that has sent a head with these fields. */
async function refusedClient(fields: string) {
  const clock = new ManualClock();
  const server = createServer((request, response) => {
    expect(hasBody(request)).toBe(true);
    lingerFor(request, response, clock);
    response.writeHead(404, { "content-length": 2 });
    response.end("no");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  const heard = { text: "", error: undefined as Error | undefined, closed: false };
  socket.on("data", (chunk) => {
    heard.text += chunk.toString("latin1");
  });
  socket.on("error", (error) => {
    heard.error = error;
  });
  socket.on("close", () => {
    heard.closed = true;
  });
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}\r\n\r\n`);
  const answered = (): Promise<void> =>
    until(
      () => heard.text.endsWith("\r\n\r\nno"),
      () => `the answer; there was ${heard.text}`,
    );
  const closed = (): Promise<void> =>
    until(
      () => heard.closed,
      () => "the end of the connection",
    );
  return { clock, socket, heard, answered, closed };
}

describe("lingerFor()", () => {
  test("the answer is there before the body, and the connection ends after it, without a reset", async () => {
    const { socket, heard, answered, closed } = await refusedClient(`Content-Length: ${BODY_BYTES}`);
    await answered();
    expect(heard.closed).toBe(false);
    socket.write(Buffer.alloc(BODY_BYTES));
    await closed();
    expect(heard.error).toBeUndefined();
  });

  test("a body in parts is heard out, too", async () => {
    const { socket, heard, answered, closed } = await refusedClient("Transfer-Encoding: chunked");
    await answered();
    for (let part = 0; part < 8; part++)
      socket.write(Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(2 ** 20), Buffer.from("\r\n")]));
    socket.write("0\r\n\r\n");
    await closed();
    expect(heard.error).toBeUndefined();
  });

  test("who does not go on is let go after lingerMs", async () => {
    const { clock, heard, answered, closed } = await refusedClient("Content-Length: 1000");
    await answered();
    clock.advance(limits.lingerMs - 1);
    expect(heard.closed).toBe(false);
    clock.advance(1);
    await closed();
  });
});
