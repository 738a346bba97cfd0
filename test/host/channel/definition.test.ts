import { describe, expect, test } from "vitest";
import {
  assertChannelName,
  type ChannelDefinition,
  channelResource,
  defaultDefinition,
  definitionFromJson,
  definitionFromPatch,
} from "../../../host/channel/definition.ts";
import type { SluiceError } from "../../../host/errors.ts";
import { readJson } from "../../../host/socket/json/reader.ts";

/** What `action` throws. */
function refusal(action: () => unknown): SluiceError | undefined {
  try {
    action();
  } catch (thrown) {
    return thrown as SluiceError;
  }
  return undefined;
}

describe("assertChannelName()", () => {
  test.each(["a", "_", "0", "host.load", "sensors/room-1/temp_c", "A..b//c--", "a/../b", "x".repeat(255)])(
    "takes %j",
    (name) => {
      expect(refusal(() => assertChannelName(name))).toBeUndefined();
    },
  );

  test.each(["", ".a", "/a", "-a", "a b", "a%2Fb", "ä", "a\n", "a\u0000", "a*", "a>", "__proto__ ", "x".repeat(256)])(
    "refuses %j",
    (name) => {
      expect(refusal(() => assertChannelName(name))).toMatchObject({ code: "channel_name", limit: 255 });
    },
  );

  test("names the length of a long name, and repeats it only in part", () => {
    const error = refusal(() => assertChannelName("x".repeat(10_000)));
    expect(error?.message).toContain("10000 characters, limit is 255");
    expect(error?.message.length).toBeLessThan(200);
    expect(String(error?.value).length).toBeLessThanOrEqual(510);
  });
});

