/** Contracts as people write them: YAML, conditions of their own, and one upon another. */
import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { type Answer, createTestControl, type TestControl } from "./support.ts";

const yaml = { "content-type": "application/yaml" };
const put = ({ ask }: TestControl, name: string, text: string, headers = yaml): Promise<Answer> =>
  ask("PUT", `/v1/contracts/${name}`, text, headers);
const get = async ({ ask }: TestControl, name: string) => (await ask("GET", `/v1/contracts/${name}`)).json;
const reasons = (answer: Answer): string[] => answer.json["reasons"] as string[];

const web = `
name: web
conditions:
  p99:  { kind: value }
  load: { kind: value, observed: false }
regions:
  - name: normal
    when: p99 < 50.0
    regions: [ { name: idle, when: load < 0.2 }, { name: busy } ]
  - name: degraded
transitions:
  - { from: normal, to: degraded, mode: sync, do: [ { set: { load: 1 } } ] }
  - { from: "*", to: normal, mode: async, do: [ { publish: { channel: adaptation, event: { type: recovered } } } ] }
`;

describe("YAML", () => {
  test("is read and written, and what is written can be sent back", async () => {
    const control = createTestControl();
    const { ask, settle } = control;
    expect((await put(control, "web", web)).status).toBe(201);
    settle();
    const answer = await ask("GET", "/v1/contracts/web", undefined, { accept: "application/yaml" });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/yaml"]);
    expect(answer.text).toMatch(/^name: web$/m);
    expect(answer.text).toMatch(/^ {2}p99:\n {4}kind: value$/m);
    const again = await put(control, "web", answer.text);
    expect([again.status, again.headers.get("etag")]).toEqual([200, answer.headers.get("etag")]);
    expect(again.json).toMatchObject({ path: ["normal", "idle"] });
    const json = await ask("GET", "/v1/contracts/web", undefined, {
      accept: "application/yaml;q=0.5, application/json",
    });
    expect(json.json).toMatchObject({ name: "web" });
    // JSON is YAML.
    expect((await put(control, "other", JSON.stringify({ regions: [{ name: "a" }] }))).status).toBe(201);
  });

  test("needs no name, and takes no other one than the address", async () => {
    const control = createTestControl();
    expect((await put(control, "a", "regions: [ { name: x } ]")).status).toBe(201);
    const other = await put(control, "a", "name: b\nregions: [ { name: x } ]");
    expect(other.json).toMatchObject({ code: "invalid_value", limit: "a" });
    expect(reasons(other)).toEqual([expect.stringMatching(/^name \(line 1, column 7\): /)]);
  });

  test("that cannot be read is refused with its place", async () => {
    const control = createTestControl();
    for (const [text, problem] of [
      ["regions: [ { name: x }", { code: "malformed", line: 1 }],
      ["regions:\n  - name: a\n    name: b", { code: "malformed", line: 3, column: 5 }],
      ["regions: !!binary x", { code: "malformed", line: 1 }],
      ["regions: [ { name: x } ]\n---\nregions: []", { code: "malformed" }],
      ["regions: *there", { code: "malformed" }],
      ["? [a]\n: b", { code: "malformed", line: 1 }],
      ["- a", { code: "invalid_value" }],
      ["", { code: "invalid_value" }],
      [
        "regions: [ { name: x } ]\ntransitions: [ { from: x, to: '*', do: [ { set: { y: .nan } } ] } ]",
        { code: "invalid_value" },
      ],
    ] as const)
      expect((await put(control, "a", text)).json).toMatchObject(problem);
    expect((await put(control, "a", "\u0000regions: []")).status).toBe(400);
    expect((await control.ask("PUT", "/v1/contracts/a", "regions: []", { "content-type": "text/plain" })).status).toBe(
      415,
    );
  });

  test.each([
    ["aliases of aliases", "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]"],
    ["one that is in itself", "regions: &a [ { name: x, regions: *a } ]"],
    ["brackets", "[".repeat(60_000)],
    ["lists", "- ".repeat(60_000)],
    ["keys", "a: ".repeat(40_000)],
    ["size", `regions: [ { name: x } ] # ${"x".repeat(limits.contractYamlChars)}`],
  ])("that grows by %s is refused with a limit, and the host goes on", async (_what, text) => {
    const control = createTestControl();
    const answer = await put(control, "a", text);
    expect([answer.status, answer.json["code"]]).toEqual([422, "limit_reached"]);
    expect(answer.json["limit"]).toBeGreaterThan(0);
    expect((await put(control, "a", "regions: [ { name: x } ]")).status).toBe(201);
  });
});

