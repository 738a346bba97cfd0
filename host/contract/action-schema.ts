/** What transitions do, as it is written. Checked whole when a contract is put: what can be wrong by itself is refused then. */
import { z } from "zod";
import { channelName, channelSchema } from "../channel/definition.ts";
import { type Checked, checkWith, refuse, resourceName } from "../check.ts";
import { scalarSchema } from "../condition/schema.ts";
import { bindingFromInput } from "../filter/route.ts";
import { bindingSchema, stages } from "../filter/schema.ts";
import { inboxSettable } from "../socket/json/inbox-settings.ts";
import { eventSchema } from "../socket/json/schema/event.ts";

const stage = z.enum(stages);
const patchSchema = z
  .record(z.string(), z.unknown())
  .nullable()
  .describe("A JSON merge patch (RFC 7396); null takes away all that this contract lays over it");

/** One thing that a transition does. */
export const actionFields = z.strictObject({
  set: z.record(resourceName, scalarSchema).optional().describe("Values of conditions"),
  publish: z
    .strictObject({ channel: z.string(), event: eventSchema })
    .optional()
    .describe("An event, as the host's own"),
  bind: bindingSchema
    .extend({ channel: channelName, stage })
    .meta({ id: "ContractBind" })
    .optional()
    .describe("Lays a filter over a channel"),
  unbind: z.strictObject({ channel: channelName, stage }).optional().describe("Leaves a channel without a filter"),
  configure: z
    .strictObject({ channel: channelName.optional(), inbox: z.string().min(1).max(128).optional(), patch: patchSchema })
    .optional()
    .describe("Lays settings over a channel or an inbox"),
  callback: resourceName.optional().describe("A name that is told to whoever watches the contract"),
  data: z.record(z.string(), z.unknown()).optional().describe("What goes with a callback"),
});
/** What an action may be. */
export const actionKinds = Object.keys(actionFields.shape).filter((field) => field !== "data");

/** The schema of one action. */
export const actionSchema = z.unknown().check(isOneAction).pipe(actionFields);
/** One action of a transition. */
export type ActionDefinition = z.output<typeof actionFields>;

function isOneAction(checked: Checked<unknown>): void {
  const { value } = checked;
  const kinds = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (kinds.includes("data") && !kinds.includes("callback"))
    refuse(checked, "contradiction", "there is data and no callback that it goes with");
  else if (kinds.filter((kind) => kind !== "data").length !== 1)
    refuse(checked, "invalid_value", `an action is one of ${actionKinds.join(", ")}`, { limit: 1 });
}

/**
 * Checks what the schema cannot: expressions of filters, and fields of patches.
 *
 * @param path Where the action stands in the contract.
 * @throws {SluiceError} `expression`, `contradiction`, `unknown_field`, `invalid_value`, naming the field.
 */
export function assertAction({ bind, configure }: ActionDefinition, path: readonly PropertyKey[]): void {
  if (bind !== undefined) {
    const { channel: _channel, stage: _stage, ...binding } = bind;
    bindingFromInput(binding, [...path, "bind"]);
  }
  if (configure === undefined) return;
  const { channel, inbox, patch } = configure;
  checkWith(
    z.unknown().check((checked) => {
      if ((channel === undefined) === (inbox === undefined))
        refuse(checked, "contradiction", "it must name one of channel and inbox");
    }),
    configure,
    [...path, "configure"],
  );
  if (patch === null) return;
  const said = withoutNulls(patch);
  checkWith(channel === undefined ? inboxSettable : channelSchema, said, [...path, "configure", "patch"]);
}

/** A merge patch without the fields that it gives their defaults. */
function withoutNulls(patch: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(patch)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, isObject(value) ? withoutNulls(value) : value]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
