/**
 * Cancelling a key without a frame: for HTTP and embedded use. Frames are carried out by the core alone.
 */
import { RESULT_COUNT, RESULT_INDEX, RESULT_LIMIT, RESULT_VALUE, STATUS_OK } from "../../core-wasm/abi.ts";
import type { ChannelView } from "../channel/channel.ts";
import { placeText } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import type { Engine } from "./engine.ts";

/** What a cancel may say besides the key. */
export interface CancelKeyOptions {
  /** Only what happened up to this moment, µs since 1970; absent: everything so far. */
  readonly atUs?: bigint;
  /** The member that cancels; absent: the host itself, which is in no race. */
  readonly as?: number;
}

/** What a cancel did. */
export interface Cancelled {
  /** Deliveries that will not be made. */
  readonly withdrawn: number;
  /** Sinks that got the key, and are told. */
  readonly forwarded: number;
}

/**
 * Cancels a key.
 *
 * @param connection Number in the core of the one who does.
 * @throws {SluiceError} `invalid_value` for an empty key, `key_too_long`, `time_out_of_range`, `store_full`; `cancelled` where
 *   the connection got the key and is not the first to cancel it.
 */
export function cancelKey(
  engine: Engine,
  connection: number,
  channel: ChannelView,
  key: string,
  atUs: bigint | undefined,
): Cancelled {
  const { core, clocks } = engine;
  const now = clocks.service.now();
  // What waits for a decider is in no inbox yet, and would get there behind the cancel.
  if (engine.deciding) engine.decide(now);
  const { at, bytes } = placeText(core, key);
  const moment = atUs === undefined ? Number.POSITIVE_INFINITY : Number(atUs);
  const status = core.exports.cancel(connection, channel.number, at, bytes, moment, now);
  const { result } = core.views;
  if (status !== STATUS_OK)
    throw errorFromStatus(status, result[RESULT_VALUE] as number, result[RESULT_LIMIT] as number);
  engine.flusher.schedule();
  return { withdrawn: result[RESULT_COUNT] as number, forwarded: result[RESULT_INDEX] as number };
}
