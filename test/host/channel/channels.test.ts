/**
 * Channels of a host: here by name, in the core by number.
 */
import { describe, expect, test } from "vitest";
import { Channels } from "../../../host/channel/channels.ts";
import { type ChannelDefinition, defaultDefinition } from "../../../host/channel/definition.ts";
import { createCore } from "../../../host/core/instance.ts";
import { coreModule } from "../../core-wasm/harness.ts";

const memory = { memoryBytes: 64 * 2 ** 20, storeBytes: 8 * 2 ** 20 };

function create(implicit = true) {
  const holder = { core: createCore(coreModule(), { ...memory, epoch: 1 }) };
  const channels = new Channels({ holder, implicit });
  const changes: string[] = [];
  channels.onChange(({ type, channel, implicit: self }) =>
    changes.push(`${type} ${channel.name}${self ? " by itself" : ""}`),
  );
  return { holder, channels, changes };
}

describe("Channels", () => {
  test("put() creates, then replaces; revisions count real changes", () => {
    const { channels, changes } = create();
    const first = channels.put("c", defaultDefinition);
    expect(first).toMatchObject({ created: true, channel: { name: "c", revision: 1, definition: defaultDefinition } });
    expect(channels.put("c", { ...defaultDefinition })).toMatchObject({ created: false, channel: { revision: 1 } });
    expect(channels.put("c", { ...defaultDefinition, types: ["a"] })).toMatchObject({
      created: false,
      channel: { revision: 2 },
    });
    expect(channels.patch("c", { ...defaultDefinition, echo: false })).toMatchObject({ revision: 3 });
    expect(channels.get("c")?.definition).toMatchObject({ types: [], echo: false });
    expect(changes).toEqual(["created c", "updated c", "updated c"]);
  });

  test("resolve() makes a channel where that is allowed, and putting it makes it one to keep", () => {
    const { channels, changes } = create();
    expect(channels.resolve("c").number).toBe(channels.resolve("c").number);
    channels.put("c", defaultDefinition);
    expect(changes).toEqual(["created c by itself", "updated c"]);
    const strict = create(false).channels;
    expect(() => strict.resolve("c")).toThrow(expect.objectContaining({ code: "channel_unknown", value: "c" }));
    expect(() => strict.patch("c", defaultDefinition)).toThrow(expect.objectContaining({ code: "channel_unknown" }));
    expect(() => strict.setDecider("c", true)).toThrow(expect.objectContaining({ code: "channel_unknown" }));
  });

  test.each(["", " ", "a b", ".a", "/a", "ä", "a".repeat(256)])("the name %j is refused", (name) => {
    const { channels } = create();
    expect(() => channels.put(name, defaultDefinition)).toThrow(expect.objectContaining({ code: "channel_name" }));
    expect(() => channels.resolve(name)).toThrow(expect.objectContaining({ code: "channel_name" }));
    expect(channels.list()).toEqual([]);
  });

  test("remove() forgets name and number, and says whether there was one", () => {
    const { channels, changes } = create();
    const { number } = channels.resolve("c");
    expect(channels.byNumber(number)?.name).toBe("c");
    expect(channels.remove("c")).toBe(true);
    expect(channels.remove("c")).toBe(false);
    expect(channels.byNumber(number)).toBeUndefined();
    expect(channels.get("c")).toBeUndefined();
    expect(changes.at(-1)).toBe("removed c by itself");
  });

  test("list() keeps the order of creation", () => {
    const { channels } = create();
    for (const name of ["b", "a", "c"]) channels.resolve(name);
    channels.remove("a");
    channels.resolve("a");
    expect(channels.list().map(({ name }) => name)).toEqual(["b", "c", "a"]);
  });

  test("restore() makes all of them again in another core, with their definitions", () => {
    const { channels, holder } = create();
    for (const name of ["a", "b", "c"]) channels.put(name, { ...defaultDefinition, types: [name] });
    channels.remove("a");
    holder.core = createCore(coreModule(), { ...memory, epoch: 2 });
    channels.restore();
    expect(channels.list().map(({ name, number }) => [name, number])).toEqual([
      ["b", 1],
      ["c", 2],
    ]);
    expect(channels.byNumber(2)?.definition.types).toEqual(["c"]);
    expect(channels.get("c")?.sequence()).toBe(0);
  });

  test("a hundred thousand fit, at less than 1 KiB each in the core", () => {
    const holder = {
      core: createCore(coreModule(), { memoryBytes: 256 * 2 ** 20, storeBytes: 8 * 2 ** 20, epoch: 1 }),
    };
    const channels = new Channels({ holder, implicit: true });
    for (let index = 0; index < 100_000; index++) channels.resolve(`channel/${index}`);
    expect(channels.count).toBe(100_000);
    expect(channels.get("channel/99999")?.number).toBe(100_000);
    expect(holder.core.exports.statistic(9) * 65_536).toBeLessThan(100_000 * 1_024);
  });

  test("onChange() can be ended", () => {
    const { channels } = create();
    let heard = 0;
    const end = channels.onChange(() => heard++);
    channels.resolve("a");
    end();
    channels.resolve("b");
    expect(heard).toBe(1);
  });
});

describe("a definition that is not whole, as JavaScript lets through", () => {
  /** What no compiler has looked at. */
  const partial = (definition: object): ChannelDefinition => definition as ChannelDefinition;

  test("gets the defaults for what it leaves out", () => {
    const { channels } = create();
    expect(channels.put("c", partial({ store: { events: 5 } })).channel.definition).toEqual({
      ...defaultDefinition,
      store: { events: 5 },
    });
    channels.put("c", partial({ delivery: { priority: 7 } }));
    expect(channels.get("c")?.definition.delivery).toEqual({ ...defaultDefinition.delivery, priority: 7 });
    expect(channels.patch("c", partial({})).definition).toEqual(defaultDefinition);
  });

  test.each<[object | null | undefined, string]>([
    [{ delivery: 5 }, "invalid_value"],
    [{ store: { event: 5 } }, "unknown_field"],
    [{ colour: "red" }, "unknown_field"],
    [{ types: "a" }, "invalid_value"],
    [null, "invalid_value"],
    [undefined, "invalid_value"],
  ])("%j is refused with %s, as over HTTP", (definition, code) => {
    const { channels } = create();
    expect(() => channels.put("c", partial(definition as object))).toThrow(expect.objectContaining({ code }));
    expect(channels.get("c")).toBeUndefined();
  });
});
