/**
 * Goal: no expression and no event can cost a host more than its limits say, or stop it. Method: a whole host over real sockets
 * gets what is bad by every way that takes an expression; each refusal names its limit, and the host answers afterwards.
 *
 * Beside this: the parser's limits (test/host/expression/limits.test.ts), any text and any bytecode (test/property/
 * expression-hostile.test.ts), the verifier (test/core-wasm/expression/verify.test.ts), each operator on each type, overflow and
 * division by zero in evaluator and machine alike (test/host/expression/evaluate.test.ts).
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, onTestFinished, test } from "vitest";
import { STATISTIC_PAGES_USED } from "../../core-wasm/abi.ts";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { limits } from "../../host/limits.ts";
import { serveHost } from "../../host/runtime/node.ts";
import type { ServedHost } from "../../host/runtime/open-host.ts";
import { encodeFrame } from "../core-wasm/frames.ts";
import { sizeDelimited } from "../core-wasm/wire.ts";
import { connectTo, type Reachable } from "../host/support/client.ts";
import { createTestService } from "../host/support/service.ts";

async function serve(): Promise<ServedHost & Reachable> {
  const host = await serveHost({ listen: "127.0.0.1:0", tcp: "127.0.0.1:0", onFatal: () => {} });
  onTestFinished(() => host.close());
  const portOf = (url = "tcp://x:0"): number => Number(new URL(url).port);
  return { ...host, httpPort: portOf(host.url), tcpPort: portOf(host.tcpUrl ?? undefined) };
}

/** What a way in says to an expression. */
type Refusal = { readonly code: string; readonly limit?: unknown; readonly status?: number };

/** Every way in which a stranger sets an expression. */
const ways: { readonly [Name in string]: (host: ServedHost & Reachable, where: string) => Promise<Refusal> } = {
  async "a JSON socket"(host, where) {
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, join: { channel: "c", where } });
    return client.take("problem");
  },
  async "a TCP connection"(host, where) {
    const client = await connectTo(host, "tcp");
    client.sendRaw(sizeDelimited(encodeFrame({ ref: 1, kind: { case: "join", value: { channel: "c", where } } })));
    return client.take("problem");
  },
  async "a stream"(host, where) {
    const answer = await fetch(`${host.url}/v1/channels/c/events?${new URLSearchParams({ where })}`);
    if (answer.ok) await answer.body?.cancel();
    return { status: answer.status, ...JSON.parse((await answer.text().catch(() => "")) || "{}") };
  },
  async "an inbox"(host, where) {
    const headers = { "content-type": "application/json" };
    const inbox = await (await fetch(`${host.url}/v1/inboxes`, { method: "POST", headers, body: "{}" })).json();
    const path = `${host.url}/v1/inboxes/${inbox.id}/joins/c`;
    return (await fetch(path, { method: "PUT", headers, body: JSON.stringify({ where }) })).json();
  },
  async "a pattern"(host, where) {
    const client = await connectTo(host, "ws-proto");
    client.sendRaw(sizeDelimited(encodeFrame({ ref: 1, kind: { case: "join", value: { channel: "c.*", where } } })));
    return client.take("problem");
  },
};

/** The host is alive and does its work. */
async function works(host: ServedHost & Reachable): Promise<void> {
  const client = await connectTo(host, "ws-json");
  await client.join("alive", { where: "n > 1" });
  await client.publish("alive", { type: "t", attributes: { n: 1 } }, { type: "t", attributes: { n: 2 } });
  expect(await client.received(1)).toHaveLength(1);
}

describe.each(Object.entries(ways))("over %s", (name, set) => {
  test("10,000 levels of parentheses are refused by the limit that they meet first", async () => {
    const host = await serve();
    const where = `${"(".repeat(10_000)}a${")".repeat(10_000)}`;
    const refused = await set(host, where);
    // A request line of 20 kB is too long before anybody has looked for an expression in it.
    if (name === "a stream") expect(refused.status).toBe(431);
    else expect(refused).toMatchObject({ limit: limits.expressionBytes });
    expect(await set(host, "(".repeat(4_000))).toMatchObject({ code: "limit_reached", limit: limits.expressionDepth });
    await works(host);
  });

  test("an expression of a megabyte is refused by its size", async () => {
    const host = await serve();
    const refused = await set(host, `a = '${"x".repeat(1_000_000)}'`);
    if (name === "a stream") expect(refused.status).toBe(431);
    else if (name === "a JSON socket" || name === "an inbox") {
      expect(refused).toMatchObject({ limit: limits.expressionBytes });
    } else {
      // As a frame it is too large, or just small enough to be looked at.
      expect([limits.expressionBytes, limits.frameBytes]).toContain(refused.limit);
    }
    await works(host);
  });

  test("what is no UTF-8, as far as that can be said, is refused and not guessed", async () => {
    const host = await serve();
    if (name === "a TCP connection" || name === "a pattern") {
      const client = await connectTo(host, name === "a pattern" ? "ws-proto" : "tcp");
      const frame = encodeFrame({ ref: 1, kind: { case: "join", value: { channel: "c", where: "a = 'QQ'" } } });
      const at = Buffer.from(frame).indexOf("QQ");
      frame.set([0xc3, 0x28], at);
      client.sendRaw(sizeDelimited(frame));
      expect((await client.take("problem")).code).toBe("malformed");
    } else if (name === "a JSON socket") {
      const client = await connectTo(host, "ws-json");
      client.sendRaw('{"ref":1,"join":{"channel":"c","where":"a = \'\\ud800\'"}}');
      expect((await client.take("problem")).code).toBe("not_utf8");
    }
    await works(host);
  });
});

