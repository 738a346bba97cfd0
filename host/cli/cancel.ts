/**
 * `sluice cancel`: withdraws the undelivered events of a key, and tells whoever got it.
 */
import { channelPath, request, type Target } from "./client.ts";
import { figure } from "./style.ts";
import type { Terminal } from "./terminal.ts";

/** The options of the command. */
export interface CancelOptions {
  /** RFC 3339. */
  readonly at?: string;
  /** Member that cancels. */
  readonly as?: string;
  readonly json?: boolean;
}

/**
 * Cancels a key and prints what that did.
 *
 * @throws {CliError} for a host that refuses, or none at all.
 */
export async function cancel(
  channel: string,
  key: string,
  { at, as, json }: CancelOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "POST", `${channelPath(channel)}/cancel`, {
    body: { key, ...(at === undefined ? {} : { at }), ...(as === undefined ? {} : { as }) },
  });
  const { withdrawn, forwarded } = body as { withdrawn: number; forwarded: number };
  if (json === true) terminal.print(JSON.stringify({ withdrawn, forwarded }));
  else terminal.print(`${figure(withdrawn)} withdrawn, ${figure(forwarded)} told`);
}
