/**
 * What one contract lays over channels and inboxes, and how transitions change that.
 *
 * It is a merge patch for each of them, made of all that the contract has said since it lay nothing over it.
 */
import { type ChannelFields, overlay as over } from "../channel/definition.ts";
import type { FilterUse } from "../filter/registry/registry.ts";
import { stages } from "../filter/schema.ts";
import type { ActionDefinition } from "./action-schema.ts";

/** What may be governed. */
const kinds = ["channel", "inbox"] as const;
/** One of them. */
export type Kind = (typeof kinds)[number];
/** Merge patches by name of what they lie over. */
export type Overlay = { readonly [Name in Kind]: ReadonlyMap<string, ChannelFields> };

/** Of a contract that governs nothing. */
export const noOverlay: Overlay = Object.freeze({ channel: new Map(), inbox: new Map() });

/** What an action lays over what; undefined for one that governs nothing, a null patch for one that takes all away. */
export function governs({
  bind,
  unbind,
  configure,
}: ActionDefinition): { readonly kind: Kind; readonly name: string; readonly patch: ChannelFields | null } | undefined {
  if (bind !== undefined) {
    const { channel, stage, ...binding } = bind;
    return { kind: "channel", name: channel, patch: { filters: { [stage]: binding } } };
  }
  if (unbind !== undefined)
    return { kind: "channel", name: unbind.channel, patch: { filters: { [unbind.stage]: null } } };
  if (configure === undefined) return undefined;
  const { channel, inbox, patch } = configure;
  return channel === undefined
    ? { kind: "inbox", name: inbox ?? "", patch }
    : { kind: "channel", name: channel, patch };
}

/** Modules that an action binds. */
export function* modulesOf(action: ActionDefinition): Generator<Pick<FilterUse, "stage" | "module" | "digest">> {
  const { filters } = (governs(action)?.patch ?? {}) as {
    readonly filters?: Readonly<Record<string, Partial<FilterUse> | null>> | null;
  };
  for (const stage of stages) {
    const { module, digest } = filters?.[stage] ?? {};
    if (module !== undefined) yield { stage, module, digest: digest ?? undefined };
  }
}

/** What a contract lays over everything when it has carried out some actions. */
export function overlayAfter(before: Overlay, actions: readonly ActionDefinition[]): Overlay {
  const after = { channel: new Map(before.channel), inbox: new Map(before.inbox) };
  for (const action of actions) {
    const said = governs(action);
    if (said === undefined) continue;
    const patches = after[said.kind];
    if (said.patch === null) patches.delete(said.name);
    else patches.set(said.name, over(patches.get(said.name) ?? {}, said.patch));
  }
  return after;
}

/** As much of an overlay as a contract still speaks of. */
export function overlayKept(overlay: Overlay, actions: readonly ActionDefinition[]): Overlay {
  const spoken = new Set(actions.flatMap((action) => keyOf(governs(action))));
  const kept = (kind: Kind) => new Map([...overlay[kind]].filter(([name]) => spoken.has(`${kind} ${name}`)));
  return { channel: kept("channel"), inbox: kept("inbox") };
}

function keyOf(said: { readonly kind: Kind; readonly name: string } | undefined): string[] {
  return said === undefined ? [] : [`${said.kind} ${said.name}`];
}

/** What differs between two overlays. */
export function changesBetween(before: Overlay, after: Overlay) {
  return kinds.flatMap((kind) =>
    [...new Set([...before[kind].keys(), ...after[kind].keys()])].flatMap((name) => {
      const patch = after[kind].get(name);
      const isSame = JSON.stringify(patch) === JSON.stringify(before[kind].get(name));
      return isSame ? [] : [{ kind, name, patch }];
    }),
  );
}
