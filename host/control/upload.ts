/**
 * The body of an upload: a filter module as it is, or `multipart/form-data` with a module and its manifest, which are made one
 * file: the digest of a version is then that of all that decides.
 */
import { SluiceError } from "../errors.ts";
import { contentOf } from "../filter/registry/sections.ts";
import { limits } from "../limits.ts";
import { assertMediaType, type ControlContext, readBody } from "./request.ts";

/** What an upload may be. */
export const uploadTypes = ["application/wasm", "multipart/form-data"] as const;

const parts = ["module", "manifest"] as const;

/**
 * Reads an upload. What it holds is not looked at, except for the manifest that it may have.
 *
 * @throws {SluiceError} `media_type`, `body_too_large`, `malformed`, `unknown_field`, `invalid_value`, `contradiction`.
 */
export async function readUpload(context: ControlContext): Promise<Uint8Array> {
  assertMediaType(context, uploadTypes);
  const type = context.req.header("content-type") ?? "";
  if (!type.toLowerCase().startsWith("multipart/")) return readBody(context, limits.filterUploadBytes);
  const body = await readBody(context, limits.filterUploadBytes + limits.filterFormBytes);
  const form = await formFrom(body, type);
  const unknown = Array.from(form.keys()).find((name) => !parts.some((known) => known === name));
  if (unknown !== undefined) {
    const field = unknown.slice(0, 64);
    throw new SluiceError("unknown_field", `Cannot take the unknown part ${field}`, { value: field, limit: parts });
  }
  const module = await partOf(form, "module");
  if (module === undefined)
    throw new SluiceError("invalid_value", "Cannot do without the part module", { value: "module" });
  return contentOf(module, await partOf(form, "manifest"));
}

async function formFrom(body: Uint8Array, type: string): Promise<FormData> {
  try {
    return await new Response(body as BodyInit, { headers: { "content-type": type } }).formData();
  } catch (cause) {
    throw new SluiceError("malformed", "Cannot read the parts of the body", { cause });
  }
}

async function partOf(form: FormData, name: (typeof parts)[number]): Promise<Uint8Array | undefined> {
  const [part, ...more] = form.getAll(name);
  if (more.length > 0)
    throw new SluiceError("invalid_value", `Cannot take the part ${name} ${more.length + 1} times, limit is 1`, {
      value: name,
      limit: 1,
    });
  if (part === undefined) return undefined;
  if (typeof part !== "string") return new Uint8Array(await part.arrayBuffer());
  // A part without a file's name was read as text; bytes that are none are lost already.
  if (name === "manifest") return new TextEncoder().encode(part);
  throw new SluiceError("invalid_value", "Cannot take the part module without a filename, send it as a file", {
    value: "module",
  });
}
