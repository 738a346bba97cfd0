/** One publish, from the call to the receipt. */
import type { EventInput, Receipt } from "../host/interface.ts";
import type { Gathering, Outgoing } from "./outgoing.ts";
import { check, type StandardSchema } from "./schema.ts";
import { abortable } from "./wait.ts";

/** An event whose data has a type. */
export type TypedInput<Data> = Omit<EventInput, "data"> & { readonly data?: Data };

/** How one event is published. */
export interface PublishOptions {
  /** `accepted`, where absent: the host has taken it. `none`: it is on its way, and nothing is told but errors, to `onError`. */
  readonly receipt?: "accepted" | "none";
  /** Ends the waiting. Whether the event is published all the same is not known, where it was on its way. */
  readonly signal?: AbortSignal;
}

/** Where and how events of one channel are published. */
export interface Publishing {
  readonly outgoing: Outgoing;
  readonly channel: string;
  readonly gathering: Gathering;
  readonly schema: StandardSchema | undefined;
}

/** Of an event whose publisher wants none. */
const noReceipt: Receipt = Object.freeze({ id: "", sequence: 0, epoch: 0, sinks: 0, hosts: 0 });

/** Publishes one event, when there is room. @throws {SluiceError} where it is refused; the reason of an aborted signal. */
export async function publishOne(
  { outgoing, channel, gathering, schema }: Publishing,
  event: TypedInput<unknown>,
  { receipt, signal }: PublishOptions,
): Promise<Receipt> {
  signal?.throwIfAborted();
  let input = event as EventInput;
  if (schema !== undefined) {
    const data = await abortable(check(schema, input.data, `an event of type ${input.type}`), signal);
    input = { ...input, data };
  }
  for (let room = outgoing.room(); room !== undefined; room = outgoing.room()) await abortable(room, signal);
  if (receipt !== "none") return await abortable(outgoing.publish(channel, input, gathering), signal);
  outgoing.add(channel, input, gathering);
  return noReceipt;
}
