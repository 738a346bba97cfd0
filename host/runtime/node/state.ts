/**
 * Keeps the control state in step with the channels of a service.
 */
import type { Service } from "../../service.ts";
import type { State } from "../../store/state.ts";

/** Defines in the service what was kept, before anybody can connect. */
export function restoreChannels(service: Service, state: State): void {
  for (const [name, definition] of state.channels) service.channels.put(name, definition);
}

/**
 * Keeps every change from now on. Channels that came into being by themselves are not kept: they would do so again.
 *
 * @returns Ends it.
 */
export function keepChannels(service: Service, state: State): () => void {
  return service.channels.onChange(({ type, channel, implicit }) => {
    if (type === "removed") state.removeChannel(channel.name);
    else if (!implicit) state.putChannel(channel.name, channel.definition);
  });
}
