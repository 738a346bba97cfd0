/**
 * Admission: whether the deadlines of an inbox can be kept, by what its client says it takes for one event.
 *
 *   window     U = Σ (1 − lose/of) · serviceMs/periodMs over its channels with a window. U ≤ 1 suffices where all periods are
 *              equal; where they differ it does not (a third of random sets fails), so then it is best effort
 *   deadline   U = Σ rate · serviceMs over its joins with a rate: earliest deadline first keeps any set with U ≤ 1
 *
 * U > 1 cannot be kept by anybody and is refused with the number. Without `serviceMs` nothing is checked, and it is said so.
 * Source: West et al., "Dynamic window-constrained scheduling …", IEEE TC 53(6), 2004; Liu and Layland, J. ACM 20(1), 1973.
 */
import { ORDERING_DEADLINE, ORDERING_PRIORITY_DEADLINE, ORDERING_WINDOW, ROLE_SINK } from "../../core-wasm/abi.ts";
import type { DeliveryWindow } from "../channel/definition.ts";
import { SluiceError } from "../errors.ts";
import { defaultInbox, type InboxSettings } from "./inbox.ts";
import type { Session } from "./session.ts";

/** What can be promised. */
export interface Admission {
  readonly verdict: "accepted" | "bestEffort" | "unchecked";
  /** Share of its client's time that the inbox needs; undefined: unchecked. */
  readonly u?: number;
}

/** One stream of an inbox, as far as admission goes. */
export interface Demand {
  readonly window: DeliveryWindow | null;
  /** Events per second, undefined: not declared. */
  readonly rate: number | undefined;
}

/** Sums of fractions that are 1 by arithmetic may be a little more in floating point. */
const ROUNDING = 1e-9;

/**
 * Decides over all streams of an inbox together.
 *
 * @returns What can be promised; undefined where none of them asks for anything.
 * @throws {SluiceError} `admission` with `u`, where it cannot be kept.
 */
export function admissionOf(
  { ordering, serviceMs }: Pick<InboxSettings, "ordering" | "serviceMs">,
  demands: readonly Demand[],
): Admission | undefined {
  const shares: number[] = [];
  const periods = new Set<number>();
  for (const { window, rate } of demands) {
    if (ordering === ORDERING_WINDOW && window !== null) {
      shares.push((1 - window.lose / window.of) / window.periodMs);
      periods.add(window.periodMs);
    } else if ((ordering === ORDERING_DEADLINE || ordering === ORDERING_PRIORITY_DEADLINE) && rate !== undefined) {
      shares.push(rate / 1000);
    }
  }
  if (shares.length === 0) return undefined;
  if (serviceMs === undefined) return { verdict: "unchecked" };
  const u = shares.reduce((sum, share) => sum + share * serviceMs, 0);
  if (u > 1 + ROUNDING) {
    throw new SluiceError(
      "admission",
      `Cannot keep the deadlines of ${shares.length} streams, they need ${shown(u)} of the time of a client that takes ` +
        `${serviceMs} ms for an event, limit is 1`,
      { value: u, limit: 1, u },
    );
  }
  // Priorities before deadlines are not earliest deadline first: nothing follows from U.
  const sure = periods.size <= 1 && ordering !== ORDERING_PRIORITY_DEADLINE;
  return { verdict: sure ? "accepted" : "bestEffort", u };
}

function shown(u: number): string {
  return u < 1000 ? u.toFixed(3) : u.toExponential(2);
}

/** What each channel of a session asks of its inbox; `but`: as if this channel asked for that. */
function demandsOf(session: Session, but?: { readonly channel: string } & Demand): Demand[] {
  const demands = new Map<string, Demand>();
  for (const { channel, role, rate } of session.memberships?.all() ?? []) {
    if ((role & ROLE_SINK) === 0) continue;
    const window = session.engine.channels.get(channel)?.inForce.delivery.window ?? null;
    // Several memberships of a channel are one stream: an event comes once.
    demands.set(channel, { window, rate: rate ?? demands.get(channel)?.rate });
  }
  if (but !== undefined) demands.set(but.channel, { window: but.window, rate: but.rate });
  return [...demands.values()];
}

/** @throws {SluiceError} `admission`, where the streams that a session has could not be kept with those settings. */
export function admitAll(session: Session, settings: InboxSettings): void {
  if (settings.serviceMs !== undefined) admissionOf(settings, demandsOf(session));
}

/**
 * Whether a session may join a channel so.
 *
 * @throws {SluiceError} `admission`.
 */
export function admitJoin(
  session: Session,
  channel: string,
  window: DeliveryWindow | null,
  rate: number | undefined,
): Admission | undefined {
  if (window === null && rate === undefined) return undefined;
  const settings = session.inbox ?? defaultInbox;
  const admission = admissionOf(settings, demandsOf(session, { channel, window, rate }));
  // Others' demands say nothing of a join that asks for none in this ordering.
  return admissionOf({ ...settings, serviceMs: undefined }, [{ window, rate }]) === undefined ? undefined : admission;
}

/**
 * Whether all sessions that receive a channel could keep another window of it.
 *
 * @throws {SluiceError} `admission`, for the first one that could not.
 */
export function admitWindow(
  sessions: Iterable<Session>,
  channel: { readonly name: string; readonly number: number },
  window: DeliveryWindow,
): void {
  for (const session of sessions) {
    const settings = session.inbox ?? defaultInbox;
    if (settings.serviceMs === undefined || settings.ordering !== ORDERING_WINDOW) continue;
    const members = session.memberships?.ofChannel(channel.number) ?? [];
    if (members.some(({ role }) => (role & ROLE_SINK) !== 0))
      admissionOf(settings, demandsOf(session, { channel: channel.name, window, rate: undefined }));
  }
}
