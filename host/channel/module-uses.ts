/** Where filter modules are bound: in channels, in templates for channels that are to come, and by contracts. */
import type { FilterRegistry, FilterUse } from "../filter/registry/registry.ts";
import { stages } from "../filter/schema.ts";
import type { ChannelView } from "./channel.ts";
import type { Template } from "./templates.ts";

/** Tells a registry who uses its modules. */
export function tellUses(
  filters: FilterRegistry,
  service: {
    readonly channels: { list(): Iterable<Pick<ChannelView, "name" | "definition" | "inForce">> };
    readonly templates: { list(): Iterable<Template> };
    readonly contracts: { moduleUses(): Iterable<FilterUse> };
    readonly modules: { uses(name: string, digest: string): number } | undefined;
  },
): void {
  filters.uses = function* () {
    yield* moduleUses(service.channels.list(), service.templates.list());
    yield* service.contracts.moduleUses();
  };
  filters.running = (name, digest) => service.modules?.uses(name, digest) ?? 0;
}

/** All of them, one after the other: for the rare request that wants to delete one. */
export function* moduleUses(
  channels: Iterable<Pick<ChannelView, "name" | "definition" | "inForce">>,
  templates: Iterable<Template>,
): Generator<FilterUse> {
  for (const { name, definition, inForce } of channels) {
    for (const { filters } of definition === inForce ? [definition] : [definition, inForce]) {
      for (const stage of stages) {
        const module = filters[stage]?.module;
        if (module !== undefined) yield { where: `${stage} filter of channel ${name}`, stage, ...module };
      }
    }
  }
  for (const { name, fields } of templates) {
    // As they were said; that they can be a channel's was checked when the template was put.
    const { filters } = fields as { readonly filters?: Readonly<Record<string, Partial<FilterUse> | null>> | null };
    for (const stage of stages) {
      const { module, digest } = filters?.[stage] ?? {};
      if (module !== undefined)
        yield { where: `${stage} filter of template ${name}`, stage, module, digest: digest ?? undefined };
    }
  }
}
