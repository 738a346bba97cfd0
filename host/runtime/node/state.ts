/**
 * Keeps the control state in step with the channels and templates of a service.
 */
import { SluiceError } from "../../errors.ts";
import type { Service } from "../../service.ts";
import type { State } from "../../store/state.ts";

/**
 * Defines in the service what was kept, before anybody can connect.
 *
 * @throws {SluiceError} `state_unusable` where a channel cannot be as it was.
 */
export function restoreChannels(service: Service, state: State): void {
  for (const template of state.templates.values()) service.templates.put(template);
  for (const [name, definition] of state.channels) {
    try {
      service.channels.put(name, definition);
    } catch (cause) {
      // Without its filter it would send events to whom they are not for.
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError("state_unusable", `Cannot use channel "${name}" as it was kept: ${why}`, {
        value: name,
        cause,
      });
    }
  }
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
      else if (!implicit) state.putChannel(channel.name, channel.definition);
    }),
    service.templates.onChange(({ type, template }) => {
      if (type === "removed") state.removeTemplate(template.name);
      else state.putTemplate(template);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
