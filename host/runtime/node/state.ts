/**
 * Keeps the control state in step with the channels, templates, conditions and contracts of a service.
 */
import { SluiceError } from "../../errors.ts";
import type { Service } from "../../service.ts";
import type { State } from "../../store/state.ts";

/**
 * Defines in the service what was kept, before anybody can connect.
 *
 * @throws {SluiceError} `state_unusable` where a condition or a channel cannot be as it was.
 */
export function restoreChannels(service: Service, state: State): void {
  for (const template of state.templates.values()) service.templates.put(template);
  restoreConditions(service, state);
  for (const [name, definition] of state.channels) {
    try {
      service.channels.put(name, definition);
    } catch (cause) {
      // Without its filter it would send events to whom they are not for.
      throw unusable("channel", name, cause);
    }
  }
  // Last: they govern what is there.
  service.contractDocuments.putAll(state.contracts, (name, cause) => unusable("contract", name, cause));
}

/** Any of them may follow from one that was defined anew behind it: those come when the others are there. */
function restoreConditions({ conditions }: Service, state: State): void {
  let waiting = [...state.conditions];
  while (waiting.length > 0) {
    const failed: { readonly name: string; readonly cause: unknown }[] = [];
    for (const [name, definition] of waiting) {
      try {
        conditions.put(name, definition);
      } catch (cause) {
        failed.push({ name, cause });
      }
    }
    const [first] = failed;
    if (first !== undefined && failed.length === waiting.length) throw unusable("condition", first.name, first.cause);
    waiting = waiting.filter(([name]) => failed.some((one) => one.name === name));
  }
}

function unusable(what: string, name: string, cause: unknown): SluiceError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SluiceError("state_unusable", `Cannot use ${what} "${name}" as it was kept: ${why}`, {
    value: name,
    cause,
  });
}

/**
 * Keeps every change from now on. Channels that came into being by themselves are not kept: they would do so again.
 *
 * @returns Ends it.
 */
export function keepChannels(service: Service, state: State): () => void {
  const ends = [
    service.channels.onChange(({ type, channel, implicit }) => {
      if (type === "removed") state.removeChannel(channel.name);
      else if (type !== "governed" && !implicit) state.putChannel(channel.name, channel.definition);
    }),
    service.templates.onChange(({ type, template }) => {
      if (type === "removed") state.removeTemplate(template.name);
      else state.putTemplate(template);
    }),
    service.conditions.onChange(({ type, condition: { name, definition, owner } }) => {
      // Those of contracts come with these.
      if (owner !== undefined) return;
      if (type === "removed") state.removeCondition(name);
      else state.putCondition(name, definition);
    }),
    service.contractDocuments.onChange(({ type, name, document }) => {
      if (type === "removed") state.removeContract(name);
      else state.putContract(name, document);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
