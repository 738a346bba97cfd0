/**
 * Goal: what goes in at `pub` comes out at `sub`, complete and in order, and both behave in pipes.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entry, type Given, type Running, type RunningHost, startHost, startProgram, stopHost } from "./sluice.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

let channels = 0;
/** A channel of its own for each test. */
function channel(): string {
  channels += 1;
  return `test.${channels}`;
}

/** A subscriber that is joined. */
async function subscriber(name: string, args: readonly string[] = [], given: Given = {}): Promise<Running> {
  const running = host.start(["sub", name, ...args], given);
  await running.until("stderr", new RegExp(`subscribed to ${name.replaceAll(".", "\\.")}`));
  return running;
}

const jsonLines = (text: string): Array<Record<string, unknown>> =>
  text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("sluice pub", () => {
  test("publishes one event with all its fields", async () => {
    const name = channel();
    const sub = await subscriber(name, ["--json", "--count", "1"]);
    const args = [
      "--type",
      "order.placed",
      "--attr",
      "load=0.5",
      "--attr",
      "zone=eu",
      "--attr",
      "urgent=true",
      "--priority",
      "9",
    ];
    const { code, stdout, stderr } = await host.run([
      "pub",
      name,
      '{"total": 12.50}',
      ...args,
      "--key",
      "o-17",
      "--ttl",
      "60000",
      "--source",
      "/shop",
      "--subject",
      "o",
    ]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "accepted, sequence 1, 1 sink\n", stderr: "" });
    const [event] = jsonLines((await sub.finished).stdout);
    expect(event).toMatchObject({
      type: "order.placed",
      source: "/shop",
      subject: "o",
      priority: 9,
      key: "o-17",
      attributes: { load: 0.5, zone: "eu", urgent: true },
      data: { total: 12.5 },
    });
    expect(event?.["id"]).toMatch(/\S/);
    expect(Date.parse(String(event?.["deliverBy"])) - Date.parse(String(event?.["time"]))).toBe(60_000);
  });

  test("says that nobody gets it", async () => {
    expect((await host.run(["pub", channel(), "hello"])).stdout).toBe(
      "accepted, sequence 1, 0 sinks (nobody gets it)\n",
    );
  });

  test.each([
    { name: "text", args: ["hello"], want: { data: "hello", dataContentType: "text/plain" } },
    { name: "JSON", args: ["[1,2]"], want: { data: [1, 2] } },
    { name: "a number", args: ["--data", "42"], want: { data: 42 } },
    { name: "nothing", args: [], want: { type: "message" } },
    {
      name: "a media type",
      args: ["--data", "<a/>", "--content-type", "application/xml"],
      want: { dataContentType: "application/xml" },
    },
  ])("sends $name as what it is", async ({ args, want }) => {
    const name = channel();
    const sub = await subscriber(name, ["--json", "--count", "1"]);
    expect((await host.run(["pub", name, ...args])).code).toBe(0);
    expect(jsonLines((await sub.finished).stdout)[0]).toMatchObject(want);
  });

  test("sends a binary file unchanged, up to the size of an event", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-"));
    try {
      const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) & 255));
      writeFileSync(join(folder, "data"), bytes);
      const name = channel();
      const sub = await subscriber(name, ["--json", "--count", "1"]);
      expect(await host.run(["pub", name, "--file", join(folder, "data")])).toMatchObject({ code: 0, stderr: "" });
      const [event] = jsonLines((await sub.finished).stdout);
      expect(event?.["dataContentType"]).toBe("application/octet-stream");
      expect(Buffer.from(String(event?.["dataBase64"]), "base64").equals(bytes)).toBe(true);
      writeFileSync(join(folder, "large"), Buffer.alloc(1_048_577));
      const refused = await host.run(["pub", name, "--file", join(folder, "large")]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/1048\d{3} bytes, the limit is 1048576 \[event_too_large\]/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("reads JSON events by line, goes on after a bad one, names its line and exits with 1", async () => {
    const name = channel();
    const sub = await subscriber(name, ["--json", "--count", "3"]);
    const lines = [
      '{"type":"a","data":1}',
      "",
      "{oops",
      '{"type":"b","colour":"red"}',
      '{"type":"c","priority":11}',
      '{"data":2}',
      '{"type":"d","key":"k"}',
      "7",
    ];
    const { code, stdout, stderr } = await host.run(["pub", name, "-", "--json", "--attr", "n=1"], {
      input: lines.join("\n"),
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 3, refused: 4, deliveries: 3 });
    expect(stderr).toMatch(/line 3 refused: .*JSON/);
    expect(stderr).toMatch(/line 4 refused: .*colour.*\[unknown_field\]/);
    expect(stderr).toMatch(/line 5 refused: .*11.*9.*\[priority_out_of_range\]/);
    expect(stderr).toMatch(/line 8 refused: 7 is not a JSON event/);
    const events = jsonLines((await sub.finished).stdout);
    expect(events.map((event) => event["type"])).toEqual(["a", "message", "d"]);
    expect(events[0]?.["attributes"]).toEqual({ n: 1 });
  });

  test("tells refusals of the host by line, a few of them, and counts the rest", async () => {
    const name = channel();
    expect((await host.run(["channel", "create", name, "--type", "good"])).code).toBe(0);
    const input = Array.from({ length: 20 }, (_, index) => `{"type":"${index === 3 ? "good" : "bad"}"}`).join("\n");
    const { code, stdout, stderr } = await host.run(["pub", name, "--json", "-"], { input });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, refused: 19 });
    expect(stderr).toMatch(/line 1 refused: .*\[type_refused\]/);
    expect(stderr).toContain("and 14 more were refused");
    expect(stderr.trim().split("\n")).toHaveLength(6);
  });

  test("ends with 1 and one line where the host refuses the channel", async () => {
    const { code, stderr } = await host.run(["pub", "not a name", "x"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: [^\n]*not a name[^\n]*\[channel_name\]\n$/);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "ends with 1 on %s before its input has ended, and says what was accepted",
    async (signal) => {
      const name = channel();
      const sub = await subscriber(name, ["--count", "2"]);
      const pub = host.start(["pub", name, "-"]);
      pub.child.stdin.write("one\ntwo\nhalf a li");
      await sub.finished;
      const { code, stdout, stderr } = await pub.stop(signal);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/2 events were accepted before this\n.*stopped with 0 events/);
    },
  );

  test("ends with 1 where the host goes away, and says how many were accepted", async () => {
    const short = await startHost();
    const pub = short.start(["pub", "c", "-"]);
    pub.child.stdin.write("one\ntwo\n");
    for (let sequence = 0; sequence < 2; ) {
      const { data } = (await (await fetch(`${short.url}/v1/channels`)).json()) as {
        data: Array<{ sequence?: number }>;
      };
      sequence = data[0]?.sequence ?? 0;
    }
    await short.stop("SIGKILL");
    const { code, stderr } = await pub.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/the host ended the session/);
    // The host had both; whether their receipt came through before it died is for the network to say.
    expect(stderr).toMatch(/2 events were accepted before this|with 2 events unanswered/);
  });
});

