/**
 * Inboxes as JSON: what a client may set, the merge of a patch, the resource that is shown.
 */

import { z } from "@hono/zod-openapi";
import { ROLE_SINK, ROLE_SOURCE } from "../../core-wasm/abi.ts";
import { mergePatch } from "../channel/definition.ts";
import { overlayOf } from "../channel/overlays.ts";
import { checkWith } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import { defaultInbox, type InboxSettings, notSupported } from "../session/inbox.ts";
import type { MailboxSettings } from "../session/mailbox.ts";
import type { MailboxView } from "../session/mailbox-view.ts";
import { inboxFromJson, inboxJson } from "../socket/json/inbox-settings.ts";
import { inboxSchema as settable } from "../socket/json/schema/client.ts";
import { attributes, count } from "../socket/json/schema/parts.ts";
import { scalarsFromValues } from "../socket/json/value.ts";

const quantiles = z.looseObject({ count, p50: z.number(), p90: z.number(), p99: z.number() });

/** What only the host says of an inbox. PATCH takes and ignores it, so that what was got can be sent back. */
const counted = {
  governedBy: z.array(z.string()).optional().describe("Contracts that lay something over it, the topmost last"),
  overlay: z.looseObject({}).optional().describe("What they lay over it, as it is in force"),
  id: z.string().optional(),
  kind: z.string().optional().describe("http: it is polled; else what its session's socket speaks"),
  depth: z.looseObject({ events: count, bytes: count }).optional().describe("What waits in it now"),
  unacknowledged: count.optional().describe("Deliveries that wait for an acknowledgement"),
  polls: count.optional().describe("Polls that wait at it"),
  history: z
    .looseObject({ waitMs: quantiles, depth: quantiles })
    .nullable()
    .optional()
    .describe(
      "Since its session began: how long what was delivered had waited, how many events there were when it was drained; " +
        "null: nothing was delivered. Not in lists",
    ),
  joins: z
    .array(
      z.looseObject({
        channel: z.string(),
        member: z.string(),
        role: z.enum(["sink", "source", "both"]),
        types: z.array(z.string()).optional(),
        attributes: attributes.optional(),
        deadlines: z
          .looseObject({ met: count, missed: count, dropped: count, violations: count })
          .optional()
          .describe("What became of deadlines of its events since it joined; absent: none had one"),
      }),
    )
    .optional()
    .describe("Its memberships; not in lists"),
};

/** The resource, as POST and PATCH take it: every field may be absent. */
export const inboxSchema = settable.extend(counted);

/** The resource as it is shown, for its description. */
export const shownInbox = settable
  .extend({ ...counted, idleMs: count.nullable(), serviceMs: z.number().nullable(), deadLetter: z.string().nullable() })
  .meta({ id: "Inbox" });

/**
 * Reads settings for a new inbox.
 *
 * @throws {SluiceError} `unknown_field`, `invalid_value`, or `not_supported` naming what this version has not.
 */
export function settingsFromJson(value: unknown): MailboxSettings {
  return settingsFromPatch({ ...defaultInbox, idleMs: limits.inboxIdleMs }, value);
}

/**
 * Applies a JSON merge patch (RFC 7396) to settings: null gives a field its default back.
 *
 * @param present `idleMs` is undefined for the inbox of a socket, which cannot have one.
 * @throws {SluiceError} as {@link settingsFromJson}, for the patched whole.
 */
export function settingsFromPatch(
  present: InboxSettings & { readonly idleMs: number | undefined },
  patch: unknown,
): MailboxSettings {
  const { idleMs: idle, ...json } = checkWith(inboxSchema, mergePatch(inboxJson(present), patch));
  if (idle !== undefined && present.idleMs === undefined) throw notSupported("idleMs", idle);
  const idleMs = idle ?? limits.inboxIdleMs;
  if (idleMs < 1 || idleMs > limits.inboxIdleMsMax) {
    throw new SluiceError(
      "invalid_value",
      `Cannot set idleMs to ${idleMs}, it must be from 1 to ${limits.inboxIdleMsMax}`,
      { value: idleMs, limit: [1, limits.inboxIdleMsMax] },
    );
  }
  const {
    id: _id,
    kind: _kind,
    depth: _depth,
    unacknowledged: _unacknowledged,
    polls: _polls,
    history: _history,
    joins: _joins,
    governedBy: _governedBy,
    overlay: _overlay,
    ...settings
  } = json;
  return { ...inboxFromJson(settings), idleMs };
}

/** The settings as they are shown, of which the entity tag is made. */
export function settingsResource({ id, settings, inForce, layers, idleMs, held }: MailboxView) {
  const { held: _held, ...rest } = inboxJson({ ...settings, idleMs });
  return {
    id,
    ...rest,
    serviceMs: rest.serviceMs ?? null,
    deadLetter: rest.deadLetter ?? null,
    idleMs: idleMs ?? null,
    held,
    ...(layers.length === 0
      ? {}
      : { governedBy: layers.map(({ by }) => by), overlay: overlayOf(layers, inboxJson(inForce)) }),
  };
}

/** The resource in a list. */
export function listedInbox(view: MailboxView) {
  const { id, ...settings } = settingsResource(view);
  return { id, kind: view.kind, ...settings, ...countedOf(view) };
}

function countedOf({ events, bytes, unacknowledged, polls }: MailboxView) {
  return { depth: { events, bytes }, unacknowledged, polls };
}

/** The resource by itself. */
export function inboxResource(view: MailboxView) {
  const joins = Array.from(view.joins(), joinResource);
  return { ...listedInbox(view), history: view.history() ?? null, joins };
}

/** One membership of an inbox. */
export function joinResource(membership: ReturnType<MailboxView["joins"]> extends Iterable<infer One> ? One : never) {
  const { channel, member, role, frame, deadlines } = membership;
  return {
    channel,
    member: `m${member}`,
    role: role === (ROLE_SINK | ROLE_SOURCE) ? "both" : role === ROLE_SOURCE ? "source" : "sink",
    ...(frame === undefined
      ? {}
      : { ...whereOf(frame), types: frame.types, attributes: scalarsFromValues(frame.attributes) ?? {} }),
    ...(deadlines === undefined ? {} : { deadlines }),
  };
}

/** The expression of a join, where it has one. */
function whereOf({ where, dialect }: { readonly where: string; readonly dialect: string }) {
  return where === "" ? {} : { where, ...(dialect === "" ? {} : { dialect }) };
}