describe("definitionFromJson()", () => {
  test("fills in every default", () => {
    expect(definitionFromJson({})).toEqual(defaultDefinition);
    expect(defaultDefinition).toEqual({
      types: [],
      source: "many",
      delivery: { priority: 4, ttlMs: null, late: "deliver", empty: "drop", divertTo: null, window: null },
      echo: undefined,
      store: { events: 0 },
      filters: { in: null, out: null },
    });
    expect(Object.isFrozen(defaultDefinition) && Object.isFrozen(defaultDefinition.delivery)).toBe(true);
  });

  test("takes what GET shows, counters included", () => {
    const definition = definitionFromJson({
      types: ["a", "b", "a"],
      source: "single",
      delivery: { priority: 0, ttlMs: 250, late: "drop" },
      echo: false,
      store: { events: 1_048_576 },
    });
    expect(definition.types).toEqual(["a", "b"]);
    const shown = { ...channelResource("c", definition), sinks: 3, sources: 1, sequence: 12 };
    expect(definitionFromJson(JSON.parse(JSON.stringify(shown)), "c")).toEqual(definition);
  });

  test("takes every field of later versions at its neutral value", () => {
    const neutral = {
      delivery: { divertTo: null, window: null, empty: "drop" },
      presence: false,
      store: { events: 0, durable: false },
      filters: { in: null, out: null },
      governedBy: [],
    };
    expect(definitionFromJson(neutral)).toEqual(defaultDefinition);
    expect(definitionFromJson({ store: {}, filters: {} })).toEqual(defaultDefinition);
  });

  test.each([
    ["an unknown field", { colour: 1 }, "unknown_field", "colour"],
    ["an unknown field of delivery", { delivery: { prio: 1 } }, "unknown_field", "delivery.prio"],
    [
      "an unknown field of a window",
      { delivery: { window: { lose: 1, of: 2, periodMs: 3, x: 1 } } },
      "unknown_field",
      "delivery.window.x",
    ],
    ["what is no object", [], "invalid_value", []],
    ["null", null, "invalid_value", null],
    ["types that are text", { types: "a" }, "invalid_value", "a"],
    ["an empty type", { types: [""] }, "invalid_value", ""],
    ["a long type", { types: ["x".repeat(257)] }, "type_too_long", "x".repeat(256)],
    ["65 types", { types: Array.from({ length: 65 }, String) }, "invalid_value", "types"],
    ["a source that is none", { source: "few" }, "invalid_value", "few"],
    ["priority 10", { delivery: { priority: 10 } }, "priority_out_of_range", 10],
    ["priority 1.5", { delivery: { priority: 1.5 } }, "priority_out_of_range", 1.5],
    ["a TTL of 0", { delivery: { ttlMs: 0 } }, "invalid_value", 0],
    ["a TTL beyond the calendar", { delivery: { ttlMs: 2 ** 50 } }, "invalid_value", 2 ** 50],
    ["echo that is text", { echo: "yes" }, "invalid_value", "yes"],
    ["another name", { name: "d" }, "invalid_value", "d"],
    [
      "diversion of late events to nowhere",
      { delivery: { late: "divert" } },
      "contradiction",
      ["delivery.late", "delivery.divertTo"],
    ],
    [
      "diversion to nowhere",
      { delivery: { empty: "divert" } },
      "contradiction",
      ["delivery.empty", "delivery.divertTo"],
    ],
    ["diversion to itself", { delivery: { empty: "divert", divertTo: "c" } }, "contradiction", "delivery.divertTo"],
    ["a channel to divert to that cannot be", { delivery: { divertTo: "/" } }, "channel_name", "/"],
    ["an empty policy that is none", { delivery: { empty: "keep" } }, "invalid_value", "keep"],
    ["presence", { presence: true }, "not_supported", "presence"],
    ["a ring above the limit", { store: { events: 1_048_577 } }, "invalid_value", 1_048_577],
    ["a ring of less than nothing", { store: { events: -1 } }, "invalid_value", -1],
    ["half an event", { store: { events: 0.5 } }, "invalid_value", 0.5],
    ["durability", { store: { durable: true } }, "not_supported", "store.durable"],
    [
      "a module with routes",
      { filters: { in: { module: "m", route: {} } } },
      "contradiction",
      ["filters.in.module", "filters.in.route"],
    ],
    ["a filter without routes", { filters: { out: {} } }, "invalid_value", "filters.out.routes"],
    ["a stage that is none", { filters: { on: null } }, "unknown_field", "filters.on"],
    [
      "an unknown field of a route",
      { filters: { out: { route: { wher: "a" } } } },
      "unknown_field",
      "filters.out.route.wher",
    ],
    ["65 routes", { filters: { out: { routes: Array(65).fill({}) } } }, "invalid_value", "filters.out.routes"],
  ])("refuses %s", (_name, value, code, offending) => {
    const error = refusal(() => definitionFromJson(value, "c"));
    expect(error).toMatchObject({ code });
    expect(error?.value).toEqual(offending);
  });

  test("says which feature a version lacks, and what it takes instead", () => {
    expect(refusal(() => definitionFromJson({ presence: true }))).toMatchObject({
      message: "Cannot take presence true, this version has no presence events, only false is taken",
      limit: false,
    });
  });

  test("is not fooled by names of Object.prototype", () => {
    for (const text of [
      '{"__proto__":{"echo":false}}',
      '{"constructor":{"prototype":{}}}',
      '{"delivery":{"__proto__":{"priority":9}}}',
    ]) {
      const read = readJson(text);
      if (!read.ok) throw read.error;
      const { value } = read;
      expect(refusal(() => definitionFromJson(value))?.code).toBe("unknown_field");
    }
  });
});

describe("definitionFromPatch()", () => {
  const current: ChannelDefinition = definitionFromJson({
    types: ["a"],
    delivery: { priority: 7, ttlMs: 5 },
    echo: false,
  });
  const patched = (patch: unknown) => definitionFromPatch("c", current, patch);

  test("changes what is named and leaves the rest", () => {
    expect(patched({ delivery: { ttlMs: 9 } })).toEqual({ ...current, delivery: { ...current.delivery, ttlMs: 9 } });
    expect(patched({ types: ["b"] })).toEqual({ ...current, types: ["b"] });
    expect(patched({})).toEqual(current);
  });

  test("gives the default back for null", () => {
    expect(patched({ types: null, delivery: { priority: null } })).toEqual({
      ...current,
      types: [],
      delivery: { ...current.delivery, priority: 4 },
    });
    expect(patched({ delivery: null, echo: null })).toEqual({ ...defaultDefinition, types: ["a"] });
  });

  test.each([
    ["a patch that is no object", ["a"], "invalid_value"],
    ["an unknown field", { delivery: { prio: 1 } }, "unknown_field"],
    ["__proto__", JSON.parse('{"__proto__":{"echo":true}}'), "unknown_field"],
    ["a renaming", { name: "d" }, "invalid_value"],
    ["a feature of a later version", { presence: true }, "not_supported"],
    ["a value of the wrong kind deep down", { delivery: { ttlMs: { a: 1 } } }, "invalid_value"],
  ])("refuses %s", (_name, patch, code) => {
    expect(refusal(() => patched(patch))?.code).toBe(code);
  });
});
