/**
 * The manifest of a module that the SDK is part of: what the source asks for is said by calls at its top, so the module is asked.
 *
 * It runs for that as it would on a host, instrumented and with fuel: a loop at the top of a file ends here, too.
 */
import { SluiceError } from "../../errors.ts";
import { instrument } from "../meter/index.ts";
import { moduleLimits } from "../module/spec.ts";

/** What the SDK's part of a module exports. */
interface WithManifest {
  readonly memory: WebAssembly.Memory;
  readonly $sluice_start?: (fuel: number) => void;
  readonly $sluice_fuel: () => number;
  readonly sluice_sdk_manifest?: () => number;
}

/** Names and payload of the manifest, by what the source of a module says. @throws {SluiceError} `invalid_value` where it fails. */
export async function manifestOf(bytes: Uint8Array): Promise<Record<string, unknown>> {
  const { bytes: metered, hooks } = instrument(bytes);
  const nothing = (): number => 0;
  const abort = (): never => {
    throw new SluiceError("invalid_value", "The top of the filter fails before it has seen an event: it aborts");
  };
  const imports = { sluice: { log: nothing, now: nothing, rand: nothing, intern: nothing }, env: { abort } };
  const { instance } = await WebAssembly.instantiate(metered as Uint8Array<ArrayBuffer>, imports);
  const { memory, $sluice_start, $sluice_fuel, sluice_sdk_manifest } = instance.exports as unknown as WithManifest;
  try {
    $sluice_start?.(moduleLimits.initFuel);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const why = $sluice_fuel() < 0 ? `takes more than ${moduleLimits.initFuel} fuel` : (error as Error).message;
    throw new SluiceError("invalid_value", `The top of the filter fails before it has seen an event: ${why}`);
  }
  if (sluice_sdk_manifest === undefined)
    throw new SluiceError("invalid_value", "The module was not built with sluice/filter");
  const [attrs = "", sinkAttrs = "", payload = "0"] = textAt(memory, sluice_sdk_manifest()).split("\0");
  const payloadBytes = Number(payload);
  return {
    hooks: (["in", "out"] as const).filter((hook) => hooks[hook]),
    attrs: names(attrs),
    sinkAttrs: names(sinkAttrs),
    payload: payloadBytes === 0 ? "none" : payloadBytes < 0 ? "full" : `head:${payloadBytes}`,
  };
}

function names(joined: string): string[] {
  return joined === "" ? [] : joined.split("\n");
}

/** A string as AssemblyScript keeps it: UTF-16, its bytes counted before it. */
function textAt({ buffer }: WebAssembly.Memory, at: number): string {
  const bytes = new DataView(buffer).getUint32(at - 4, true);
  return new TextDecoder("utf-16le").decode(new Uint8Array(buffer, at, bytes));
}