describe("pub | sub", () => {
  test("carries 10,000 lines in order", async () => {
    const name = channel();
    const count = 10_000;
    const lines = Array.from({ length: count }, (_, index) => `line ${index} ${"x".repeat(index % 50)} ü`);
    const sub = await subscriber(name, ["--json", "--count", String(count)]);
    const pub = await host.run(["pub", name, "-"], { input: `${lines.join("\n")}\n` });
    expect(pub).toMatchObject({ code: 0, stderr: "" });
    expect(pub.stdout).toMatch(/^10,000 accepted, 10,000 deliveries in \d+\.\d\d s\n$/);
    const events = jsonLines((await sub.finished).stdout);
    expect(events.map((event) => event["data"])).toEqual(lines);
  });

  test("carries numbers beyond doubles and the spelling of JSON as they are", async () => {
    const name = channel();
    const sub = await subscriber(name, ["--json", "--count", "2"]);
    const data = '{"big":12345678901234567890,"exact":0.10,"order":{"b":1,"a":2}}';
    await host.run(["pub", name, data]);
    await host.run(["pub", name, "-", "--json"], { input: `{"type":"t","data":${data}}` });
    const { stdout } = await sub.finished;
    expect(stdout.split("\n").filter((line) => line.includes(`"data":${data}`))).toHaveLength(2);
  });

  test("carries JSON events of one channel to another unchanged", async () => {
    const [from, to] = [channel(), channel()];
    const first = await subscriber(from, ["--json", "--count", "100"]);
    await host.run(["pub", from, "-"], {
      input: Array.from({ length: 100 }, (_, index) => `{"n":${index}}`).join("\n"),
    });
    const { stdout } = await first.finished;
    const second = await subscriber(to, ["--json", "--count", "100"]);
    expect((await host.run(["pub", to, "-", "--json"], { input: stdout })).code).toBe(0);
    expect(jsonLines((await second.finished).stdout)).toEqual(jsonLines(stdout));
  });
});

