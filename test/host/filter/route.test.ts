import { describe, expect, test } from "vitest";
import { isSluiceError, type SluiceError } from "../../../host/errors.ts";
import { FilterExpressionError } from "../../../host/filter/place.ts";
import { bindingFromJson, bindingJson, sameBinding } from "../../../host/filter/route.ts";

function refusal(value: unknown, path: readonly PropertyKey[] = []): SluiceError | undefined {
  try {
    bindingFromJson(value, path);
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  return undefined;
}

describe("bindingFromJson()", () => {
  test("fills in what is not said", () => {
    expect(bindingFromJson({ route: {} }).routes).toEqual([
      {
        json: {},
        when: undefined,
        where: undefined,
        orderBy: undefined,
        descending: false,
        limit: undefined,
        choose: "best",
        per: undefined,
        charge: 0,
        maxAgeMs: Number.POSITIVE_INFINITY,
        unique: undefined,
        reply: undefined,
      },
    ]);
    const [route] = bindingFromJson({ route: { unique: {}, reply: { response: "type = 'r'" } } }).routes;
    expect(route?.unique).toMatchObject({ by: { source: "key" }, withinMs: 5_000, maxKeys: 100_000 });
    expect(route?.reply).toMatchObject({ response: { source: "type = 'r'" }, withinMs: 60_000, maxKeys: 100_000 });
  });

  test.each([
    [{ choose: "tied" }, 2],
    [{ choose: "tied", limit: 3 }, 3],
    [{ choose: "hash" }, 1],
    [{ choose: "random" }, undefined],
    [{ limit: 2.9 }, 2],
    [{ limit: 0 }, 0],
  ])("takes %j as a limit of %s", (route, limit) => {
    expect(bindingFromJson({ route }).routes[0]?.limit).toBe(limit);
  });

  test("gives back what was said, one route as a list of one, and takes that again", () => {
    const route = { when: "type = 'request'", where: "sink.load < 0.8", orderBy: "sink.load", limit: "copies" };
    const binding = bindingFromJson({ route: { ...route, per: null, maxAgeMs: null } });
    expect(bindingJson(binding)).toEqual({ routes: [route] });
    expect(sameBinding(bindingFromJson(bindingJson(binding)), binding)).toBe(true);
  });

  test.each([
    [{ limit: 1 }, { limit: 1, choose: "best", descending: null, charge: 0 }, true],
    [{ choose: "tied" }, { choose: "tied", limit: 2 }, true],
    [{ unique: {} }, { unique: { by: "key", withinMs: 5_000, maxKeys: 100_000 } }, true],
    [{ limit: 1 }, { limit: 2 }, false],
    [{ limit: 1 }, { limit: "1" }, false],
    [{ where: "a" }, { when: "a" }, false],
    [{ where: "a" }, { where: "a", dialect: "cesql" }, false],
    [{ orderBy: "sink.a" }, { orderBy: "sink.a", maxAgeMs: 5 }, false],
  ])("compares %j and %j: %s", (one, other, same) => {
    expect(sameBinding(bindingFromJson({ route: one }), bindingFromJson({ routes: [other] }))).toBe(same);
  });

  test("keeps a module as it was said, and tells bindings of it apart by all of that", () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const said = { module: "m", digest, config: { a: { b: null } }, onError: "divert", fuel: 5 };
    expect(bindingJson(bindingFromJson(said))).toEqual(said);
    expect(bindingJson(bindingFromJson({ module: "m", digest: null, config: null, fuel: null }))).toEqual({
      module: "m",
    });
    const others = [{ module: "n" }, { digest: undefined }, { config: {} }, { onError: "drop" }, { fuel: 6 }, {}];
    const same = others.map((other) =>
      sameBinding(bindingFromJson(said), bindingFromJson(JSON.parse(JSON.stringify({ ...said, ...other })))),
    );
    expect(same).toEqual([false, false, false, false, false, true]);
  });

  test.each([
    ["no object", 5, "invalid_value", 5],
    ["no routes", {}, "invalid_value", "routes"],
    ["an empty list", { routes: [] }, "invalid_value", "routes"],
    ["65 routes", { routes: Array(65).fill({}) }, "invalid_value", "routes"],
    ["an unknown field", { routes: [{}, { unique: { for: 5 } }] }, "unknown_field", "routes[1].unique.for"],
    ["a module without a name", { module: "" }, "invalid_value", ""],
    ["half a digest", { module: "m", digest: "sha256:00" }, "invalid_value", "sha256:00"],
    ["a config that is a list", { module: "m", config: [1] }, "invalid_value", [1]],
    ["a config of 64 KiB", { module: "m", config: { a: "x".repeat(65_536) } }, "limit_reached", "config"],
    ["more fuel than there is", { module: "m", fuel: 2_000_001 }, "invalid_value", 2_000_001],
    ["a way to fail that is none", { module: "m", onError: "park" }, "invalid_value", "park"],
    ["a way to choose that is none", { route: { choose: "worst" } }, "invalid_value", "worst"],
    ["a limit below 0", { route: { limit: -1 } }, "invalid_value", -1],
    ["a limit that is a list", { route: { limit: [2] } }, "invalid_value", [2]],
    ["a negative charge", { route: { orderBy: "sink.a", charge: -1 } }, "invalid_value", -1],
    ["an age of 0", { route: { orderBy: "sink.a", maxAgeMs: 0 } }, "invalid_value", 0],
    ["a memory of 1,000,001 keys", { route: { unique: { maxKeys: 1_000_001 } } }, "invalid_value", 1_000_001],
    ["half a key", { route: { unique: { maxKeys: 0.5 } } }, "invalid_value", 0.5],
    ["a reply without responses", { route: { reply: {} } }, "invalid_value", "route.reply.response"],
  ])("refuses %s", (_name, value, code, offending) => {
    const error = refusal(value);
    expect(error).toMatchObject({ code });
    expect(error?.value).toEqual(offending);
  });

  test.each([
    [{ routes: [{}], route: {} }, ["route", "routes"]],
    [{ routes: [{}], module: "m" }, ["module", "routes"]],
    [{ route: {}, fuel: 5 }, ["fuel", "module"]],
    [{ route: {}, onError: "drop" }, ["onError", "module"]],
    [{ route: { choose: "random", orderBy: "sink.a" } }, ["route.choose", "route.orderBy"]],
    [{ route: { choose: "tied", charge: 1 } }, ["route.choose", "route.charge"]],
    [{ route: { choose: "hash", maxAgeMs: 5 } }, ["route.choose", "route.maxAgeMs"]],
    [{ routes: [{}, { descending: true }] }, ["routes[1].descending", "routes[1].orderBy"]],
    [{ route: { charge: 0.1, limit: 1 } }, ["route.charge", "route.orderBy"]],
    [{ route: { per: "sink.group" } }, ["route.per", "route.limit"]],
  ])("refuses the contradiction in %j, naming both sides", (value, sides) => {
    expect(refusal(value)).toMatchObject({ code: "contradiction", value: sides });
  });

  test.each([
    [{ per: "sink.group", limit: 0 }],
    [{ per: "sink.group", choose: "tied" }],
    [{ choose: "random", descending: false, charge: 0, maxAgeMs: null, orderBy: null }],
  ])("sees none in %j", (route) => {
    expect(refusal({ route })).toBeUndefined();
  });
});

