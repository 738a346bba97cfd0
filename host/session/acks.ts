/**
 * Whether and how the deliveries of an inbox are acknowledged; docs/delivery.md says what that promises.
 */
import { SluiceError } from "../errors.ts";
import type { Inbox } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";

/** Settings of acknowledgements. */
export interface AckSettings {
  /** Deliveries are kept until they are acknowledged. The rest counts only then. */
  readonly explicit: boolean;
  /** After so long on the service clock a delivery is made again; twice as long after each time. */
  readonly redeliverMs: number;
  /** How often one event is delivered at most. */
  readonly attempts: number;
  /** Name of the channel for what was delivered that often; undefined: it is dropped, and told. */
  readonly deadLetter: string | undefined;
}

/** Where an inbox does not say. */
export const defaultAcks: AckSettings = Object.freeze({
  explicit: false,
  redeliverMs: limits.redeliverMs,
  attempts: limits.attempts,
  deadLetter: undefined,
});

/**
 * Applies the part of an inbox frame that is about acknowledgements.
 *
 * @param present What was in force; what the frame leaves out stays.
 * @param path Of the frame in the input, for errors.
 * @throws {SluiceError} `invalid_value` naming the field.
 */
export function acksFromFrame(present: AckSettings, frame: Inbox, path: string): AckSettings {
  if (frame.ack !== "" && frame.ack !== "none" && frame.ack !== "explicit") {
    const value = frame.ack.slice(0, 64);
    throw new SluiceError("invalid_value", `Cannot set ${path}ack to "${value}", it must be none or explicit`, {
      value,
      limit: ["none", "explicit"],
    });
  }
  return {
    explicit: frame.ack === "" ? present.explicit : frame.ack === "explicit",
    redeliverMs: whole(`${path}redeliverMs`, frame.redeliverMs, limits.redeliverMsMax) ?? present.redeliverMs,
    attempts: whole(`${path}attempts`, frame.attempts, limits.attemptsMax) ?? present.attempts,
    deadLetter: frame.deadLetter === "" ? present.deadLetter : frame.deadLetter,
  };
}

function whole(path: string, value: bigint | number | undefined, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (number >= 1 && number <= most) return number;
  throw new SluiceError("invalid_value", `Cannot set ${path} to ${value}, it must be from 1 to ${most}`, {
    value: number,
    limit: [1, most],
  });
}
