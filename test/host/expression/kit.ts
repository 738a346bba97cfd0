/**
 * The conformance kit of CloudEvents SQL, where it is at hand: beside the repository, or in the folder that SLUICE_CESQL_TCK
 * names. Its cases are data of others and are not kept here.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { parse } from "yaml";
import * as code from "../../../core-wasm/expression/code.ts";
import { type Event, EventSchema, ValueSchema } from "../../../host/gen/sluice/v1/event_pb.ts";

/** One case as the kit has it. */
interface KitTest {
  readonly name: string;
  readonly expression: string;
  readonly result?: boolean | number | string;
  readonly error?: string;
  readonly event?: { readonly [name: string]: boolean | number | string };
  readonly eventOverrides?: { readonly [name: string]: boolean | number | string };
}

/** One case. */
export interface KitCase {
  readonly name: string;
  readonly expression: string;
  /** Absent: anything. */
  readonly result: boolean | bigint | string | undefined;
  /** ERROR_… bits, or "parse". */
  readonly error: number | "parse";
  readonly event: Event;
}

const errors: { readonly [name: string]: number | "parse" } = {
  parse: "parse",
  math: code.ERROR_MATH,
  cast: code.ERROR_CAST,
  missingFunction: code.ERROR_MISSING_FUNCTION,
  functionEvaluation: code.ERROR_FUNCTION,
  missingAttribute: code.ERROR_MISSING,
};

const folder = process.env["SLUICE_CESQL_TCK"] ?? join(import.meta.dirname, "../../../..", "shared", "cesql-tck");

/** Its cases by file; undefined where it is not at hand. */
export function kit(): ReadonlyMap<string, readonly KitCase[]> | undefined {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return new Map(files.map((file) => [file, casesFrom(readFileSync(join(folder, file), "utf8"))]));
}

/** The cases of one file. */
export function casesFrom(text: string): readonly KitCase[] {
  const { tests } = parse(text) as { readonly tests: readonly KitTest[] };
  // Expressions are texts, though YAML takes some for booleans and numbers.
  const { tests: texts } = parse(text, { schema: "failsafe" }) as { readonly tests: readonly KitTest[] };
  return tests.map((one, index) => caseOf({ ...one, expression: texts[index]?.expression ?? "" }));
}

function caseOf({ name, expression, result, error, event, eventOverrides }: KitTest): KitCase {
  const bits = error === undefined ? 0 : errors[error];
  if (bits === undefined) throw new Error(`The kit has an error "${error}" that is not known`);
  const whole = { id: "myId", source: "http://localhost/source", type: "myType", ...eventOverrides };
  return {
    name,
    expression,
    result: typeof result === "number" ? BigInt(result) : result,
    error: bits,
    event: eventOf(event ?? whole),
  };
}

/** A CloudEvent in JSON as Sluice has it. */
function eventOf(json: { readonly [name: string]: boolean | number | string }): Event {
  const { id, source, type, subject, time, specversion: _, ...extensions } = json;
  return create(EventSchema, {
    id: String(id),
    source: String(source),
    type: String(type),
    subject: String(subject ?? ""),
    ...(time === undefined ? {} : { timeUs: BigInt(Date.parse(String(time))) * 1000n }),
    attributes: Object.fromEntries(Object.entries(extensions).map(([name, value]) => [name, valueMessage(value)])),
  });
}

function valueMessage(value: boolean | number | string) {
  if (typeof value === "boolean") return create(ValueSchema, { kind: { case: "boolean", value } });
  if (typeof value === "string") return create(ValueSchema, { kind: { case: "text", value } });
  return create(ValueSchema, { kind: { case: "integer", value: BigInt(value) } });
}
