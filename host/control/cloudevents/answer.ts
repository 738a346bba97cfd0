/**
 * Events as an answer, in the format that `Accept` asks for.
 *
 * | Accept | answer |
 * |---|---|
 * | application/cloudevents-batch+json | an array of CloudEvents, perhaps empty |
 * | application/cloudevents+json | one CloudEvent in structured mode, or 204 |
 * | application/cloudevents | one CloudEvent in binary mode, or 204 |
 * | anything else | native |
 *
 * CloudEvents leaves it to applications how binary mode is asked for: a media type without a format suits it.
 */
import {
  cloudEventBatch,
  cloudEventMessage,
  cloudEventText,
  type IdentifiedEvent,
} from "../../socket/cloudevents/write.ts";
import type { ControlContext } from "../request.ts";
import { BATCH_TYPE, type EventMode, STRUCTURED_TYPE } from "./mode.ts";

const formats: readonly (readonly [string, EventMode])[] = [
  [BATCH_TYPE, "batch"],
  [STRUCTURED_TYPE, "structured"],
  ["application/cloudevents", "binary"],
  ["application/json", "native"],
];

/** The format that a request accepts best; native where it says nothing that is known. */
export function eventFormatOf(context: ControlContext): EventMode {
  let best: EventMode = "native";
  let most = 0;
  for (const range of (context.req.header("accept") ?? "").split(",", 32)) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const format = formats.find(([name]) => name === type)?.[1];
    const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
    // The first of equals, as they were written.
    if (format !== undefined && weight > most) {
      best = format;
      most = weight;
    }
  }
  return best;
}

/** How many events an answer of that format can carry. */
export function eventsMaxOf(format: EventMode, max: number): number {
  return format === "structured" || format === "binary" ? Math.min(1, max) : max;
}

/**
 * Answers with CloudEvents.
 *
 * @param events As many as {@link eventsMaxOf} allows.
 */
export function cloudEventsAnswer(
  context: ControlContext,
  format: Exclude<EventMode, "native">,
  events: readonly IdentifiedEvent[],
): Response {
  if (format === "batch") return context.body(cloudEventBatch(events), 200, { "Content-Type": BATCH_TYPE });
  const [event] = events;
  if (event === undefined) return context.body(null, 204);
  if (format === "structured") return context.body(cloudEventText(event), 200, { "Content-Type": STRUCTURED_TYPE });
  const { headers, body } = cloudEventMessage(event);
  // A publisher chose the media type: a browser that shows it must not take it for a page of this host.
  return context.body(body, 200, { ...headers, "Content-Security-Policy": "sandbox; default-src 'none'" });
}
