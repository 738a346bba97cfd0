/** Data with a type, checked by any library of the Standard Schema interface. */
import type { StandardSchema } from "../host/interface.ts";
import { SluiceError } from "./errors.ts";

export type { StandardSchema };

/** What a schema makes of data that it takes. */
export type OutputOf<Schema> = Schema extends StandardSchema<unknown, infer Output> ? Output : never;

/**
 * What the schema makes of a value.
 *
 * @param what Is in the message: "an event of type …".
 * @throws {SluiceError} `schema` with its `issues`.
 */
export async function check<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  what: string,
): Promise<Output> {
  const checked = await schema["~standard"].validate(value);
  if (checked.issues === undefined) return checked.value;
  const { issues } = checked;
  const said = issues.slice(0, 3).map(({ message, path = [] }) => {
    const names = path.map((step) => (typeof step === "object" && step !== null && "key" in step ? step.key : step));
    return names.length === 0 ? message : `${names.join(".")}: ${message}`;
  });
  throw new SluiceError("schema", `Cannot take the data of ${what}: ${said.join("; ")}`, { value: "data", issues });
}
