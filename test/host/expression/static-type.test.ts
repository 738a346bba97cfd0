import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../../host/expression/evaluate.ts";
import { parse } from "../../../host/expression/parse.ts";
import { assertType, type StaticType, staticType } from "../../../host/expression/static-type.ts";
import { viewOf } from "../../../host/expression/view.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { createTestControl } from "../control/support.ts";
import { connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

const event = create(EventSchema, {
  source: "/web/1",
  deliverByUs: 1_767_225_600_250_001n,
  priority: 4,
  attributes: {
    load: { kind: { case: "number", value: 0.5 } },
    zone: { kind: { case: "text", value: "eu" } },
    urgent: { kind: { case: "boolean", value: true } },
  },
});

const cases: readonly (readonly [string, StaticType | undefined])[] = [
  ["5", "number"],
  ["-5", "number"],
  ["-zone", "number"],
  ["2.5", "number"],
  ["'abc'", "text"],
  ["'true'", "text"],
  ["TRUE", "boolean"],
  ["urgent", undefined],
  ["sink.urgent", undefined],
  ["(urgent)", undefined],
  ["priority", "number"],
  ["source", "text"],
  ["deliverBy", "text"],
  ["specversion", "text"],
  ["age(sink.load)", "number"],
  ["load + 1", "number"],
  ["load > 1", "boolean"],
  ["load AND 5", "boolean"],
  ["NOT load", "boolean"],
  ["EXISTS load", "boolean"],
  ["load IS NULL", "boolean"],
  ["load BETWEEN 1 AND 2", "boolean"],
  ["zone LIKE 'e%'", "boolean"],
  ["zone IN ('eu')", "boolean"],
  ["LENGTH(zone)", "number"],
  ["ABS(load)", "number"],
  ["INT(load)", "number"],
  ["CONCAT(zone, 'x')", "text"],
  ["STRING(load)", "text"],
  ["BOOL(zone)", "boolean"],
];

describe("staticType()", () => {
  test.each(cases)("of %s is %s", (source, type) => {
    expect(staticType(parse(source, "sluice"))).toBe(type);
  });

  test("is FALSE's where the pure language has no such function", () => {
    expect(staticType(parse("NOBODY(1)", "cesql"))).toBe("boolean");
  });

  test.each(cases)("of %s is what evaluation gives, where that gives anything", (source, type) => {
    const { value } = evaluate(parse(source, "sluice"), viewOf(event));
    if (type === undefined || value === undefined) return;
    const given = typeof value === "bigint" ? "number" : typeof value === "string" ? "text" : typeof value;
    expect(given).toBe(type);
  });
});

describe("assertType()", () => {
  test("names the part that gives the value, and what was expected", () => {
    const source = "\n  LENGTH(zone)";
    expect(() => assertType(source, parse(source, "sluice"), "boolean")).toThrow(
      expect.objectContaining({
        code: "expression",
        message:
          'Cannot take the expression at line 2, column 3: "LENGTH(zone)" gives a number, expected something that is true or false',
        line: 2,
        column: 3,
        value: "LENGTH(zone)",
        expected: ["something that is true or false"],
      }),
    );
  });

  test("takes what may be of the type, and one of several", () => {
    for (const source of ["load", "5"]) assertType(source, parse(source, "sluice"), "number", "boolean");
  });
});

describe("a where that is no condition is refused when it is set", () => {
  test.each(["5", "'abc'", "LENGTH(zone)", "source"])("%s in a join", async (where) => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    sink.send({ ref: 1, join: { channel: "unheard-of", where } });
    expect(await sink.take("problem", 1)).toMatchObject({ code: "expression", line: 1, column: 1, value: where });
    expect(host.service.channels.get("unheard-of")).toBeUndefined();
  });

  test("in a stream and in an inbox", async () => {
    const { ask } = createTestControl();
    await ask("PUT", "/v1/channels/c", {});
    const stream = await ask("GET", "/v1/channels/c/events?where=5", undefined, { Accept: "text/event-stream" });
    expect(stream.json).toMatchObject({ status: 422, code: "expression" });
    const { json: inbox } = await ask("POST", "/v1/inboxes", {});
    const joined = await ask("PUT", `/v1/inboxes/${inbox["id"]}/joins/c`, { where: "'abc'" });
    expect(joined.json).toMatchObject({ status: 422, code: "expression" });
  });
});
