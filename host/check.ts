/**
 * Checks foreign values with zod and turns what is wrong into one SluiceError that names field, value and limit.
 *
 * Schemas say which of our codes a refusal has by a custom issue with {@link IssueParams}; what zod finds by itself is
 * `unknown_field` or `invalid_value`.
 */
import { z } from "zod";
import { type SluiceCode, SluiceError } from "./errors.ts";

/** What a custom issue of ours carries, made by {@link refuse}. */
interface IssueParams {
  readonly sluice: SluiceCode;
  /** The rule, as the end of a sentence: `limit is 9`. */
  readonly rule: string;
  readonly limit?: unknown;
  /** The error's `value` is the path of the field, not what it holds. */
  readonly names?: boolean;
  /** What is refused, in words, where field and value do not say it. */
  readonly subject?: string | undefined;
}

/** Where a schema's own check reports to: zod's payload, as far as we use it. */
export interface Checked<Value> {
  readonly value: Value;
  readonly issues: z.core.$ZodRawIssue[];
}

/** The longest value that an error repeats; a peer that sends megabytes need not get them back. */
const VALUE_CHARACTERS_MAX = 256;
/** The longest value inside of a sentence. */
const SHOWN_CHARACTERS_MAX = 64;

/**
 * Adds a refusal to a schema's check.
 *
 * @param rule The end of the sentence that begins with `Cannot take <field> <value>, `.
 */
export function refuse<Value>(
  checked: Checked<Value>,
  sluice: SluiceCode,
  rule: string,
  details: {
    readonly limit?: unknown;
    readonly path?: PropertyKey[];
    readonly value?: unknown;
    readonly names?: boolean;
    readonly subject?: string;
  } = {},
): void {
  const params = { sluice, rule, limit: details.limit, names: details.names === true, subject: details.subject };
  const input = "value" in details ? details.value : checked.value;
  checked.issues.push({
    code: "custom",
    input,
    params,
    message: rule,
    ...(details.path ? { path: details.path } : {}),
  });
}

/**
 * Checks `value` with `schema`.
 *
 * @param path Where the value stands in what the peer sent, for the error.
 * @returns What the schema makes of it.
 * @throws {SluiceError} for the first refusal; unknown fields come first, because a misspelt name causes the others.
 */
export function checkWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: readonly PropertyKey[] = [],
): z.output<Schema> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw errorFromIssues(result.error.issues, path);
}

/** The error for the most telling issue; see {@link checkWith}. */
export function errorFromIssues(issues: readonly z.core.$ZodIssue[], path: readonly PropertyKey[]): SluiceError {
  const flat = issues.flatMap((issue) => flatten(issue));
  const unknown = flat.find((issue) => issue.code === "unrecognized_keys");
  if (unknown?.code === "unrecognized_keys") {
    const field = textFromPath([...path, ...unknown.path, unknown.keys[0] ?? ""]);
    return new SluiceError("unknown_field", `Cannot take the unknown field ${field}`, { value: field });
  }
  const issue = flat[0] as z.core.$ZodIssue;
  const field = textFromPath([...path, ...issue.path]);
  const params = issue.code === "custom" ? (issue.params as IssueParams | undefined) : undefined;
  const { rule, limit } = params ?? ruleFromIssue(issue);
  const missing = issue.input === undefined;
  const subject = params?.subject ?? subjectOf(field, issue.input);
  const sentence = missing ? `Cannot do without ${field}` : `Cannot take ${subject}, ${rule}`;
  return new SluiceError(params?.sluice ?? "invalid_value", sentence, {
    value: missing || params?.names === true ? field : repeated(issue.input, field),
    limit,
  });
}

/** With the `u` flag a surrogate that has its partner is one other character, so this finds only lone ones. */
const loneSurrogate = /\p{Surrogate}/u;
const encoder = new TextEncoder();

/** UTF-8 of a string; undefined where it has a lone surrogate, which UTF-8 cannot say. */
export function bytesFromText(value: string): Uint8Array | undefined {
  return loneSurrogate.test(value) ? undefined : encoder.encode(value);
}