describe("a refusal", () => {
  test("tells everything that is wrong, with its place in the text", async () => {
    const control = createTestControl();
    await put(control, "web", web);
    const answer = await put(
      control,
      "x",
      `regions:
  - name: slow
    when: nothing > 5
  - name: b
    when: web.p99 <
  - name: c
  - name: c
    exit: "'text'"
transitions:
  - { from: slow, to: nowhere }
`,
    );
    expect([answer.status, answer.json["code"]]).toEqual([422, "expression"]);
    expect(reasons(answer)).toEqual([
      expect.stringMatching(/^regions\[1\]\.when \(line 5, column 11\): .*line 1, column/),
      expect.stringMatching(/^regions\[3\] \(line 7, column 5\): There are two regions "c"/),
      expect.stringMatching(/^regions\[3\]\.exit \(line 8, column 11\): /),
      expect.stringMatching(/^regions\[0\]\.when \(line 3, column 11\): .*there is no condition "nothing"/),
      expect.stringMatching(/^transitions\[0\] \(line 10, column 5\): .*"nowhere"/),
    ]);
  });

  test("of JSON has places, too, and names what cannot be reached or is not known", async () => {
    const control = createTestControl();
    const headers = { "content-type": "application/json" };
    const text = `{ "regions": [\n  { "name": "always" },\n  { "name": "never" } ],\n  "color": 1 }`;
    const unknown = await put(control, "x", text, headers);
    expect([unknown.status, unknown.json]).toEqual([
      400,
      expect.objectContaining({ code: "unknown_field", value: "color" }),
    ]);
    const behind = await put(control, "x", text.replace(/,\n {2}"color": 1/, ""), headers);
    expect(behind.json).toMatchObject({ code: "contradiction", value: "never" });
    expect(reasons(behind)).toEqual([expect.stringContaining("regions[1] (line 3, column 3): ")]);
  });

  test("of what is too large says how large it is", async () => {
    const control = createTestControl();
    const many = { regions: Array.from({ length: 10_000 }, (_, index) => ({ name: `r${index}`, when: "1 > 2" })) };
    const large = await control.ask("PUT", "/v1/contracts/x", many);
    expect(large.json).toMatchObject({ code: "limit_reached", value: 10_000, limit: 256 });
    let region: object = { name: "r60" };
    for (let level = 59; level > 0; level--) region = { name: `r${level}`, regions: [region] };
    const deep = await control.ask("PUT", "/v1/contracts/x", { regions: [region] });
    expect(deep.json).toMatchObject({ code: "limit_reached", value: 60, limit: 32 });
    for (let level = 0; level < 4; level++) region = { name: `o${level}`, regions: [region] };
    const deeper = await control.ask("PUT", "/v1/contracts/x", { regions: [region] });
    expect(deeper.json).toMatchObject({ code: "limit_reached", limit: limits.jsonDepth });
  });

  test("a contract of which nothing always holds is warned about", async () => {
    const control = createTestControl();
    const answer = await put(
      control,
      "x",
      "conditions: { a: { kind: value } }\nregions: [ { name: low, when: a < 5 } ]",
    );
    expect([answer.status, answer.json["warnings"]]).toEqual([201, [expect.stringContaining("at the top")]]);
  });
});

