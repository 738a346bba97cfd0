/** Settings of inboxes as JSON: how they read, and what a merge patch makes of them. */
import { create } from "@bufbuild/protobuf";
import type { z } from "zod";
import { mergePatch } from "../../channel/definition.ts";
import { checkWith } from "../../check.ts";
import { InboxSchema } from "../../gen/sluice/v1/frame_pb.ts";
import {
  defaultInbox,
  type InboxSettings,
  inboxFromFrame,
  lateName,
  orderingName,
  overflowName,
} from "../../session/inbox.ts";
import { inboxFromChecked } from "./client.ts";
import { inboxSchema } from "./schema/client.ts";

/** Settings, and where it has one the time without a use after which it ends. */
export type Settable = InboxSettings & { readonly idleMs?: number | undefined };

/** What a contract may set: how long an inbox outlives its client is none of it. */
export const inboxSettable = inboxSchema.omit({ idleMs: true });

/** Settings as JSON, without what is null: a merge takes null for absent. */
export function inboxJson(settings: Settable) {
  const { single, events, bytes, delayMs } = settings.grouping;
  const { explicit, redeliverMs, attempts, deadLetter } = settings.acks;
  return {
    ordering: orderingName(settings.ordering),
    capacityEvents: settings.capacityEvents,
    capacityBytes: settings.capacityBytes,
    overflow: overflowName(settings.overflow),
    select: { mode: single ? "single" : "batch", events, bytes, delayMs },
    late: lateName(settings.late),
    stallMark: settings.marks.stall,
    releaseMark: settings.marks.release,
    ack: explicit ? "explicit" : "none",
    redeliverMs,
    attempts,
    ...(deadLetter === undefined ? {} : { deadLetter }),
    ...(settings.serviceMs === undefined ? {} : { serviceMs: settings.serviceMs }),
    ...(settings.idleMs === undefined ? {} : { idleMs: settings.idleMs }),
    held: settings.held,
  };
}

/** Settings that the schema has seen; what they leave out has its default. @throws {SluiceError} as inboxFromFrame(). */
export function inboxFromJson({ idleMs: _idleMs, ...settings }: z.output<typeof inboxSchema>): InboxSettings {
  return inboxFromFrame(defaultInbox, create(InboxSchema, inboxFromChecked(settings)), "");
}

/**
 * Applies a JSON merge patch (RFC 7396) to settings: null gives a field its default back.
 *
 * @param path Where the patch stands in what the peer sent, for errors.
 * @throws {SluiceError} `unknown_field`, `invalid_value`, or `not_supported`; for the patched whole.
 */
export function inboxPatched(present: InboxSettings, patch: unknown, path: readonly PropertyKey[] = []): InboxSettings {
  return inboxFromJson(checkWith(inboxSettable, mergePatch(inboxJson({ ...present, idleMs: undefined }), patch), path));
}
