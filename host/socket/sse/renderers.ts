/** The renderers of SSE sessions, one per form in which events are told. */
import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import { cloudEventText } from "../cloudevents/write.ts";
import { EventRenderer } from "../json/event-renderer.ts";
import { bytesOf } from "../json/scan.ts";
import { type EventWriter, type StreamNames, StreamRenderer } from "./render.ts";

/** All of them. */
export interface StreamRenderers {
  /** By kind of connection. */
  readonly byKind: { readonly sse: StreamRenderer; readonly "sse-cloudevents": StreamRenderer };
  /** Forgets rendered events; to be called when a channel is removed, whose number another may get. */
  clear(): void;
}

/** Makes the renderers of a host. */
export function createStreamRenderers(names: StreamNames): StreamRenderers {
  const sse = new StreamRenderer(names, new EventRenderer());
  const cloudEvents = new StreamRenderer(names, cloudEventsWriter);
  return Object.freeze({
    byKind: Object.freeze({ sse, "sse-cloudevents": cloudEvents }),
    clear() {
      sse.clear();
      cloudEvents.clear();
    },
  });
}

/** CloudEvents in the JSON format go over values, once per event for all its sinks. */
const cloudEventsWriter: EventWriter = Object.freeze({
  render(sink, bytes, at, end, channel) {
    const event = fromBinary(EventSchema, bytes.subarray(at, end));
    const text = bytesOf(cloudEventText({ event, id: event.id || channel.text() }));
    sink.copy(text, 0, text.length);
  },
} satisfies EventWriter);
