/** Goal: what docs/expressions.md says of its examples is so, for evaluator and machine. */
import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../../host/expression/compile.ts";
import { type Dialect, dialects } from "../../../host/expression/dialect.ts";
import { evaluate } from "../../../host/expression/evaluate.ts";
import { functionNames } from "../../../host/expression/functions.ts";
import { valueText } from "../../../host/expression/value.ts";
import { viewOf } from "../../../host/expression/view.ts";
import { UpdateSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";
import { limits } from "../../../host/limits.ts";
import { eventFromJson } from "../../../host/socket/json/event.ts";
import { valuesFromScalars } from "../../../host/socket/json/value.ts";
import { Machine } from "./machine.ts";

const page = readFileSync(new URL("../../../docs/expressions.md", import.meta.url), "utf8");
const [eventText = "", sinkText = ""] = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
const event = eventFromJson(JSON.parse(eventText));
const { attributes } = create(UpdateSchema, { attributes: valuesFromScalars(JSON.parse(sinkText)) });
const machine = new Machine();
machine.sink(attributes);

const tables = [...page.matchAll(/^<!-- examples: (\w+) -->\n((?:\|.*\n)+)/gm)].map(([, dialect, table = ""]) => ({
  dialect: dialect as Dialect,
  rows: [...table.matchAll(/^\| `(.+?)` \| `(.+?)` \|$/gm)].map(([, source = "", value = ""]) => ({ source, value })),
}));

describe.each(tables)("docs/expressions.md, $dialect", ({ dialect, rows }) => {
  test.each(rows)("$source is $value", ({ source, value }) => {
    if (!event.ok) throw event.error;
    const { tree, program } = compileExpression(source, dialect);
    expect(valueText(evaluate(tree, viewOf(event.value, { attributes }), dialect).value)).toBe(value);
    expect(valueText(machine.evaluate(program, event.value).value)).toBe(value);
  });
});

describe("docs/expressions.md", () => {
  test("has examples of both dialects in every table", () => {
    expect(new Set(tables.map(({ dialect }) => dialect))).toEqual(new Set(dialects));
    for (const { rows } of tables) expect(rows.length).toBeGreaterThan(4);
    expect(tables.length).toBe(page.match(/<!-- examples/g)?.length);
    expect(tables.flatMap(({ rows }) => rows).length).toBe(page.match(/^\| `.+` \| `.+` \|$/gm)?.length);
  });

  test("names every function and the limits that hold", () => {
    for (const name of functionNames) expect(page).toContain(`\`${name}(`);
    const { expressionBytes, expressionDepth, expressionConstants, expressionNames, expressionStack } = limits;
    for (const limit of [expressionBytes, expressionDepth, expressionConstants, expressionNames, expressionStack]) {
      expect(page).toContain(limit.toLocaleString("en-US"));
    }
  });
});
