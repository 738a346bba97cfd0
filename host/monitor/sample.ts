/** Looks at this machine once a second, for whoever wants its load as figures and not as events. */
import type { Clock } from "../clock.ts";
import { type LoadSample, startLoadMonitor } from "./load.ts";
import { createMachineReadings } from "./machine.ts";

/** Samples this machine until it is stopped. @returns Stops it. */
export function sampleMachine(onSample: (load: LoadSample["attributes"]) => void, clock: Clock): () => void {
  return startLoadMonitor(createMachineReadings(), clock, ({ attributes }) => onSample(attributes));
}
