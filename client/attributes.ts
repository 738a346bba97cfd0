/** Changes of live attributes, as programs say them and as frames do. */
import type { AttributeChanges, AttributeValue } from "../host/interface.ts";

/** What is set, and the names of what goes. */
export interface SplitChanges {
  readonly set: Readonly<Record<string, AttributeValue>>;
  readonly remove: readonly string[];
}

/** Tells the two apart. */
export function splitChanges(changes: AttributeChanges): SplitChanges {
  const set: Record<string, AttributeValue> = {};
  const remove: string[] = [];
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) remove.push(name);
    else set[name] = value;
  }
  return { set, remove };
}

/** Attributes with those changes. */
export function changed(
  attributes: Readonly<Record<string, AttributeValue>> | undefined,
  { set, remove }: SplitChanges,
): Record<string, AttributeValue> {
  const next = { ...attributes, ...set };
  for (const name of remove) delete next[name];
  return next;
}