describe("conditions of its own", () => {
  test("come with the contract, are set by their name behind its own, and go with it", async () => {
    const control = createTestControl();
    const { ask, settle } = control;
    await put(control, "web", web);
    await put(control, "api", web.replace("name: web", "name: api"));
    const { data } = (await ask("GET", "/v1/conditions")).json as { data: { name: string }[] };
    expect(data.map(({ name }) => name)).toEqual(["api.load", "api.p99", "web.load", "web.p99"]);
    settle();
    await ask("PUT", "/v1/conditions/web.p99/value", { value: 90 });
    settle();
    expect(await get(control, "web")).toMatchObject({ path: ["degraded"], snapshot: { p99: 90 } });
    // `set` calls it as the contract does.
    expect((await ask("GET", "/v1/conditions/web.load")).json).toMatchObject({ value: 1 });
    expect(await get(control, "api")).toMatchObject({ path: ["normal", "idle"] });
    // Not observed.
    await ask("PUT", "/v1/conditions/api.load/value", { value: 0.5 });
    settle();
    expect(await get(control, "api")).toMatchObject({ path: ["normal", "idle"] });
    expect((await ask("PUT", "/v1/conditions/web.p99", { kind: "counter" })).json).toMatchObject({
      code: "condition_in_use",
    });
    expect((await ask("DELETE", "/v1/conditions/web.p99")).status).toBe(409);
    await ask("DELETE", "/v1/contracts/web");
    expect((await ask("GET", "/v1/conditions/web.p99")).status).toBe(404);
    expect((await ask("GET", "/v1/conditions/api.p99")).status).toBe(200);
  });

  test("keep their values where the contract is replaced, begin anew where they are others, and go where they are no more", async () => {
    const control = createTestControl();
    const { ask } = control;
    const contract = (conditions: string) => `conditions: { ${conditions} }\nregions: [ { name: only } ]`;
    await put(control, "x", contract("a: { kind: value }, b: { kind: counter, initial: 5 }, c: { kind: value }"));
    await ask("PATCH", "/v1/conditions", { values: { "x.a": 1, "x.b": 7, "x.c": 3 } });
    await put(control, "x", contract("a: { kind: value }, b: { kind: counter, initial: 6 }"));
    const { data } = (await ask("GET", "/v1/conditions")).json as { data: { name: string; value: unknown }[] };
    expect(data.map(({ name, value }) => [name, value])).toEqual([
      ["x.a", 1],
      ["x.b", 6],
    ]);
  });

  test("may follow from one another in any order, and not in a circle", async () => {
    const control = createTestControl();
    const { ask, settle } = control;
    const text = `conditions:
  hot: { kind: expression, expression: twice > 10 }
  twice: { kind: expression, expression: raw * 2 }
  raw: { kind: value }
regions: [ { name: hot, when: hot }, { name: cold } ]`;
    expect((await put(control, "x", text)).status).toBe(201);
    await ask("PUT", "/v1/conditions/x.raw/value", { value: 6 });
    settle();
    expect(await get(control, "x")).toMatchObject({ path: ["hot"] });
    const circle = await put(control, "x", text.replace("raw * 2", "hot AND TRUE"));
    expect(circle.status).toBe(422);
    expect(await get(control, "x")).toMatchObject({ path: ["hot"], snapshot: { hot: true } });
    expect((await ask("DELETE", "/v1/contracts/x")).status).toBe(204);
    expect((await ask("GET", "/v1/conditions")).json).toMatchObject({ data: [] });
  });

  test("that cannot be are refused with their place, and nothing is left behind", async () => {
    const control = createTestControl();
    const { ask } = control;
    const text =
      "conditions:\n  a: { kind: value }\n  b: { kind: host, metric: colour }\n  c: { use: nothing }\nregions: [ { name: x } ]";
    const answer = await put(control, "x", text);
    expect(reasons(answer)).toEqual([expect.stringMatching(/^conditions\.b \(line 3, column 6\): .*colour/)]);
    const unknown = await put(control, "x", text.replace("colour", "cpu"));
    expect(unknown.json).toMatchObject({ code: "contradiction", value: "nothing" });
    expect((await ask("GET", "/v1/conditions")).json).toMatchObject({ data: [] });
    // A name that somebody has.
    await ask("PUT", "/v1/conditions/x.a", { kind: "value" });
    expect(
      (await put(control, "x", "conditions: { a: { kind: value } }\nregions: [ { name: x } ]")).json,
    ).toMatchObject({
      code: "condition_in_use",
      value: "x.a",
    });
  });
});

