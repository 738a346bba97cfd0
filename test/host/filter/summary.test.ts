import { describe, expect, test } from "vitest";
import { bindingFromJson } from "../../../host/filter/route.ts";
import { bindingSummary, durationText } from "../../../host/filter/summary.ts";

describe("bindingSummary()", () => {
  test.each([
    [{}, "all"],
    [{ limit: 0 }, "nobody"],
    [{ limit: 2 }, "2 in turn"],
    [{ orderBy: "sink.load" }, "all"],
    [{ orderBy: "sink.load", limit: 1 }, "1 best by sink.load"],
    [{ orderBy: "sink.free", descending: true, limit: "copies" }, "(copies) best by highest sink.free"],
    [{ choose: "random", limit: 3 }, "3 at random"],
    [{ choose: "tied" }, "2 tied"],
    [{ choose: "hash" }, "1 by hash of the key"],
    [{ limit: 1, per: "sink.group" }, "1 in turn per sink.group"],
    [{ when: "urgent", limit: 1 }, "urgent: 1 in turn"],
    [
      {
        when: "type = 'request'",
        where: "sink.load < 0.8",
        orderBy: "sink.load",
        limit: 2,
        unique: {},
      },
      "request: 2 best by sink.load where sink.load < 0.8, unique by key for 5 s",
    ],
    [
      { orderBy: "sink.load", limit: 1, charge: 0.05, maxAgeMs: 250 },
      "1 best by sink.load, each choice costs 0.05, those within 250 ms first",
    ],
    [{ reply: { response: "type = 'response'" } }, "all, replies (type = 'response') to who asked within 60 s"],
  ])("says %j as %j", (route, text) => {
    expect(bindingSummary(bindingFromJson({ route }))).toBe(text);
  });

  test.each([
    [{ module: "least-loaded" }, "module least-loaded"],
    [
      { module: "a.b", digest: `sha256:${"0123456789abcdef".repeat(4)}`, onError: "drop", config: { a: 1 } },
      "module a.b@01234567, drop on errors",
    ],
  ])("says the module %j as %j", (binding, text) => {
    expect(bindingSummary(bindingFromJson(binding))).toBe(text);
  });

  test("stays one line of a few routes, whatever they are", () => {
    const when = `a = '${"x".repeat(500)}'\n  OR\n b`;
    const text = bindingSummary(bindingFromJson({ routes: Array(64).fill({ when, limit: 1 }) }));
    expect(text).not.toContain("\n");
    expect(text.length).toBeLessThan(1_000);
    expect(text).toMatch(/; and 56 more$/);
  });
});

test("durationText() has the unit that suits", () => {
  expect([0.5, 250, 1_000, 1_500, 1_234, 60_000].map(durationText)).toEqual([
    "0.5 ms",
    "250 ms",
    "1 s",
    "1.5 s",
    "1234 ms",
    "60 s",
  ]);
});
