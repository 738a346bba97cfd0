import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { cloudEventsAnswer, eventFormatOf, eventsMaxOf } from "../../../../host/control/cloudevents/answer.ts";
import type { ControlEnv } from "../../../../host/control/request.ts";
import { eventFromJson } from "../../../../host/socket/json/event.ts";

const events = ["a", "b"].map((id) => {
  const read = eventFromJson({ source: "/s", type: "t", dataContentType: "text/html", data: "<b>" });
  if (!read.ok) throw read.error;
  return { event: read.value, id };
});

/** Asks an app that answers with as many of two events as the format can carry. */
async function ask(accept: string | undefined, available = 2): Promise<Response> {
  const app = new Hono<ControlEnv>();
  app.get("/", (context) => {
    const format = eventFormatOf(context);
    if (format === "native") return context.text("native");
    return cloudEventsAnswer(context, format, events.slice(0, eventsMaxOf(format, available)));
  });
  return app.request("/", accept === undefined ? {} : { headers: { accept } });
}

describe("eventFormatOf()", () => {
  test.each([
    [undefined, "native"],
    ["*/*", "native"],
    ["application/json", "native"],
    ["application/cloudevents-batch+json", "batch"],
    ["application/cloudevents+json", "structured"],
    ["application/cloudevents", "binary"],
    ["Application/CloudEvents-Batch+JSON; charset=utf-8", "batch"],
    ["text/html, application/cloudevents+json;q=0.5, application/json;q=0.4", "structured"],
    ["application/json;q=0.9, application/cloudevents-batch+json", "batch"],
    ["application/json, application/cloudevents-batch+json", "native"],
    ["application/cloudevents-batch+json;q=0", "native"],
    ["application/cloudevents+avro", "native"],
  ])("reads %s as %s", async (accept, want) => {
    const app = new Hono<ControlEnv>();
    app.get("/", (context) => context.text(eventFormatOf(context)));
    const answer = await app.request("/", accept === undefined ? {} : { headers: { accept } });
    expect(await answer.text()).toBe(want);
  });
});

describe("cloudEventsAnswer()", () => {
  test("gives a batch, empty where there is nothing", async () => {
    const answer = await ask("application/cloudevents-batch+json");
    expect(answer.headers.get("content-type")).toBe("application/cloudevents-batch+json");
    expect((await answer.json()) as unknown).toMatchObject([{ id: "a" }, { id: "b", specversion: "1.0" }]);
    expect(await (await ask("application/cloudevents-batch+json", 0)).json()).toEqual([]);
  });

  test("gives one event in structured mode, and 204 where there is none", async () => {
    const answer = await ask("application/cloudevents+json");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/cloudevents+json"]);
    expect(await answer.json()).toMatchObject({ id: "a", data: "<b>" });
    expect((await ask("application/cloudevents+json", 0)).status).toBe(204);
  });

  test("gives one event in binary mode, in a way that no browser takes for a page", async () => {
    const answer = await ask("application/cloudevents");
    expect(await answer.text()).toBe("<b>");
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "ce-id": "a",
      "ce-type": "t",
      "content-type": "text/html",
      "content-security-policy": "sandbox; default-src 'none'",
    });
    expect((await ask("application/cloudevents", 0)).status).toBe(204);
  });
});
