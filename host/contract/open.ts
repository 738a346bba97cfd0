/** Makes the contracts of a service. */
import type { Governable } from "../channel/overlays.ts";
import type { Clocks } from "../clock.ts";
import type { Conditions } from "../condition/conditions.ts";
import type { CoreHolder } from "../core/instance.ts";
import type { SluiceError } from "../errors.ts";
import type { Event } from "../gen/sluice/v1/event_pb.ts";
import type { Log } from "../log.ts";
import { eventFromChecked } from "../socket/json/event.ts";
import type { PublishOutcome } from "./actions.ts";
import { Contracts } from "./contracts.ts";
import { Governing } from "./governing.ts";

/** What contracts govern. */
interface Governed extends CoreHolder {
  readonly conditions: Conditions;
  readonly channels: Governable;
  readonly inboxes: Governable;
  publish(channel: string, events: readonly Event[]): PublishOutcome;
}

/** What a service is told of its surroundings. */
interface Surroundings {
  readonly log: Log;
  readonly clocks: Clocks;
  readonly defer?: (run: () => void) => void;
}

/**
 * Makes them.
 *
 * @param onTrap Deals with a trap of the core. Returns what the caller is to hear.
 */
export function openContracts(
  service: Governed,
  { log, clocks, defer }: Surroundings,
  onTrap: (error: Error) => SluiceError,
): Contracts {
  return new Contracts({
    holder: service,
    conditions: service.conditions,
    log,
    governing: new Governing({ channel: service.channels, inbox: service.inboxes }, log),
    later: (run, delayMs) => clocks.service.setTimer(run, delayMs),
    publish: (channel, event) => service.publish(channel, [eventFromChecked(event)]),
    defer: defer ?? ((run) => void clocks.real.setTimer(run, 0)),
    onTrap,
  });
}
