/**
 * Keeps the control state in step with the channels, templates, conditions and contracts of a service.
 */
import type { Clock } from "../../clock.ts";
import { SluiceError } from "../../errors.ts";
import { limits } from "../../limits.ts";
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
  for (const kept of state.contractStates) {
    // Those that came into being by themselves are not kept, but what is governed is to be there again.
    for (const [channel] of kept.channels) {
      try {
        service.channels.resolve(channel);
      } catch {
        // The contract tells that it is not there.
      }
    }
    service.contracts.resume(kept);
  }
}

/**
 * Keeps where contracts are, from now on: a change is written at once, those that follow together and so that writing takes a tenth
 * of the time at most.
 *
 * @param clock For the time between.
 * @returns Ends it, and has all be written as it is now.
 */
export function keepContractStates({ contracts }: Service, state: State, clock: Clock): () => void {
  const read = () => contracts.kept();
  let isWaiting = false;
  let hasMore = false;
  let cancel = (): void => {};
  const write = async (): Promise<void> => {
    if (isWaiting) {
      hasMore = true;
      return;
    }
    isWaiting = true;
    hasMore = false;
    const began = clock.now();
    state.putContractStates(read);
    // Whoever keeps the state tells of a write that failed.
    await state.settled().catch(() => undefined);
    cancel = clock.setTimer(
      () => {
        isWaiting = false;
        if (hasMore) void write();
      },
      Math.max(limits.contractKeepMs, (clock.now() - began) * 9),
    );
  };
  contracts.onState(() => void write());
  return () => {
    contracts.onState(() => {});
    isWaiting = true;
    cancel();
    try {
      const last = contracts.kept();
      state.putContractStates(() => last);
    } catch {
      // A core that has failed for good tells nothing any more: what was written last stays.
    }
  };
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
