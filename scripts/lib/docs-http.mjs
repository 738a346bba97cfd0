/** The HTTP reference: routes and schemas as `/openapi.json` of a running host says them. */
import { documentOf } from "./openapi.mjs";
import { Failure } from "./run.mjs";

/**
 * What of OpenAPI 3.1 our documents use.
 *
 * @typedef {{ $ref?: string, type?: string | string[], enum?: unknown[], const?: unknown, default?: unknown, description?: string,
 *   format?: string, minimum?: number, maximum?: number, exclusiveMinimum?: number, maxLength?: number, maxItems?: number,
 *   items?: Schema, properties?: Record<string, Schema>, required?: string[], anyOf?: Schema[], oneOf?: Schema[],
 *   allOf?: Schema[], additionalProperties?: Schema | boolean }} Schema
 * @typedef {Record<string, { schema?: Schema }>} Content By media type.
 * @typedef {{ name: string, in: string, required?: boolean, description?: string, schema?: Schema }} Parameter
 * @typedef {{ tags: string[], summary?: string, description?: string, parameters?: Parameter[], requestBody?: { content: Content },
 *   responses: Record<string, { description: string, content?: Content, headers?: Record<string, Parameter> }> }} Operation
 * @typedef {{ tags: { name: string, description: string }[], paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, Schema> } }} Document
 */

/** More words than these do not fit a cell. */
const WORDS_MAX = 12;

const METHODS = ["get", "head", "put", "post", "patch", "delete"];

/** @returns {Promise<string>} Markdown: a chapter per resource, a section per route. */
export async function routesPart() {
  const { paths, tags } = await documentOf();
  const chapters = tags.map(({ name, description }) => ({
    name,
    description,
    sections: /** @type {string[]} */ ([]),
  }));
  for (const [path, operations] of Object.entries(paths)) {
    const methods = Object.keys(operations).sort((a, b) => METHODS.indexOf(a) - METHODS.indexOf(b));
    for (const method of methods) {
      const operation = operations[method];
      if (operation === undefined) continue;
      const chapter = chapters.find(({ name }) => operation.tags.includes(name));
      if (chapter === undefined) throw new Failure(`${method} ${path} belongs to no chapter`);
      chapter.sections.push(section(method, path, operation));
    }
  }
  const full = chapters.filter(({ sections }) => sections.length > 0);
  return full
    .map(({ name, description, sections }) => [`## ${name}`, `${description}.`, ...sections].join("\n\n"))
    .join("\n\n");
}

/** @returns {Promise<string>} Markdown: the schemas that routes refer to. */
export async function schemasPart() {
  const { components } = await documentOf();
  return Object.entries(components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => {
      const lines = [`### ${name}`, ""];
      if (schema.description !== undefined) lines.push(schema.description, "");
      return [...lines, ...fieldTable(schema)].join("\n");
    })
    .join("\n\n");
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Operation} operation
 */
function section(method, path, { summary = "", description, parameters = [], requestBody, responses }) {
  if (summary === "") throw new Failure(`${method} ${path} has no summary`);
  const lines = [
    `### ${method.toUpperCase()} ${path}`,
    "",
    `${summary}.${description === undefined ? "" : ` ${description}`}`,
  ];
  // What stands in the path needs no table: its name says it.
  const asked = parameters.filter((one) => one.in !== "path");
  if (asked.length > 0) {
    lines.push("", "| parameter | type | meaning |", "|---|---|---|");
    for (const { name, in: where, required, schema, description: meaning } of asked) {
      const said = [required === true ? "Required." : "", meaning ?? schema?.description ?? ""].join(" ").trim();
      // What stands in an address is a text; that JSON could say null where it can be coerced concerns nobody.
      const type = typeOf(schema).replace(/ or null$/, "");
      lines.push(row([`\`${where === "query" ? name : `${name}:`}\``, type, said]));
    }
  }
  lines.push("");
  if (requestBody !== undefined) lines.push(`- Body: ${contentOf(requestBody.content)}`);
  const refusals = [];
  for (const [status, answer] of Object.entries(responses)) {
    if (Object.keys(answer.content ?? {}).includes("application/problem+json")) refusals.push(status);
    else {
      const content = answer.content === undefined ? "" : ` (${contentOf(answer.content)})`;
      const fields = Object.entries(answer.headers ?? {}).map(
        ([name, { description: meaning = "", schema }]) => ` \`${name}:\` ${meaning || schema?.description || ""}.`,
      );
      lines.push(`- ${status}: ${answer.description}${content}.${fields.join("")}`);
    }
  }
  if (refusals.length > 0) lines.push(`- [Refused](errors.md) with ${refusals.join(", ")}`);
  return lines.join("\n");
}

