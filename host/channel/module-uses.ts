/** Where filter modules are bound: in channels, and in templates for channels that are to come. */
import type { FilterRegistry, FilterUse } from "../filter/registry/registry.ts";
import { stages } from "../filter/schema.ts";
import type { ChannelView } from "./channels.ts";
import type { Template } from "./templates.ts";

/** Tells a registry who uses its modules. */
export function tellUses(
  filters: FilterRegistry,
  service: {
    readonly channels: { list(): Iterable<Pick<ChannelView, "name" | "definition">> };
    readonly templates: { list(): Iterable<Template> };
    readonly modules: { uses(name: string, digest: string): number } | undefined;
  },
): void {
  filters.uses = () => moduleUses(service.channels.list(), service.templates.list());
  filters.running = (name, digest) => service.modules?.uses(name, digest) ?? 0;
}

/** All of them, one after the other: for the rare request that wants to delete one. */
export function* moduleUses(
  channels: Iterable<Pick<ChannelView, "name" | "definition">>,
  templates: Iterable<Template>,
): Generator<FilterUse> {
  for (const { name, definition } of channels) {
    for (const stage of stages) {
      const module = definition.filters[stage]?.module;
      if (module !== undefined) yield { where: `${stage} filter of channel ${name}`, stage, ...module };
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
