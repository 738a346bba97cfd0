/**
 * Scalar values: JSON boolean, number, string ↔ the protobuf Value of attributes and conditions.
 *
 * A JSON number that is a safe integer becomes `integer`, any other `number`; -0 is the integer 0. Back, an integer
 * beyond 2^53 keeps its digits (readers that know only doubles round it), and NaN and infinities, which only binary
 * publishers can send, are left out, because JSON has no word for them and a missing attribute fails every comparison
 * just as they do.
 */
import { create } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "../../gen/sluice/v1/event_pb.ts";
import type { ScalarValue } from "./schema/parts.ts";

/** The protobuf form of one scalar. */
export function valueFromScalar(scalar: ScalarValue): Value {
  if (typeof scalar === "boolean") return create(ValueSchema, { kind: { case: "boolean", value: scalar } });
  if (typeof scalar === "string") return create(ValueSchema, { kind: { case: "text", value: scalar } });
  if (Number.isSafeInteger(scalar)) return create(ValueSchema, { kind: { case: "integer", value: BigInt(scalar) } });
  return create(ValueSchema, { kind: { case: "number", value: scalar } });
}

/** The JSON form of one value; a bigint stands for its digits, undefined for what JSON cannot say. */
export function scalarFromValue(value: Value): ScalarValue | bigint | undefined {
  const { kind } = value;
  if (kind.case === "integer") return integerFromBigint(kind.value);
  if (kind.case === "number") return Number.isFinite(kind.value) ? kind.value : undefined;
  return kind.value;
}

/** A counter as a plain number where that is exact. */
export function integerFromBigint(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A map of scalars; protobuf maps are plain objects, whose `__proto__` the name rules of both sides keep out. */
export function valuesFromScalars(scalars: Readonly<Record<string, ScalarValue>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(scalars).map(([name, scalar]) => [name, valueFromScalar(scalar)]));
}

/** The reverse; undefined where nothing is left, so that an empty map is an absent field. */
export function scalarsFromValues(
  values: Readonly<Record<string, Value>>,
): Record<string, ScalarValue | bigint> | undefined {
  const scalars: Record<string, ScalarValue | bigint> = {};
  for (const [name, value] of Object.entries(values)) {
    const scalar = scalarFromValue(value);
    if (scalar !== undefined) scalars[name] = scalar;
  }
  return Object.keys(scalars).length === 0 ? undefined : scalars;
}