/** A schema of texts of at most `bytesMax` bytes of UTF-8, because that is what travels; more is refused as `code`. */
export function text(bytesMax: number, code: SluiceCode = "invalid_value") {
  return z
    .string()
    .check((checked) => {
      const bytes = bytesFromText(checked.value)?.length;
      if (bytes === undefined) refuse(checked, "not_utf8", "it has a lone surrogate, which UTF-8 cannot say");
      else if (bytes > bytesMax)
        refuse(checked, code, `it has ${bytes} bytes, limit is ${bytesMax}`, { limit: bytesMax });
    })
    .meta({ maxLength: bytesMax });
}

/** A schema of texts that are not empty, of at most `bytesMax` bytes. */
export function word(bytesMax: number, code: SluiceCode = "invalid_value") {
  return text(bytesMax, code).check((checked) => {
    if (checked.value === "") refuse(checked, "invalid_value", "it must not be empty", { limit: bytesMax });
  });
}

/** The name of a filter module, template, contract or condition. */
export const resourceName = z.string().check((checked) => {
  if (/^[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?$/.test(checked.value)) return;
  refuse(checked, "invalid_value", "it must be 1 to 128 of a-z 0-9 . _ - and neither begin nor end with one of . _ -", {
    limit: 128,
  });
});

/**
 * A schema of arrays of at most `countMax` entries. The count is checked before the first entry is looked at: a megabyte
 * of wrong entries must not become as many complaints.
 */
export function list<Schema extends z.ZodType>(entry: Schema, countMax: number) {
  return z.array(z.unknown()).max(countMax).pipe(z.array(entry));
}

/** `["events", 0, "type"]` as `events[0].type`. */
export function textFromPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : (index === 0 ? "" : ".") + String(part)))
    .join("");
}

/** The issues of the branch of a union that came closest: the one whose first issue lies deepest. */
function flatten(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const depth = (branch: readonly z.core.$ZodIssue[]) => branch[0]?.path.length ?? 0;
  const closest = issue.errors.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
  // All branches fail at the top: none is meant more than another, so the union itself says what it takes.
  if (depth(closest) === 0) return [issue];
  return closest.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** What zod finds by itself, as the end of our sentence. */
function ruleFromIssue(issue: z.core.$ZodIssue): { rule: string; limit?: unknown } {
  switch (issue.code) {
    case "invalid_type":
      return { rule: `it must be ${names[issue.expected] ?? `a ${issue.expected}`}` };
    case "too_big":
      return { rule: `limit is ${issue.maximum}`, limit: Number(issue.maximum) };
    case "too_small":
      return { rule: `it must be at least ${issue.minimum}`, limit: Number(issue.minimum) };
    case "invalid_value":
      return {
        rule: `it must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`,
        limit: issue.values,
      };
    default:
      return { rule: issue.message.charAt(0).toLowerCase() + issue.message.slice(1) };
  }
}

/** Names of types that need another article or word. */
const names: Readonly<Record<string, string>> = {
  array: "an array",
  int: "an integer",
  object: "an object",
  record: "an object",
  map: "an object",
  null: "null",
};

/** Field and value within a sentence, short. */
function subjectOf(field: string, value: unknown): string {
  if (Array.isArray(value)) return field === "" ? "an array" : `${field} with ${value.length} entries`;
  if (typeof value === "object" && value !== null) return field === "" ? "an object" : `the object ${field}`;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  const shown = text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX)}…`;
  return field === "" ? shown : `${field} ${shown}`;
}

/** A value as `value` of an error: scalars as they are, larger things as the path to them. */
function repeated(value: unknown, field: string): unknown {
  if (typeof value === "string")
    return value.length <= VALUE_CHARACTERS_MAX ? value : value.slice(0, VALUE_CHARACTERS_MAX);
  if (Array.isArray(value) && value.length <= 8 && value.every((entry) => typeof entry !== "object")) return value;
  if (typeof value === "object" && value !== null) return field === "" ? undefined : field;
  return typeof value === "bigint" ? String(value) : value;
}
