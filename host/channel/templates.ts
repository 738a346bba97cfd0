/**
 * Templates: defaults for channels whose name matches a pattern.
 *
 *   host's defaults  <  templates, the least specific first  <  what a request says
 *
 * They count when a channel comes into being, by a request or by itself, and when a request leaves something out; a channel
 * that is there already does not change because a template does.
 *
 * Patterns are those of pattern.ts. Of two, the one is more specific that says more at the first token where they differ:
 * itself before `*` before `>`. Of two templates with equal patterns the one later in the alphabet counts more.
 */
import { z } from "zod";
import { type Checked, checkWith, refuse } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { bindingFromInput } from "../filter/route.ts";
import { stages } from "../filter/schema.ts";
import { limits } from "../limits.ts";
import {
  type ChannelDefinition,
  type ChannelFields,
  channelSchema,
  defaultDefinition,
  definitionFromJson,
  overlay,
} from "./definition.ts";
import { matcherOf, patternSchema, rankOf } from "./pattern.ts";

/** A template as it was put. */
export interface Template {
  readonly name: string;
  readonly pattern: string;
  readonly fields: ChannelFields;
}

/** What happened to a template, told after it did. */
export interface TemplateChange {
  readonly type: "created" | "updated" | "removed";
  readonly template: Template;
}

/** The template resource as PUT takes it: a pattern, and any settings of a channel. */
export const templateSchema = channelSchema
  .omit({ name: true, governedBy: true, sinks: true, sources: true, sequence: true, stored: true })
  .extend({
    name: z.string().optional().describe("As in the address"),
    pattern: patternSchema.describe(
      "Which channels it is for: a name in which `*` stands for one token and `>` at the end for the rest; tokens end at `.` and `/`",
    ),
    limits: z
      .record(z.string(), z.unknown())
      .check((checked: Checked<Record<string, unknown>>) => {
        if (Object.keys(checked.value).length > 0)
          refuse(checked, "not_supported", "this version has no limits per channel", { limit: {}, names: true });
      })
      .optional()
      .describe("Not yet: limits of such channels"),
  });

/**
 * Reads a template resource.
 *
 * @param name The one in the address; a `name` in the resource must be the same.
 * @throws {SluiceError} `unknown_field`, `invalid_value`, `not_supported` and the codes of single fields.
 */
export function templateFromJson(value: unknown, name: string): Template {
  const checked = checkWith(templateSchema, value);
  if (checked.name !== undefined && checked.name !== name) {
    throw new SluiceError(
      "invalid_value",
      `Cannot take name ${JSON.stringify(checked.name.slice(0, 64))}, the address says "${name}"`,
      { value: checked.name.slice(0, 256), limit: name },
    );
  }
  // What was said, not what the schema makes of it: a default that is filled in would hide a less specific template's.
  for (const stage of stages) {
    const filter = checked.filters[stage];
    // Compiled here only to be refused here, and not when a channel comes into being.
    if (filter !== null) bindingFromInput(filter, ["filters", stage]);
  }
  const { name: _name, pattern: _pattern, ...fields } = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  return Object.freeze({ name, pattern: checked.pattern, fields: Object.freeze(fields) });
}

/** The resource of a template, as GET shows it and PUT takes it back. */
export function templateResource({ name, pattern, fields }: Template): Readonly<Record<string, unknown>> {
  return { name, pattern, ...fields };
}

/** A template, ready to be compared with names. */
interface Compiled {
  readonly template: Template;
  readonly matches: RegExp;
  /** By which patterns are compared: rankOf(). */
  readonly rank: string;
}

/** All templates of a host. */
export class Templates {
  readonly #byName = new Map<string, Compiled>();
  readonly #listeners = new Set<(change: TemplateChange) => void>();
  /** The least specific first. */
  #ordered: readonly Compiled[] = [];

  /** All templates, in the order of their creation. */
  list(): Template[] {
    return Array.from(this.#byName.values(), ({ template }) => template);
  }

  get(name: string): Template | undefined {
    return this.#byName.get(name)?.template;
  }

  /**
   * Creates or replaces a template.
   *
   * @returns Whether it is new.
   * @throws {SluiceError} `limit_reached`.
   */
  put(template: Template): boolean {
    const created = !this.#byName.has(template.name);
    if (created && this.#byName.size >= limits.templates) {
      const limit = limits.templates;
      throw new SluiceError(
        "limit_reached",
        `Cannot create template "${template.name}", this host has ${this.#byName.size}, limit is ${limit}`,
        { value: template.name, limit },
      );
    }
    this.#byName.set(template.name, compile(template));
    this.#changed(created ? "created" : "updated", template);
    return created;
  }

  /** Removes a template. Returns whether it was there. */
  remove(name: string): boolean {
    const compiled = this.#byName.get(name);
    if (compiled === undefined) return false;
    this.#byName.delete(name);
    this.#changed("removed", compiled.template);
    return true;
  }

  /** Calls back after every change. Returns what ends that. */
  onChange(listener: (change: TemplateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What templates say about a channel of that name; undefined where none matches. */
  fieldsFor(channel: string): ChannelFields | undefined {
    let fields: ChannelFields | undefined;
    for (const { matches, template } of this.#ordered)
      if (matches.test(channel)) fields = fields === undefined ? template.fields : overlay(fields, template.fields);
    return fields;
  }

  /** The definition that a channel of that name gets where nobody says anything else. */
  definitionFor(channel: string): ChannelDefinition {
    const fields = this.fieldsFor(channel);
    return fields === undefined ? defaultDefinition : definitionFromJson(fields);
  }

  #changed(type: TemplateChange["type"], template: Template): void {
    this.#ordered = [...this.#byName.values()].sort(compare);
    for (const listener of this.#listeners) listener({ type, template });
  }
}

function compile(template: Template): Compiled {
  const { pattern } = template;
  return { template, matches: matcherOf(pattern), rank: rankOf(pattern) };
}

function compare(one: Compiled, other: Compiled): number {
  if (one.rank !== other.rank) return one.rank < other.rank ? -1 : 1;
  return one.template.name < other.template.name ? -1 : 1;
}
