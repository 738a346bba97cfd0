/**
 * The control state of a host: who it is, which incarnation, and what its operators defined. One JSON file in `--data`.
 *
 * A change is written as the whole file (files.ts). Changes that come while a write is under way share the next.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { assertChannelName, type ChannelDefinition, channelKept, definitionFromJson } from "../channel/definition.ts";
import { type Template, templateFromJson, templateResource } from "../channel/templates.ts";
import { checkWith, resourceName } from "../check.ts";
import { type ConditionDefinition, conditionFromJson } from "../condition/schema.ts";
import { type ContractDocument, documentFromJson } from "../contract/document.ts";
import { type KeptContract, keptContractSchema } from "../contract/kept.ts";
import { SluiceError } from "../errors.ts";
import type { FilterRecord } from "../filter/registry/registry.ts";
import { digestSchema } from "../filter/schema.ts";
import { codeOf, makeFolder, replaceFile } from "./files.ts";

/** What is kept, and the ways to change it. Setters return at once; {@link State.settled} waits for the disk. */
export interface State {
  /** Identity of this host, the same for every start with this folder. */
  readonly hostId: string;
  /** Incarnation for this start: larger than any before, and on disk already. */
  readonly epoch: number;
  /** Definitions by name, as they are now. */
  readonly channels: ReadonlyMap<string, ChannelDefinition>;
  /** Templates by name. */
  readonly templates: ReadonlyMap<string, Template>;
  /** Definitions of conditions by name, in the order of their creation; their values are not kept. */
  readonly conditions: ReadonlyMap<string, ConditionDefinition>;
  /** Definitions of contracts by name, in the order of their creation. */
  readonly contracts: ReadonlyMap<string, ContractDocument>;
  /** Where contracts were when the file was written last, as it was found at the start. */
  readonly contractStates: readonly KeptContract[];
  /** Records of filter modules by name; their contents are files beside (filters.ts). */
  readonly filters: ReadonlyMap<string, FilterRecord>;
  /** Notes that the core was restarted with a new epoch. */
  setEpoch(epoch: number): void;
  /** Keeps a definition. */
  putChannel(name: string, definition: ChannelDefinition): void;
  /** Forgets a channel. */
  removeChannel(name: string): void;
  /** Keeps a template. */
  putTemplate(template: Template): void;
  /** Forgets a template. */
  removeTemplate(name: string): void;
  /** Keeps a condition. */
  putCondition(name: string, definition: ConditionDefinition): void;
  /** Forgets a condition. */
  removeCondition(name: string): void;
  /** Keeps a contract. */
  putContract(name: string, definition: ContractDocument): void;
  /** Forgets a contract. */
  removeContract(name: string): void;
  /**
   * Keeps where contracts are.
   *
   * @param read Tells that, at this and at every later write: many changes become one.
   */
  putContractStates(read: () => readonly KeptContract[]): void;
  /** Keeps a record. */
  putFilter(record: FilterRecord): void;
  /** Forgets a filter module. */
  removeFilter(name: string): void;
  /**
   * Resolves when every change made before this call is on disk.
   *
   * @throws {SluiceError} `state_unusable` where the last write failed; the next change tries again.
   */
  settled(): Promise<void>;
}

/** What {@link openState} takes besides the folder. */
export interface StateOptions {
  /** Makes the identity of a host that has none yet. */
  readonly createHostId: () => string;
  /** Hears of a write that failed, also where nobody waits for it. */
  readonly onError?: (error: SluiceError) => void;
}

const FILE = "state.json";
/** Of the layout of the file; a host refuses other numbers rather than lose what it does not understand. */
const VERSION = 1;

const fileSchema = z.strictObject({
  version: z.literal(VERSION),
  hostId: z.string().regex(/^[a-z0-9]{1,64}$/),
  epoch: z.int().min(0),
  channels: z.array(z.looseObject({ name: z.string() })),
  /** Absent where there are none, so that hosts of before there were templates can read what has none. */
  templates: z.array(z.looseObject({ name: z.string() })).optional(),
  /** As templates. */
  conditions: z.array(z.looseObject({ name: resourceName })).optional(),
  /** As templates. */
  contracts: z.array(z.looseObject({ name: resourceName })).optional(),
  /** As templates. */
  contractStates: z.array(keptContractSchema).optional(),
  /** As templates. */
  filters: z
    .array(
      z.strictObject({
        name: resourceName,
        current: digestSchema,
        former: z.array(digestSchema),
        newest: z.int().min(1),
        versions: z
          .array(z.strictObject({ version: z.int().min(1), digest: digestSchema, uploadedAt: z.number().min(0) }))
          .min(1),
      }),
    )
    .optional(),
});

/**
 * Opens the state in `dir`, makes the folder where there is none, and takes the next epoch.
 *
 * @param dir undefined: nothing is kept, as for a host without `--data`.
 * @throws {SluiceError} `state_unusable`, naming the file, where it cannot be read, understood or written.
 */
export async function openState(dir: string | undefined, options: StateOptions): Promise<State> {
  if (dir === undefined) return createState(emptyContent(options.createHostId(), 1), async () => {}, options);
  const file = join(dir, FILE);
  try {
    await makeFolder(dir);
  } catch (cause) {
    throw unusable(`Cannot make the folder ${dir}`, dir, cause);
  }
  const former = (await readState(file)) ?? emptyContent(options.createHostId(), 0);
  const state = createState({ ...former, epoch: former.epoch + 1 }, (text) => writeState(dir, text()), options);
  state.setEpoch(former.epoch + 1);
  await state.settled();
  return state;
}