describe("sluice sub", () => {
  test("prints one readable line per event and its notices elsewhere", async () => {
    const name = channel();
    const sub = await subscriber(name, ["--count", "2"]);
    await host.run(["pub", name, "hello \u001b[31m", "--attr", "zone=eu", "--source", "/me"]);
    await host.run(["pub", name, '{"a":1}', "--type", "t", "--source", "/me"]);
    const { code, stdout, stderr } = await sub.finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}message {5}\/me {13}hello \\u001b\[31m {2}zone=eu\n\d\d:\d\d:\d\d\.\d{3} {2}t {11}\/me {13}\{"a":1\}\n$/,
    );
    expect(stderr).toBe(`sluice: subscribed to ${name}\n`);
  });

  test("takes only the types it asks for", async () => {
    const name = channel();
    const sub = await subscriber(name, ["--json", "--count", "2", "--type", "a", "--type", "c"]);
    await host.run(["pub", name, "-", "--json"], { input: '{"type":"a"}\n{"type":"b"}\n{"type":"c"}\n' });
    expect(jsonLines((await sub.finished).stdout).map((event) => event["type"])).toEqual(["a", "c"]);
  });

  test("tells what the host says about an ordering that is none", async () => {
    const { code, stdout, stderr } = await host.run(["sub", channel(), "--ordering", "best"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^sluice: [^\n]*ordering[^\n]*\[invalid_value\]\n$/);
  });

  test("prints only what --where holds of", async () => {
    const name = channel();
    const sub = await subscriber(name, ["--where", "load < 0.5 OR urgent", "--count", "2", "--json"]);
    for (const attr of ["load=0.9", "load=0.2", "urgent=true"]) await host.run(["pub", name, attr, "--attr", attr]);
    const { code, stdout } = await sub.finished;
    expect(code).toBe(0);
    expect(jsonLines(stdout).map(({ data }) => data)).toEqual(["load=0.2", "urgent=true"]);
  });

  test.each(["fifo", "priority+deadline"])("takes the ordering %s", async (ordering) => {
    const sub = await subscriber(channel(), ["--ordering", ordering]);
    expect((await sub.stop("SIGINT")).code).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("ends with 0 on %s", async (signal) => {
    const sub = await subscriber(channel());
    expect(await sub.stop(signal)).toMatchObject({ code: 0, stdout: "" });
  });

  test("ends with 0 when its reader has gone (| head -1)", async () => {
    const name = channel();
    const pipe = startProgram(
      "bash",
      ["-c", `"$0" "$1" sub ${name} | head -1; echo "sub: \${PIPESTATUS[0]}"`, process.execPath, entry],
      {
        env: { SLUICE_URL: host.url },
      },
    );
    await pipe.until("stderr", /subscribed/);
    for (let index = 0; index < 50 && pipe.child.exitCode === null; index += 1)
      await host.run(["pub", name, `event ${index}`]);
    const { stdout, stderr } = await pipe.finished;
    expect(stdout).toMatch(/event 0\nsub: 0\n$/);
    expect(stderr).not.toMatch(/EPIPE|Error/);
  });

  test("comes back after its host has, and says so", async () => {
    const first = await startHost();
    const port = new URL(first.url).port;
    const sub = first.start(["sub", "again", "--json", "--count", "1"]);
    await sub.until("stderr", /subscribed to again/);
    await first.stop("SIGKILL");
    await sub.until("stderr", /the connection was lost .*; trying again in/);
    const second = await startHost(["--listen", `127.0.0.1:${port}`]);
    try {
      await sub.until("stderr", /connected again; what was published meanwhile may be missed/);
      await second.run(["pub", "again", "back"]);
      expect(jsonLines((await sub.finished).stdout)[0]).toMatchObject({ data: "back" });
    } finally {
      await stopHost(second);
    }
  });

  test("ends with 1 when its channel is removed", async () => {
    const name = channel();
    const sub = await subscriber(name);
    expect((await host.run(["channel", "rm", name])).code).toBe(0);
    const { code, stderr } = await sub.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`the host ended the subscription to ${name.replaceAll(".", "\\.")}: channel_deleted`),
    );
  });
});

describe("sluice sub of a pattern", () => {
  test("names the channel of each line, and follows channels to come", async () => {
    const sub = await subscriber("pat.*", ["--count", "2"]);
    for (const name of ["pat.one", "other.one", "pat.two"]) await host.run(["pub", name, name]);
    const { code, stdout } = await sub.finished;
    expect(code).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^pat\.one\s+.*pat\.one/);
    expect(lines[1]).toMatch(/^pat\.two\s+.*pat\.two/);
  });

  test("--json prints events, with --delivery the deliveries around them", async () => {
    const plain = await subscriber("paj.*", ["--count", "1", "--json"]);
    const told = await subscriber("paj.*", ["--count", "1", "--json", "--delivery"]);
    await host.run(["pub", "paj.one", "--type", "t", '{"n":1}']);
    expect(jsonLines((await plain.finished).stdout)).toMatchObject([{ type: "t", data: { n: 1 } }]);
    expect(jsonLines((await told.finished).stdout)).toMatchObject([
      { channel: "paj.one", number: 1, sequence: 1, event: { type: "t", data: { n: 1 } } },
    ]);
    const wrong = await host.run(["sub", "paj.*", "--delivery"]);
    expect(wrong).toMatchObject({ code: 2 });
  });

  test("goes on when one of its channels is removed, and tells what is no pattern", async () => {
    const sub = await subscriber("par.*", ["--count", "2", "--json"]);
    await host.run(["pub", "par.one", "--type", "a"]);
    await host.run(["channel", "rm", "par.one"]);
    await host.run(["pub", "par.two", "--type", "b"]);
    expect(jsonLines((await sub.finished).stdout)).toMatchObject([{ type: "a" }, { type: "b" }]);
    const wrong = await host.run(["sub", "a*b"]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/\* for one token/);
  });
});
