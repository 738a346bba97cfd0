/** Names that are fields of an event and not attributes. */
import * as code from "../../core-wasm/expression/code.ts";

/** FIELD_… by name, in lower case as names are. `data` is none: expressions do not look into it. */
const fields: ReadonlyMap<string, number> = new Map([
  ["id", code.FIELD_ID],
  ["source", code.FIELD_SOURCE],
  ["type", code.FIELD_TYPE],
  ["subject", code.FIELD_SUBJECT],
  ["time", code.FIELD_TIME],
  ["priority", code.FIELD_PRIORITY],
  ["deliverby", code.FIELD_DELIVER_BY],
  ["key", code.FIELD_KEY],
  ["datacontenttype", code.FIELD_DATA_CONTENT_TYPE],
]);

/** The FIELD_… of a name of the event; FIELD_ATTRIBUTE where it is none. */
export function fieldOf(name: string): number {
  return fields.get(name) ?? code.FIELD_ATTRIBUTE;
}

/** The CloudEvents attribute that is the same for every event, hence a constant of the program. */
export const specVersionName = "specversion";
/** Its value. */
export const specVersion = "1.0";

/** Fields that every event has when it is delivered, given or filled in. */
export const presentFields: ReadonlySet<number> = new Set([
  code.FIELD_ID,
  code.FIELD_SOURCE,
  code.FIELD_TYPE,
  code.FIELD_PRIORITY,
]);