/** What the file holds. */
interface Content {
  readonly hostId: string;
  epoch: number;
  readonly channels: Map<string, ChannelDefinition>;
  readonly templates: Map<string, Template>;
  readonly conditions: Map<string, ConditionDefinition>;
  readonly contracts: Map<string, ContractDocument>;
  contractStates: () => readonly KeptContract[];
  readonly filters: Map<string, FilterRecord>;
}

function emptyContent(hostId: string, epoch: number): Content {
  return {
    hostId,
    epoch,
    channels: new Map(),
    templates: new Map(),
    conditions: new Map(),
    contracts: new Map(),
    contractStates: () => [],
    filters: new Map(),
  };
}

/** @param write Puts a text on disk; nothing for a host without a folder. */
function createState(content: Content, write: (text: () => string) => Promise<void>, options: StateOptions): State {
  const { epoch } = content;
  // Changes are counted, so that settled() waits for its own and not for those that others go on making.
  let changes = 0;
  let attempted = 0;
  let round: Promise<void> | undefined;
  let failure: SluiceError | undefined;

  const writeRound = async (): Promise<void> => {
    // What the present turn of the event loop still changes goes into the same write.
    await Promise.resolve();
    const including = changes;
    try {
      await write(() => textFromContent(content));
      failure = undefined;
    } catch (thrown) {
      failure = thrown instanceof SluiceError ? thrown : unusable("Cannot write the control state", "", thrown);
      options.onError?.(failure);
    }
    attempted = including;
    round = attempted < changes ? writeRound() : undefined;
  };
  const change = (): void => {
    changes += 1;
    round ??= writeRound();
  };

  return Object.freeze({
    hostId: content.hostId,
    epoch,
    channels: content.channels,
    templates: content.templates,
    conditions: content.conditions,
    contracts: content.contracts,
    contractStates: content.contractStates(),
    filters: content.filters,
    setEpoch(next: number) {
      content.epoch = next;
      change();
    },
    putChannel(name: string, definition: ChannelDefinition) {
      content.channels.set(name, definition);
      change();
    },
    removeChannel(name: string) {
      if (content.channels.delete(name)) change();
    },
    putTemplate(template: Template) {
      content.templates.set(template.name, template);
      change();
    },
    removeTemplate(name: string) {
      if (content.templates.delete(name)) change();
    },
    putCondition(name: string, definition: ConditionDefinition) {
      content.conditions.set(name, definition);
      change();
    },
    removeCondition(name: string) {
      if (content.conditions.delete(name)) change();
    },
    putContract(name: string, definition: ContractDocument) {
      content.contracts.set(name, definition);
      change();
    },
    removeContract(name: string) {
      if (content.contracts.delete(name)) change();
    },
    putContractStates(read: () => readonly KeptContract[]) {
      content.contractStates = read;
      change();
    },
    putFilter(record: FilterRecord) {
      content.filters.set(record.name, record);
      change();
    },
    removeFilter(name: string) {
      if (content.filters.delete(name)) change();
    },
    async settled() {
      const mine = changes;
      while (attempted < mine) await round;
      if (failure !== undefined) throw failure;
    },
  });
}

function textFromContent(content: Content): string {
  const channels = Array.from(content.channels, ([name, definition]) => channelKept(name, definition));
  const templates = Array.from(content.templates.values(), templateResource);
  const conditions = Array.from(content.conditions, ([name, definition]) => ({ name, ...definition }));
  const contracts = Array.from(content.contracts, ([name, definition]) => ({ name, ...definition }));
  const contractStates = content.contractStates();
  const { hostId, epoch } = content;
  const filters = [...content.filters.values()];
  const kept = {
    version: VERSION,
    hostId,
    epoch,
    channels,
    ...(templates.length === 0 ? {} : { templates }),
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(contracts.length === 0 ? {} : { contracts }),
    ...(contractStates.length === 0 ? {} : { contractStates }),
    ...(filters.length === 0 ? {} : { filters }),
  };
  return `${JSON.stringify(kept)}\n`;
}

/** The state in the file, undefined where there is no file. */
async function readState(file: string): Promise<Content | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw unusable(`Cannot read ${file}`, file, cause);
  }
  try {
    const kept = checkWith(fileSchema, JSON.parse(text));
    const {
      hostId,
      epoch,
      channels,
      templates = [],
      conditions = [],
      contracts = [],
      contractStates = [],
      filters = [],
    } = kept;
    return {
      hostId,
      epoch,
      channels: new Map(channels.map(definitionOf)),
      templates: new Map(templates.map((resource) => [resource.name, templateFromJson(resource, resource.name)])),
      conditions: new Map(conditions.map((one) => [one.name, conditionFromJson(one, one.name)])),
      contracts: new Map(contracts.map((one) => [one.name, documentFromJson(one, one.name)])),
      contractStates: () => contractStates,
      filters: new Map(filters.map((record) => [record.name, record])),
    };
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    throw unusable(`Cannot use ${file}${why}; repair it, or move it away to begin anew`, file, cause);
  }
}

function definitionOf(resource: { name: string }): [string, ChannelDefinition] {
  assertChannelName(resource.name);
  return [resource.name, definitionFromJson(resource)];
}

/** Replaces the file. */
async function writeState(dir: string, text: string): Promise<void> {
  try {
    await replaceFile(dir, FILE, text);
  } catch (cause) {
    throw unusable(`Cannot write ${join(dir, FILE)}`, join(dir, FILE), cause);
  }
}

function unusable(message: string, value: string, cause: unknown): SluiceError {
  return new SluiceError("state_unusable", message, { value, cause });
}
