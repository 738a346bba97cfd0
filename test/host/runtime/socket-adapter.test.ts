/**
 * The adapter between net.Socket and a session: when bytes may be overwritten, and how sockets end.
 */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { silentLog } from "../../../host/log.ts";
import { SocketAdapter } from "../../../host/runtime/node/socket-adapter.ts";
import type { Connection } from "../../../host/session/connection.ts";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { sizeDelimited } from "../../core-wasm/wire.ts";
import { connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { ManualClock } from "../support/service.ts";
import { until } from "../support/until.ts";

/** A socket whose callbacks come when the test says so: the order of events that a busy system makes, made at will. */
class LateSocket extends EventEmitter {
  readonly callbacks: (() => void)[] = [];
  writableLength = 0;
  destroyed = false;
  writableEnded = false;
  write(_bytes: Uint8Array, callback: () => void): boolean {
    this.callbacks.push(callback);
    return true;
  }
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

function adapterOf(socket: LateSocket): { adapter: SocketAdapter; told: string[]; clock: ManualClock } {
  const clock = new ManualClock();
  const adapter = new SocketAdapter(socket as unknown as Socket, clock, silentLog);
  const told: string[] = [];
  const tell = (name: string) => () => void told.push(name);
  adapter.connection = {
    written: tell("written"),
    closed: tell("closed"),
    ended: tell("ended"),
  } as unknown as Connection;
  return { adapter, told, clock };
}

describe("SocketAdapter", () => {
  test("a late callback of an earlier write does not give away the bytes of a later one", () => {
    const socket = new LateSocket();
    const { adapter, told } = adapterOf(socket);
    expect(adapter.write(new Uint8Array(1))).toBe(true);
    socket.writableLength = 100;
    expect(adapter.write(new Uint8Array(100))).toBe(false);
    socket.callbacks[0]?.();
    expect(told).toEqual([]);
    socket.callbacks[1]?.();
    expect(told).toEqual(["written"]);
  });

  test("callbacks of writes that were taken at once mean nothing", () => {
    const socket = new LateSocket();
    const { adapter, told } = adapterOf(socket);
    for (let write = 0; write < 3; write++) expect(adapter.write(new Uint8Array(1))).toBe(true);
    for (const callback of socket.callbacks) callback();
    expect(told).toEqual([]);
  });

  test("a peer that does not hang up after the last byte is cut off", () => {
    const socket = new LateSocket();
    const { adapter, clock } = adapterOf(socket);
    adapter.end();
    clock.advance(1_999);
    expect(socket.destroyed).toBe(false);
    clock.advance(2);
    expect(socket.destroyed).toBe(true);
  });

  test("a socket that closes by itself leaves no timer", () => {
    const socket = new LateSocket();
    const { adapter, clock, told } = adapterOf(socket);
    adapter.end();
    socket.emit("close");
    expect(told).toEqual(["closed"]);
    expect(clock.waiting).toBe(0);
  });

  test("writes after the end are swallowed", () => {
    const socket = new LateSocket();
    const { adapter } = adapterOf(socket);
    adapter.end();
    expect(adapter.write(new Uint8Array(1))).toBe(true);
    expect(socket.callbacks).toEqual([]);
  });
});

describe("peers that break off", () => {
  test.each(["tcp", "ws-proto", "ws-json"] as const)(
    "%s: a reset in the middle of a stream disturbs nobody",
    async (carrier) => {
      const host = await startHost();
      const [victim, sink, source] = await Promise.all([
        connectTo(host, carrier),
        connectTo(host, "tcp"),
        connectTo(host, "ws-json"),
      ]);
      await victim.join("c");
      await sink.join("c");
      victim.pause();
      const data = "x".repeat(1_000);
      for (let round = 0; round < 5; round++)
        await source.publish("c", ...Array.from({ length: 500 }, () => ({ type: "t", data })));
      victim.end(true);
      await source.publish("c", { type: "last" });
      expect((await sink.received(2_501)).at(-1)?.type).toBe("last");
      await until(
        () => host.service.sessionCount === 2,
        () => `2 sessions; there are ${host.service.sessionCount}`,
      );
      expect(host.service.slots.held).toBe(0);
      expect(host.log.filter(({ level }) => level === "error")).toEqual([]);
    },
  );

  test.each([true, false])("onread %s: a half-closed peer still gets its answers, then the end", async (onread) => {
    const host = await startHost({ onread });
    const client = await connectTo(host, "tcp");
    client.send({ ref: 1, publish: { channel: "c", events: [{ type: "t" }] } });
    client.end();
    await client.take("receipt", 1);
    await client.closed;
    await until(
      () => host.service.sessionCount === 0,
      () => "no session",
    );
  });

  test("a thousand connections that come and go at once leave nothing behind", async () => {
    const host = await startHost();
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(
        Array.from({ length: 100 }, (_, index) => connectTo(host, index % 2 === 0 ? "tcp" : "ws-proto")),
      );
      for (const [index, client] of clients.entries()) {
        client.send({ ref: 1, ping: {} });
        client.end(index % 3 === 0);
      }
    }
    await until(
      () => host.service.sessionCount === 0,
      () => `no session; there are ${host.service.sessionCount}`,
    );
    expect(host.service.statistics()).toMatchObject({
      connections: 0,
      members: 0,
      slotsHeld: 0,
      sessionsOpenedTotal: 1_000,
      sessionsClosedTotal: 1_000,
    });
  }, 30_000);
});

describe("limits", () => {
  test("beyond the number of connections a socket is told so, and a later one is taken again", async () => {
    const host = await startHost({ connections: 2 });
    const [first] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "ws-json")]);
    const third = await connectTo(host, "tcp");
    expect(await third.take("problem")).toMatchObject({ code: "limit_reached", limit: 2 });
    await third.closed;
    await expect(connectTo(host, "ws-json")).rejects.toThrow(/503/);
    first.end();
    await until(
      () => host.service.sessionCount === 1,
      () => "a free place",
    );
    const fourth = await connectTo(host, "ws-proto");
    await fourth.join("c");
    expect(host.service.counters.sessionsRefused).toBe(2);
  });

  test("a peer that asks and never reads its answers is dropped", async () => {
    const host = await startHost();
    const [greedy, other] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "tcp")]);
    greedy.pause();
    const question = sizeDelimited(encodeFrame({ ref: 1, kind: { case: "leave", value: { member: 4_000_000 } } }));
    const questions = Buffer.concat(Array.from({ length: 5_000 }, () => question));
    await other.join("c", { role: "both" });
    const deadline = performance.now() + 15_000;
    while (host.service.sessionCount === 2 && performance.now() < deadline) {
      greedy.sendRaw(questions);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(host.service.sessionCount).toBe(1);
    expect(host.log).toContainEqual(expect.objectContaining({ code: "control_full" }));
    await other.publish("c", { type: "t" });
    await other.received(1);
  }, 30_000);
});
