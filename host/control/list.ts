/**
 * Lists in pages: `?limit=&cursor=` in, `{ "data": […], "next": cursor | null }` out.
 *
 * A cursor says behind which entry to go on, not how many to skip: what is made or removed between two pages shifts
 * nothing.
 */
import { z } from "@hono/zod-openapi";
import { SluiceError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Cursors } from "./cursor.ts";
import { type ControlContext, readQuery } from "./request.ts";

/** Which page is wanted. */
export interface PageWanted {
  /** Entries at most. */
  readonly limit: number;
  /** Position behind which it begins; undefined for the first page. */
  readonly after: string | undefined;
}

/** A page, as it is answered. */
export interface Page<Entry> {
  readonly data: readonly Entry[];
  /** Cursor of the next page; null where this is the last. */
  readonly next: string | null;
}

/** What a list needs of the app. */
export interface ListSettings {
  readonly cursors: Cursors;
  readonly limits: Pick<Limits, "listDefault" | "listMax">;
}

/** The query of a list, for its description. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().optional().openapi({ description: "Entries at most" }),
  cursor: z.string().optional().openapi({ description: "The `next` of the page before" }),
});

/** The answer of a list, for its description. */
export function pageSchema<Schema extends z.ZodType>(entry: Schema) {
  return z.object({ data: z.array(entry), next: z.string().nullable() });
}

/**
 * Reads which page a request wants.
 *
 * @param list Name of the list, with what selects it.
 * @throws {SluiceError} `unknown_field`, `invalid_value` naming `query.limit` or `query.cursor`.
 */
export function readPage(context: ControlContext, settings: ListSettings, list: string): PageWanted {
  const query = readQuery(context, ["limit", "cursor"]);
  return pageWanted(query, settings, list);
}

/** As {@link readPage}, for a query that is read already. */
export function pageWanted(
  query: { readonly limit?: string; readonly cursor?: string },
  { cursors, limits }: ListSettings,
  list: string,
): PageWanted {
  return {
    limit: limitFrom(query.limit, limits.listDefault, limits.listMax),
    after: query.cursor === undefined ? undefined : cursors.read(list, query.cursor),
  };
}

/**
 * Makes a page.
 *
 * @param found Entries behind {@link PageWanted.after} in their order, one more than `limit` where there are more.
 * @param positionOf What {@link firstAfter} sorted by.
 */
export function pageOf<Entry>(
  found: readonly Entry[],
  wanted: PageWanted,
  { cursors }: ListSettings,
  list: string,
  positionOf: (entry: Entry) => string,
): Page<Entry> {
  const data = found.slice(0, wanted.limit);
  const last = data.at(-1);
  const more = last !== undefined && found.length > wanted.limit;
  return { data, next: more ? cursors.write(list, positionOf(last)) : null };
}

/**
 * The first `count` entries by position behind `after`, in one pass: a page of 100,000 channels need not sort them all.
 *
 * @param positionOf Compared as text.
 */
export function firstAfter<Entry>(
  entries: Iterable<Entry>,
  positionOf: (entry: Entry) => string,
  after: string | undefined,
  count: number,
): Entry[] {
  const found: Entry[] = [];
  const positions: string[] = [];
  for (const entry of entries) {
    const position = positionOf(entry);
    if (after !== undefined && position <= after) continue;
    const last = positions.at(-1);
    if (found.length === count && last !== undefined && position > last) continue;
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((positions[middle] as string) < position) low = middle + 1;
      else high = middle;
    }
    found.splice(low, 0, entry);
    positions.splice(low, 0, position);
    if (found.length > count) {
      found.pop();
      positions.pop();
    }
  }
  return found;
}

/** A page of entries that are in no order yet; see {@link firstAfter}. */
export function pageFrom<Entry>(
  entries: Iterable<Entry>,
  wanted: PageWanted,
  settings: ListSettings,
  list: string,
  positionOf: (entry: Entry) => string,
): Page<Entry> {
  return pageOf(firstAfter(entries, positionOf, wanted.after, wanted.limit + 1), wanted, settings, list, positionOf);
}

/** @throws {SluiceError} `invalid_value` for anything but a whole number from 1 to `max`. */
function limitFrom(text: string | undefined, whereAbsent: number, max: number): number {
  if (text === undefined) return whereAbsent;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (limit >= 1 && limit <= max) return limit;
  throw new SluiceError(
    "invalid_value",
    `Cannot take query.limit ${JSON.stringify(text.slice(0, 32))}, it must be a whole number from 1 to ${max}`,
    { value: text.slice(0, 32), limit: max },
  );
}
