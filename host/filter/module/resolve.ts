/** From a binding to the revision that it means, and to what that is told. */
import { SluiceError } from "../../errors.ts";
import type { ModuleBinding } from "../route.ts";
import type { Stage } from "../schema.ts";
import type { ModuleSource, ModuleVersion } from "./source.ts";

/**
 * The revision that a binding means.
 *
 * @throws {SluiceError} `filter_unknown`; `invalid_value` where it lacks the hook; `limit_reached` for its configuration.
 */
export function resolveBinding(source: ModuleSource, binding: ModuleBinding, stage: Stage): ModuleVersion {
  const { module, digest } = binding;
  const version = source.resolve(module, digest);
  if (version === undefined) {
    const value = digest === undefined ? module : `${module}@${digest}`;
    throw new SluiceError("filter_unknown", `Cannot bind "${value}", there is no such filter module`, { value });
  }
  const { hooks, limits } = version.spec.manifest;
  if (!hooks.includes(stage)) {
    const rule = `it decides at ${hooks.join(" and ")} only`;
    throw new SluiceError("invalid_value", `Cannot bind "${module}" at ${stage}, ${rule}`, {
      value: stage,
      limit: hooks,
    });
  }
  const bytes = configOf(binding, version).length;
  if (bytes > limits.configBytes) {
    const limit = limits.configBytes;
    throw new SluiceError(
      "limit_reached",
      `Cannot bind "${module}", its config has ${bytes} bytes, limit is ${limit}`,
      {
        value: bytes,
        limit,
      },
    );
  }
  return version;
}

/** What `sluice_init` gets: JSON as UTF-8. */
export function configOf({ config }: ModuleBinding, { spec }: ModuleVersion): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(config ?? spec.manifest.config));
}
