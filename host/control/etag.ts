/**
 * Entity tags of named resources, from their content: they outlive a restart, and a change that is undone gives back the
 * tag, which harms nobody.
 */
import { SluiceError } from "../errors.ts";
import { hashText } from "../hash.ts";
import type { ControlContext } from "./request.ts";

/** A strong tag of a resource that JSON can say. */
export function etagOf(resource: unknown): string {
  return `"${hashText(JSON.stringify(resource))}"`;
}

/**
 * Checks If-Match and If-None-Match of a request that changes something.
 *
 * @param etag Tag of the resource as it is, undefined where there is none.
 * @throws {SluiceError} `precondition_failed`.
 */
export function assertPreconditions(context: ControlContext, name: string, etag: string | undefined): void {
  const expected = context.req.header("if-match");
  if (expected !== undefined && !matches(expected, etag)) {
    const found = etag === undefined ? "there is none" : `it is ${etag}`;
    throw new SluiceError("precondition_failed", `Cannot change "${name}" as ${expected.slice(0, 64)}, ${found}`, {
      value: expected.slice(0, 256),
      limit: etag ?? null,
    });
  }
  const unwanted = context.req.header("if-none-match");
  if (unwanted !== undefined && matchesWeakly(unwanted, etag)) {
    throw new SluiceError("precondition_failed", `Cannot create "${name}", it exists as ${etag}`, {
      value: unwanted.slice(0, 256),
      limit: etag ?? null,
    });
  }
}

/** Whether a GET may answer 304. */
export function isUnchanged(context: ControlContext, etag: string): boolean {
  const known = context.req.header("if-none-match");
  return known !== undefined && matchesWeakly(known, etag);
}

/** If-None-Match compares weakly (RFC 9110 §13.1.2): proxies that compress weaken tags on their way. */
function matchesWeakly(header: string, etag: string | undefined): boolean {
  return matches(header.replaceAll("W/", ""), etag);
}

/** RFC 9110 §13.1: `*` matches whatever exists; weak tags match nothing in a comparison that is strong. */
function matches(header: string, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  return header.split(",").some((candidate) => candidate.trim() === "*" || candidate.trim() === etag);
}
