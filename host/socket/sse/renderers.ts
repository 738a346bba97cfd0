/** The renderers of SSE sessions, one per form in which events are told. */
import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import { cloudEventText } from "../cloudevents/write.ts";
import { EventRenderer } from "../json/event-renderer.ts";
import { bytesOf } from "../json/scan.ts";
import { type EventWriter, type StreamNames, StreamRenderer } from "./render.ts";

/** Forms of streams, as kinds of connections. */
export type StreamKind = "sse" | "sse-cloudevents" | "sse-delivery";

/** All of them. */
export interface StreamRenderers {
  readonly byKind: { readonly [Kind in StreamKind]: StreamRenderer };
  /** Forgets rendered events; to be called when a channel is removed, whose number another may get. */
  clear(): void;
}

/** Makes the renderers of a host. */
export function createStreamRenderers(names: StreamNames): StreamRenderers {
  const byKind = Object.freeze({
    sse: new StreamRenderer(names, new EventRenderer()),
    "sse-cloudevents": new StreamRenderer(names, cloudEventsWriter),
    "sse-delivery": new StreamRenderer(names, deliveryWriter(names)),
  });
  return Object.freeze({
    byKind,
    clear() {
      for (const renderer of Object.values(byKind)) renderer.clear();
    },
  });
}

const part = {
  channel: bytesOf('{"channel":'),
  sequence: bytesOf(',"sequence":'),
  epoch: bytesOf(',"epoch":'),
  event: bytesOf(',"event":'),
};
/** The fixed parts and two numbers. */
const PARTS_BYTES = 128;

/** What differs from stream to stream, number and member, is left out: one rendering serves all. */
function deliveryWriter(names: StreamNames): EventWriter {
  const events = new EventRenderer();
  return Object.freeze({
    render(sink, bytes, at, end, channel) {
      const name = channel.nameJson;
      sink.room(PARTS_BYTES + name.length);
      sink.ascii(part.channel);
      sink.copy(name, 0, name.length);
      sink.ascii(part.sequence);
      sink.whole(channel.sequence);
      sink.ascii(part.epoch);
      sink.whole(names.epoch());
      sink.ascii(part.event);
      events.render(sink, bytes, at, end, channel);
      sink.room(1);
      sink.latin("}");
    },
  } satisfies EventWriter);
}

/** CloudEvents in the JSON format go over values, once per event for all its sinks. */
const cloudEventsWriter: EventWriter = Object.freeze({
  render(sink, bytes, at, end, channel) {
    const event = fromBinary(EventSchema, bytes.subarray(at, end));
    const text = bytesOf(cloudEventText({ event, id: event.id || channel.text() }));
    sink.copy(text, 0, text.length);
  },
} satisfies EventWriter);