/** @param {Content} content */
function contentOf(content) {
  /** @type {Map<string, string[]>} */
  const kinds = new Map();
  for (const [media, { schema }] of Object.entries(content)) {
    const type = typeOf(schema);
    kinds.set(type, [...(kinds.get(type) ?? []), `\`${media}\``]);
  }
  return [...kinds].map(([type, media]) => `${type === "" ? "" : `${type} as `}${media.join(" or ")}`).join("; ");
}

/**
 * Rows of an object's fields; what lies within is named by its path.
 *
 * @param {Schema} schema
 */
function fieldTable(schema) {
  const rows = fieldRows(schema, "");
  return rows.length === 0 ? [typeOf(schema)] : ["| field | type | default | meaning |", "|---|---|---|---|", ...rows];
}

/**
 * @param {Schema} schema
 * @param {string} prefix
 * @returns {string[]}
 */
function fieldRows(schema, prefix) {
  const branches = schema.anyOf ?? schema.oneOf ?? [];
  if (schema.properties === undefined) return branches.flatMap((branch) => fieldRows(branch, prefix));
  return Object.entries(schema.properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    if (field.properties !== undefined && field.$ref === undefined) {
      const inner = fieldRows(field, `${path}.`);
      // An object of which nothing is said is told by its fields alone.
      return field.description === undefined ? inner : [fieldRow(path, field), ...inner];
    }
    return [fieldRow(path, field)];
  });
}

/**
 * @param {string} path
 * @param {Schema} field
 */
function fieldRow(path, field) {
  // The default of an object is that of its fields.
  const isTold = field.default === undefined || (field.properties !== undefined && field.default !== null);
  const absent = isTold ? "" : `\`${JSON.stringify(field.default)}\``;
  return row([`\`${path}\``, typeOf(field), absent, field.description ?? ""]);
}

/** @param {string[]} cells */
function row(cells) {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/**
 * A schema in words.
 *
 * @param {Schema | undefined} schema
 * @returns {string}
 */
function typeOf(schema) {
  if (schema === undefined) return "";
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `[${name}](#${name.toLowerCase()})`;
  }
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (parts !== undefined) return [...new Set(parts.map(typeOf))].join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined && schema.enum.length > WORDS_MAX) return `one of ${schema.enum.length} words`;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  const types = [schema.type ?? []].flat();
  if (types.includes("array")) return `list of ${typeOf(schema.items) || "any"}${bound(schema.maxItems, ", at most ")}`;
  if (types.includes("object")) return objectOf(schema);
  if (types.length === 0) return "any";
  return `${types.join(" or ")}${rangeOf(schema)}`;
}

/** @param {Schema} schema */
function objectOf({ properties = {}, additionalProperties, type = [] }) {
  const orNull = [type].flat().includes("null") ? " or null" : "";
  const names = Object.entries(properties).map(([name, field]) => {
    const type = typeOf(field);
    // Of what lies within, only what can be looked up is told here.
    return type.includes("](#") ? `\`${name}\`: ${type}` : `\`${name}\``;
  });
  if (names.length > 0) return `{ ${names.join(", ")} }${orNull}`;
  const values = typeof additionalProperties === "object" ? typeOf(additionalProperties) : "";
  return `object${values === "" || values === "any" ? "" : ` of ${values}`}${orNull}`;
}

/** @param {Schema} schema */
function rangeOf({ minimum, maximum, exclusiveMinimum, maxLength, format }) {
  if (format !== undefined) return ` (${format})`;
  if (maxLength !== undefined) return `, at most ${maxLength.toLocaleString("en-US")} bytes`;
  if (exclusiveMinimum !== undefined) return `, above ${exclusiveMinimum}`;
  // Bounds that only say "fits a number" tell nobody anything.
  const upper = maximum === undefined || maximum >= 2 ** 32 - 1 ? undefined : maximum;
  if (minimum !== undefined && upper !== undefined) return `, ${minimum} to ${upper.toLocaleString("en-US")}`;
  return bound(upper, ", at most ") || (minimum === undefined || minimum === 0 ? "" : `, at least ${minimum}`);
}

/**
 * @param {number | undefined} value
 * @param {string} before
 */
function bound(value, before) {
  return value === undefined ? "" : `${before}${value.toLocaleString("en-US")}`;
}