describe("LIKE", () => {
  test("patterns that explode elsewhere cost little, with texts as long as an event can hold", async () => {
    const { service } = createTestService();
    for (const pattern of [
      `${"%a".repeat(1_000)}b`,
      `${"_%".repeat(1_000)}b`,
      "%".repeat(4_000),
      `${"%aaaa".repeat(800)}`,
    ])
      service.subscribe("like", { onEvents: () => {}, where: `text LIKE '${pattern}'` });
    const text = { kind: { case: "text" as const, value: "a".repeat(60_000) } };
    const event = create(EventSchema, { type: "t", attributes: { text } });
    const from = performance.now();
    const [result] = service.publish("like", [event]);
    // 60,000 × 4,000 looks would be a second for each of the four; backtracking would not end.
    expect(performance.now() - from).toBeLessThan(2_000);
    expect(result).toMatchObject({ sequence: 1 });
  });
});

describe("numbers at their ends", () => {
  const number = (value: number) => ({ kind: { case: "number" as const, value } });
  const integer = (value: bigint) => ({ kind: { case: "integer" as const, value } });
  const attributes = {
    nan: number(Number.NaN),
    above: number(Number.POSITIVE_INFINITY),
    below: number(Number.NEGATIVE_INFINITY),
    minus: number(-0),
    largest: integer(2n ** 63n - 1n),
    smallest: integer(-(2n ** 63n)),
    text: { kind: { case: "text" as const, value: "abc" } },
    flag: { kind: { case: "boolean" as const, value: true } },
  };

  test.each([
    // Every comparison with a NaN is false, as with what is missing.
    ["nan = nan OR nan < 1 OR nan > 1 OR nan <= nan", false],
    ["nan != 1 OR nan != nan", false],
    ["nan + 1 = 1 OR nan BETWEEN 0 AND 1", false],
    ["nan", false],
    ["above > 1e308 AND below < -1e308 AND above > below", true],
    ["above - above = 0", false],
    ["above = above", true],
    ["minus = 0 AND 0 = minus AND NOT (minus < 0)", true],
    ["minus", false],
    ["INT(above) IS NULL AND INT(nan) IS NULL", true],
    ["INT(1e300) IS NULL", true],
    // What has no room as a whole number goes on as a number.
    ["largest + 1 > 9e18 AND largest + 1 >= largest", true],
    ["smallest - 1 < 0 AND -smallest > 0 AND ABS(smallest) > 0", true],
    ["largest * largest > 1e37", true],
    ["smallest / -1 > 0", true],
    ["smallest % -1 = 0", true],
    ["1 / 0 IS NULL AND 1 % 0 IS NULL AND 1.5 / 0 IS NULL", true],
    ["1 / 0 = 1 OR 1 / 0 != 1", false],
    // Of the wrong type, or not there.
    ["text + 1 IS NULL AND text > 5 = FALSE", true],
    ["text = 5 OR text < 5 OR text > 5", false],
    ["flag = 'true' AND flag > FALSE", true],
    ["nobody > 1 OR nobody <= 1 OR nobody LIKE '%'", false],
    ["sink.nobody = 1 OR age(sink.nobody) >= 0", false],
  ])("%s is %s, to the core that delivers", (where, holds) => {
    const { service } = createTestService();
    service.subscribe("n", { onEvents: () => {}, where });
    const [result] = service.publish("n", [create(EventSchema, { type: "t", attributes })]);
    expect(result).toMatchObject({ sinks: holds ? 1 : 0 });
  });
});

describe("a million distinct texts in traffic", () => {
  test("leave nothing behind: neither values nor names of events are kept", () => {
    const { service } = createTestService();
    // Looked up in the index, in a list, by LIKE, and compared with an attribute of the sink.
    for (const where of ["k00000000 = 'x'", "v = 'wanted'", "v IN ('a', 'b')", "v LIKE '%never'", "v = sink.zone"])
      service.subscribe("texts", { onEvents: () => {}, where, attributes: { zone: "eu" } });
    const name = "k99999999";
    const text = "v9999999";
    const events = Array.from({ length: 1_000 }, () => {
      const value = { kind: { case: "text" as const, value: text } };
      const bytes = toBinary(EventSchema, create(EventSchema, { type: "t", attributes: { [name]: value, v: value } }));
      const places = [Buffer.from(bytes).indexOf(name) + 1];
      for (let at = Buffer.from(bytes).indexOf(text); at >= 0; at = Buffer.from(bytes).indexOf(text, at + 1))
        places.push(at + 1);
      return { bytes, places };
    });
    const encoded = events.map(({ bytes }) => bytes);
    let count = 0;
    const round = (): void => {
      for (const { bytes, places } of events) {
        count += 1;
        for (const at of places)
          for (let digit = 0, rest = count; digit < 7; digit++, rest = Math.floor(rest / 10))
            bytes[at + 6 - digit] = 0x30 + (rest % 10);
      }
      for (const result of service.publishEncoded("texts", encoded)) if ("problem" in result) throw result.problem;
      service.settle();
    };
    // The store and the tables become as large as they get.
    for (let warm = 0; warm < 50; warm++) round();
    const used = (): number => service.core.exports.statistic(STATISTIC_PAGES_USED);
    const before = used();
    for (let rounds = 0; rounds < 1_000; rounds++) round();
    expect(count).toBe(1_050_000);
    expect(used()).toBe(before);
  }, 60_000);
});