describe("extends", () => {
  const base = `
conditions: { p99: { kind: value }, spare: { kind: value } }
order: listed
regions:
  - { name: low, when: p99 < 10 }
  - { name: middle, when: p99 < 50, regions: [ { name: left, when: p99 < 20 }, { name: right } ] }
  - { name: high }
transitions:
  - { from: low, to: middle, do: [ { callback: base } ] }
  - { from: middle, to: high, do: [ { callback: base } ] }
`;
  const names = (json: Record<string, unknown>): string[] =>
    ((json["resolved"] ?? json) as { regions: { name: string }[] }).regions.map(({ name }) => name);

  test("inherits conditions, regions, transitions and order, each contract with conditions of its own", async () => {
    const control = createTestControl();
    const { ask, settle } = control;
    await put(control, "base", base);
    expect((await put(control, "copy", "extends: base")).status).toBe(201);
    await ask("PUT", "/v1/conditions/copy.p99/value", { value: 30 });
    settle();
    expect(await get(control, "copy")).toMatchObject({
      extends: "base",
      path: ["middle", "right"],
      resolved: { order: "listed" },
    });
    expect(await get(control, "base")).toMatchObject({ path: ["low"] });
    const { data } = (await ask("GET", "/v1/contracts/copy/transitions")).json as { data: object[] };
    expect(data.at(-1)).toMatchObject({ to: ["middle", "right"] });
  });

  test("a region of the same name replaces, others go before, behind or first, and some are removed", async () => {
    const control = createTestControl();
    await put(control, "base", base);
    const text = `
extends: base
remove: [ low, middle/left ]
regions:
  - { name: worst, when: p99 > 500 }
  - { name: bad, when: p99 > 100, before: high }
  - { name: fair, when: p99 < 80, after: middle }
  - { name: high, exit: p99 < 5 }
transitions:
  - { from: middle, to: high, do: [ { callback: mine } ] }
`;
    const answer = await put(control, "mine", text);
    expect(answer.status).toBe(201);
    expect(names(answer.json)).toEqual(["worst", "middle", "fair", "bad", "high"]);
    expect(answer.json["resolved"]).toMatchObject({
      regions: [{}, { regions: [{ name: "right" }] }, {}, {}, { exit: "p99 < 5" }],
      transitions: [{ from: "middle", to: "high", do: [{ callback: "mine" }] }],
    });
    expect(answer.json["warnings"]).toEqual([expect.stringContaining('from "low" to "middle"')]);
  });

  test("circles are refused and named, and so is a base that is not there", async () => {
    const control = createTestControl();
    await put(control, "a", base);
    await put(control, "b", "extends: a");
    await put(control, "c", "extends: b");
    const circle = await put(control, "a", "extends: c");
    expect([circle.status, circle.json]).toEqual([
      422,
      expect.objectContaining({ code: "contradiction", value: "a -> c -> b -> a" }),
    ]);
    expect((await put(control, "d", "extends: d")).json).toMatchObject({ value: "d -> d" });
    expect((await put(control, "d", "extends: nothing")).json).toMatchObject({
      code: "contradiction",
      value: "nothing",
    });
    expect(names(await get(control, "a"))).toEqual(["low", "middle", "high"]);
  });

  test.each([
    ["remove: [ nothing ]", "nothing"],
    ["regions: [ { name: x, when: p99 > 1, before: nothing } ]", "nothing"],
    ["regions: [ { name: x, when: p99 > 1, before: low, after: high } ]", "x"],
  ])("refuses %s", async (text, value) => {
    const control = createTestControl();
    await put(control, "base", base);
    expect((await put(control, "x", `extends: base\n${text}`)).json).toMatchObject({ code: "contradiction", value });
    expect((await put(control, "x", `${text}\nregions: [ { name: y } ]`)).status).toBeGreaterThanOrEqual(400);
  });

  test("a base that is replaced changes what extends it, or is not replaced where that could not be", async () => {
    const control = createTestControl();
    const { ask, settle } = control;
    await put(control, "base", base);
    await put(control, "mine", "extends: base\nregions: [ { name: top, when: spare > 5, before: high } ]");
    await put(control, "mine.too", "extends: mine");
    await ask("PUT", "/v1/conditions/mine.too.p99/value", { value: 30 });
    settle();
    const wider = base.replace("p99 < 50", "p99 < 25");
    expect((await put(control, "base", wider)).status).toBe(200);
    settle();
    expect(await get(control, "mine.too")).toMatchObject({ path: ["high"], hits: { "middle/right": 1 } });
    const without = await put(control, "base", base.replace("name: high", "name: top").replace("to: high", "to: top"));
    expect([without.status, without.json["code"]]).toEqual([409, "contract_in_use"]);
    expect(without.json["detail"]).toContain('"mine" could not extend it');
    expect(names(await get(control, "base"))).toEqual(["low", "middle", "high"]);
    const removed = await ask("DELETE", "/v1/contracts/base");
    expect([removed.status, removed.json]).toEqual([409, expect.objectContaining({ limit: ["mine", "mine.too"] })]);
    for (const name of ["mine.too", "mine", "base"])
      expect((await ask("DELETE", `/v1/contracts/${name}`)).status).toBe(204);
    expect((await ask("GET", "/v1/conditions")).json).toMatchObject({ data: [] });
  });

  test("more bases upon one another than the limit are refused", async () => {
    const control = createTestControl();
    await put(control, "c0", base);
    for (let level = 1; level <= limits.contractBases; level++)
      expect((await put(control, `c${level}`, `extends: c${level - 1}`)).status).toBe(201);
    const answer = await put(control, "last", `extends: c${limits.contractBases}`);
    expect(answer.json).toMatchObject({ code: "limit_reached", limit: limits.contractBases });
  });
});
