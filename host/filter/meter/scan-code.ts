/** Reads the code section: every body, and who pays for what is called. */
import { COSTS } from "./costs.ts";
import type { ModuleLimits } from "./limits.ts";
import { Reader } from "./reader.ts";
import { type Reasons, Unreadable } from "./refusal.ts";
import { foldRegions } from "./regions.ts";
import { type Body, scanBody } from "./scan-body.ts";
import type { Declarations } from "./scan-module.ts";
import { nameOf, SECTION, type Sections } from "./sections.ts";
import type { FunctionType } from "./types.ts";

/**
 * Reads all bodies, in order. One that cannot be read is a reason and left out. Where functions are not known none is read: they would be
 * complained about for nothing.
 */
export function bodiesOf(
  bytes: Uint8Array,
  { places }: Sections,
  declared: Declarations,
  limits: ModuleLimits,
  reasons: Reasons,
): Body[] {
  const bodies: Body[] = [];
  if (!declared.areFunctionsKnown) return bodies;
  const place = places.get(SECTION.code);
  const { from, to } = place ?? { from: 0, to: 0 };
  const section = `section ${nameOf(SECTION.code)}`;
  const wanted = declared.typeIndexes.length;
  const indirectCost = indirectCostOf(declared);
  reasons.attempt(section, () => {
    const reader = new Reader(bytes, from, to);
    const count = place === undefined ? 0 : reader.u32();
    if (count !== wanted) throw new Unreadable(from, `${count} bodies for ${wanted} functions`);
    for (let i = 0; i < count; i++) {
      const where = `function ${declared.imports.length + i}`;
      const { at } = reader;
      const size = reader.u32();
      const bodyAt = reader.at;
      reader.skip(size);
      if (size > limits.bodyBytes) {
        reasons.limit(where, at, "bytes of body", size, limits.bodyBytes);
        continue;
      }
      const type = declared.functions[declared.imports.length + i] as FunctionType;
      reasons.attempt(where, () => {
        const body = new Reader(bytes, bodyAt, reader.at);
        bodies.push(scanBody(body, type, declared, indirectCost, limits, reasons, where));
      });
    }
    reader.finish();
  });
  reasons.limit(section, from, "compile weight of all functions", weightOf(bodies), limits.moduleWeight);
  return bodies;
}

/** Of all bodies together. */
export function weightOf(bodies: readonly Body[]): number {
  return bodies.reduce((sum, { weight }) => sum + weight, 0);
}

/** What the caller of a function pays for it: an import or a leaf. Others pay for themselves. */
export function calleeCost(index: number, imports: number, bodies: readonly Body[]): number {
  return index < imports ? COSTS.import : (bodies[index - imports]?.leafCost ?? 0);
}

/** Lets callers pay for leaves and imports, then parents for their branches. Once per module, when all is known to be in order. */
export function settleCosts(imports: number, bodies: readonly Body[]): void {
  for (const { calls } of bodies)
    for (const { region, callee } of calls) region.cost += calleeCost(callee, imports, bodies);
  for (const { regions } of bodies) foldRegions(regions);
}

/** An indirect call may reach a leaf, or an import where the module refers to one. */
function indirectCostOf({ imports, referred }: Declarations): number {
  for (let i = 0; i < imports.length; i++) if (referred.has(i)) return Math.max(COSTS.import, COSTS.leafMax);
  return COSTS.leafMax;
}