describe("expressions of routes", () => {
  test.each([
    ["when", "type = ", 1, 8, undefined],
    ["where", "a AND\n  (b", 2, 5, undefined],
    ["when", "a = 1 AND sink.load < 1", 1, 11, ["a name of the event"]],
    ["when", "EXISTS sink.load", 1, 8, ["a name of the event"]],
    ["limit", "sink.copies", 1, 1, ["a name of the event"]],
    ["limit", "age(sink.load)", 1, 5, ["a name of the event"]],
    ["when", "5", 1, 1, ["something that is true or false"]],
    ["where", "'yes'", 1, 1, ["something that is true or false"]],
    ["orderBy", "sink.load < 1", 1, 1, ["a number"]],
    ["orderBy", "'load'", 1, 1, ["a number"]],
    ["limit", "TRUE", 1, 1, ["a number"]],
    ["limit", "type", 1, 1, ["a number"]],
  ])("in %s %j is refused at %i:%i", (field, text, line, column, expected) => {
    const error = refusal({ routes: [{}, { [field]: text }] }, ["filters", "out"]);
    const path = `filters.out.routes[1].${field}`;
    expect(error).toBeInstanceOf(FilterExpressionError);
    expect(error).toMatchObject({ code: "expression", line, column, field: path, expression: text });
    if (expected !== undefined) expect(error?.expected).toEqual(expected);
    expect(error?.message).toContain(`${path} at line ${line}, column ${column}`);
  });

  test.each([
    [{ unique: { by: "sink.a" } }, "route.unique.by"],
    [{ reply: { response: "sink.a = 1" } }, "route.reply.response"],
    [{ reply: { response: "1" } }, "route.reply.response"],
  ])("in %j name their field", (route, field) => {
    expect(refusal({ route })).toMatchObject({ code: "expression", field });
  });

  test("may name a sink where it is about sinks, and what nobody knows", () => {
    const route = { where: "sink.up AND zone = sink.zone", orderBy: "sink.load * 2 + age(sink.load)", limit: 1 };
    expect(refusal({ route: { ...route, per: "sink.group" } })).toBeUndefined();
    expect(
      refusal({ route: { limit: "nosuch", when: "nosuch", unique: { by: "CONCAT(source, key)" } } }),
    ).toBeUndefined();
  });

  test("in the pure dialect have no sinks", () => {
    expect(refusal({ route: { where: "sink.a = 1", dialect: "cesql" } })).toMatchObject({
      code: "expression",
      column: 5,
    });
  });

  test("are bounded", () => {
    expect(refusal({ route: { when: "a".repeat(8_193) } })).toMatchObject({ code: "limit_reached", limit: 8_192 });
    const deep = `${"(".repeat(200)}a${")".repeat(200)}`;
    expect(refusal({ route: { where: deep } })).toMatchObject({ code: "limit_reached", field: "route.where" });
  });
});
