import { describe, expect, test } from "vitest";
import { defaultDefinition, overlay } from "../../../host/channel/definition.ts";
import { patternSchema } from "../../../host/channel/pattern.ts";
import { Templates, templateFromJson, templateResource } from "../../../host/channel/templates.ts";
import { isSluiceError } from "../../../host/errors.ts";
import { limits } from "../../../host/limits.ts";
import { createTestService } from "../support/service.ts";

/** Templates with these patterns; each says its own TTL, by its place in the list. */
function templatesOf(...patterns: string[]): Templates {
  const templates = new Templates();
  for (const [index, pattern] of patterns.entries())
    templates.put(templateFromJson({ pattern, delivery: { ttlMs: index + 1 } }, `t${index}`));
  return templates;
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    return isSluiceError(error) ? error.code : String(error);
  }
}

describe("patterns", () => {
  test.each([
    ["sensors.*", ["sensors.a", "sensors.a-1"], ["sensors", "sensors.", "sensors.a.b", "sensors/a", "xsensors.a"]],
    ["user/>", ["user/1", "user/1/2", "user/a.b/c"], ["user", "user/", "user.1", "users/1"]],
    ["*", ["a", "a-b_c"], ["a.b", "a/b"]],
    [">", ["a", "a/b.c-d"], []],
    ["*.load", ["host.load"], ["load", ".load", "a.b.load", "host.loads"]],
    ["a.*.c/*", ["a.b.c/d"], ["a.b.c", "a.b.c/d/e", "a..c/d"]],
    ["orders", ["orders"], ["orders2", "order", "xorders"]],
    ["a-b.c_d", ["a-b.c_d"], ["a-bxc_d", "aab.c_d"]],
  ])("%s matches %j and not %j", (pattern, matching, others) => {
    const templates = templatesOf(pattern);
    for (const name of matching) expect(templates.fieldsFor(name), name).toBeDefined();
    for (const name of others) expect(templates.fieldsFor(name), name).toBeUndefined();
  });

  test.each(["", "a*", "*a.b", "a.>.b", ">a", "a.>b", "a b", "a.ä", "a**", "x".repeat(256), "a\n", "a.(b)"])(
    "%j is none",
    (pattern) => {
      expect(patternSchema.safeParse(pattern).success).toBe(false);
      expect(codeOf(() => templateFromJson({ pattern }, "t"))).toBe("invalid_value");
    },
  );

  test("take one pass over a name that nearly matches", () => {
    const templates = templatesOf(`${"*.".repeat(120)}x`);
    expect(templates.fieldsFor(`${"a.".repeat(127)}`)).toBeUndefined();
  });
});

describe("templates that match one name", () => {
  test.each([
    [">", "sensors.*"],
    [">", "sensors.>"],
    ["sensors.>", "sensors.*"],
    ["sensors.>", "sensors.kitchen"],
    ["*.>", "*.*"],
    ["*.kitchen", "sensors.>"],
    ["*.kitchen", "sensors.*"],
    ["sensors.*", "sensors.kitchen"],
  ])("%s gives way to %s, in whatever order they were made", (less, more) => {
    expect(templatesOf(less, more).definitionFor("sensors.kitchen").delivery.ttlMs).toBe(2);
    expect(templatesOf(more, less).definitionFor("sensors.kitchen").delivery.ttlMs).toBe(1);
  });

  test("of equal patterns the later in the alphabet counts more", () => {
    const templates = new Templates();
    for (const name of ["b", "c", "a"]) templates.put(templateFromJson({ pattern: "x", types: [name] }, name));
    expect(templates.definitionFor("x").types).toEqual(["c"]);
  });

  test("add up field by field; null is a value, and a list is one", () => {
    const templates = new Templates();
    templates.put(
      templateFromJson({ pattern: ">", types: ["a", "b"], echo: false, delivery: { ttlMs: 5, priority: 7 } }, "all"),
    );
    templates.put(templateFromJson({ pattern: "x.*", types: ["c"], delivery: { ttlMs: null } }, "some"));
    expect(templates.definitionFor("x.y")).toEqual({
      ...defaultDefinition,
      types: ["c"],
      echo: false,
      delivery: { ...defaultDefinition.delivery, priority: 7, ttlMs: null },
    });
    expect(templates.definitionFor("y").delivery).toMatchObject({ ttlMs: 5, priority: 7 });
  });
});

describe("templateFromJson()", () => {
  test("keeps what was said, and nothing that was not", () => {
    const resource = { pattern: "a.*", store: { events: 10 }, filters: { out: null }, limits: {} };
    const template = templateFromJson({ ...resource, name: "t" }, "t");
    expect(templateResource(template)).toEqual({ name: "t", ...resource });
    expect(templateFromJson(templateResource(template), "t")).toEqual(template);
  });

  test.each([
    [{}, "invalid_value"],
    [{ pattern: "a", name: "other" }, "invalid_value"],
    [{ pattern: "a", ecko: true }, "unknown_field"],
    [{ pattern: "a", delivery: { prio: 1 } }, "unknown_field"],
    [{ pattern: "a", sinks: 1 }, "unknown_field"],
    [{ pattern: "a", governedBy: [] }, "unknown_field"],
    [{ pattern: "a", types: null }, "invalid_value"],
    [{ pattern: "a", presence: true }, "not_supported"],
    [{ pattern: "a", limits: { sinks: 5 } }, "not_supported"],
    [{ pattern: "a", delivery: { priority: 10 } }, "priority_out_of_range"],
    [[], "invalid_value"],
    [null, "invalid_value"],
  ])("refuses %j", (resource, code) => {
    expect(codeOf(() => templateFromJson(resource, "t"))).toBe(code);
  });
});

describe("Templates", () => {
  test("are bounded, and replacing needs no room", () => {
    const templates = new Templates();
    for (let index = 0; index < limits.templates; index += 1)
      expect(templates.put(templateFromJson({ pattern: "a" }, `t${index}`))).toBe(true);
    expect(codeOf(() => templates.put(templateFromJson({ pattern: "a" }, "more")))).toBe("limit_reached");
    expect(templates.put(templateFromJson({ pattern: "b" }, "t0"))).toBe(false);
    expect([templates.remove("t1"), templates.remove("t1")]).toEqual([true, false]);
    expect(templates.put(templateFromJson({ pattern: "a" }, "more"))).toBe(true);
  });

  test("count for channels that come into being by themselves, and leave others alone", () => {
    const { service } = createTestService();
    service.channels.resolve("sensors.old");
    service.templates.put(templateFromJson({ pattern: "sensors.*", store: { events: 3 } }, "sensors"));
    service.publish("sensors.new", []);
    expect(service.channels.get("sensors.new")?.definition.store.events).toBe(3);
    expect(service.channels.get("sensors.old")?.definition).toEqual(defaultDefinition);
    service.templates.remove("sensors");
    expect(service.channels.get("sensors.new")?.definition.store.events).toBe(3);
    expect(service.channels.resolve("sensors.newer").definition).toEqual(defaultDefinition);
  });
});

test("overlay() changes neither of its arguments", () => {
  const base = { a: { b: 1 }, c: [1] };
  const over = { a: { d: 2 }, c: [2], e: null };
  expect(overlay(base, over)).toEqual({ a: { b: 1, d: 2 }, c: [2], e: null });
  expect([base, over]).toEqual([
    { a: { b: 1 }, c: [1] },
    { a: { d: 2 }, c: [2], e: null },
  ]);
});
