/** Bodies that are contracts: JSON or YAML, and refusals that say where in the text something is wrong. */

import { ContractError } from "../contract/problems.ts";
import { readYaml, type YamlRead } from "../contract/yaml.ts";
import { SluiceError, sluiceErrorFrom } from "../errors.ts";
import { readJson } from "../socket/json/reader.ts";
import { assertMediaType, type ControlContext, readBody } from "./request.ts";

/** Names of YAML: that of RFC 9512 first, then those of before. */
export const yamlTypes = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"] as const;

/**
 * Reads a contract.
 *
 * @param use Gets what was read. Where it throws a {@link ContractError}, that is thrown on with places in the text.
 * @throws {SluiceError} `media_type`, `body_too_large`, `malformed` with line and column, `not_utf8`, `limit_reached`.
 */
export async function readDocument<Value>(
  context: ControlContext,
  bytesMax: number,
  use: (value: unknown) => Value,
): Promise<Value> {
  const body = await readBody(context, bytesMax);
  if (body.length > 0) assertMediaType(context, ["application/json", ...yamlTypes]);
  const isYaml = /yaml/i.test(context.req.header("content-type") ?? "");
  const yaml = isYaml ? readYaml(textFrom(body)) : undefined;
  const value = yaml === undefined ? jsonFrom(body) : yaml.value;
  try {
    return use(value);
  } catch (thrown) {
    if (!(thrown instanceof ContractError)) throw thrown;
    const locate = (yaml ?? placesIn(body))?.locate;
    throw locate === undefined ? thrown : thrown.located(locate);
  }
}

/** Whether a client that says what it accepts wants YAML. */
export function wantsYaml({ req }: ControlContext): boolean {
  const ranges = (req.header("accept") ?? "").split(",").map((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
  });
  const qualityOf = (types: readonly string[]): number =>
    Math.max(0, ...ranges.filter(({ type }) => types.includes(type)).map(({ quality }) => quality));
  return qualityOf(yamlTypes) > qualityOf(["application/json"]);
}

/** An empty body is `{}`, as wherever JSON is read. */
function jsonFrom(body: Uint8Array): unknown {
  if (body.length === 0) return {};
  const read = readJson(body);
  if (!read.ok) throw read.error;
  return read.value;
}

function textFrom(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (cause) {
    throw new SluiceError("not_utf8", "Cannot read the body, it is not UTF-8", { cause });
  }
}

/** JSON is YAML; one that is too large for that reader is told without places. */
function placesIn(body: Uint8Array): YamlRead | undefined {
  try {
    return readYaml(textFrom(body));
  } catch (thrown) {
    if (sluiceErrorFrom(thrown).code === "internal") throw thrown;
    return undefined;
  }
}
