/**
 * Goal: a host that runs out of file descriptors goes on with the clients it has, and takes new ones when there is room.
 * Method: a process that may open few files; more connections than that.
 */
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { entry, type Running, startProgram, stopHost } from "../host/cli/sluice.ts";
import { until } from "../host/support/until.ts";

const FILES = 128;

let host: Running | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await stopHost(host);
});

test("out of descriptors, a host serves whom it has, and new clients once others are gone", async () => {
  const command = `ulimit -n ${FILES} && exec "$0" "$1" serve --listen 127.0.0.1:0 --tcp off`;
  host = startProgram("sh", ["-c", command, process.execPath, entry]);
  const [, url = ""] = await host.until("stdout", /ready at (http:\/\/\S+)/);
  const client = new WebSocket(`${url.replace("http", "ws")}/v1/socket`, "sluice.v1.json");
  const pongs: string[] = [];
  client.on("message", (data) => pongs.push(String(data)));
  await new Promise((resolve, reject) => client.once("open", resolve).once("error", reject));
  const isServed = async (): Promise<void> => {
    const before = pongs.length;
    client.send('{"ref":1,"ping":{}}');
    await until(
      () => pongs.length > before,
      () => "a pong",
    );
  };
  await isServed();

  const { port } = new URL(url);
  for (let index = 0; index < 3 * FILES; index++)
    sockets.push(connect({ port: Number(port), host: "127.0.0.1" }).on("error", () => undefined));
  await until(
    () => sockets.every(({ connecting }) => !connecting),
    () => "all connections",
  );
  await isServed();
  for (const socket of sockets) socket.destroy();
  await expect
    .poll(() => fetch(`${url}/health/live`).then(({ status }) => status, String), { timeout: 10_000 })
    .toBe(200);
  await isServed();
  client.terminate();
  expect((await host.stop()).code).toBe(0);
});
