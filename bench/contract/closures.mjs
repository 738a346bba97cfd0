// The control: contracts in plain JavaScript. Conditions are values by name, predicates are functions of the snapshot, and everything that
// the core counts and promises is counted and promised here: marks once per change, a snapshot first, the first region that holds, hits,
// the path as it was where none does. It lacks texts of bounded size, hysteresis, choice by numbers, and the order of transitions.

/** @typedef {import('./definition.mjs').Region} Region */
/** @typedef {{ region: Region, path: string, hits: number, children: Node[] }} Node */
/** @typedef {{ value: number | boolean | string, observers: Contract[] }} Cell */

class Contract {
  triggers = 0;
  evaluations = 0;
  marked = false;
  noRegion = false;
  /** @type {Node[]} */ path = [];
  /** @type {Record<string, number | boolean | string>} */ snapshot;

  /** @param {Node[]} top @param {readonly (readonly [name: string, cell: Cell])[]} conditions @param {Record<string, number | boolean | string>} snapshot */
  constructor(top, conditions, snapshot) {
    this.top = top;
    this.conditions = conditions;
    this.snapshot = snapshot;
  }
}

export class Closures {
  /** @type {Map<string, Cell>} */ #cells = new Map();
  /** @type {Contract[]} */ contracts = [];
  #marked = 0;

  /** @param {Readonly<Record<string, number | boolean | string>>} values */
  constructor(values) {
    for (const [name, value] of Object.entries(values)) this.#cells.set(name, { value, observers: [] });
  }

  /** @param {readonly Region[]} regions @param {readonly string[]} names */
  add(regions, names) {
    // Looked up once: an evaluation reads the cells themselves.
    const conditions = names.map((name) => /** @type {const} */ ([name, /** @type {Cell} */ (this.#cells.get(name))]));
    const snapshot = Object.fromEntries(conditions.map(([name, { value }]) => [name, value]));
    const contract = new Contract(nodesOf(regions, ""), conditions, snapshot);
    this.contracts.push(contract);
    for (const [, cell] of conditions) cell.observers.push(contract);
    this.#mark(contract);
  }

  /** @param {string} name @param {number | boolean | string} value */
  set(name, value) {
    const cell = this.#cells.get(name);
    if (cell === undefined || cell.value === value) return;
    cell.value = value;
    for (const contract of cell.observers) this.#mark(contract);
  }

  /** @param {Contract} contract */
  #mark(contract) {
    contract.triggers++;
    if (contract.marked) return;
    contract.marked = true;
    this.#marked++;
  }

  /** Evaluates what is marked, in order. @returns {number} How many have another path. */
  pass() {
    let moved = 0;
    for (const contract of this.contracts) {
      if (this.#marked === 0) break;
      if (!contract.marked) continue;
      contract.marked = false;
      this.#marked--;
      if (this.#evaluate(contract)) moved++;
    }
    return moved;
  }

  /** @param {Contract} contract */
  #evaluate(contract) {
    contract.evaluations++;
    const { snapshot } = contract;
    for (const [name, cell] of contract.conditions) snapshot[name] = cell.value;
    /** @type {Node[]} */
    const path = [];
    for (let nodes = contract.top; nodes.length > 0; ) {
      const next = nodes.find(({ region }) => region.holds(snapshot));
      if (next === undefined) {
        contract.noRegion = true;
        return false;
      }
      path.push(next);
      nodes = next.children;
    }
    contract.noRegion = false;
    for (const node of path) node.hits++;
    const before = contract.path;
    contract.path = path;
    return path.length !== before.length || path.some((node, level) => node !== before[level]);
  }
}

/** @param {readonly Region[]} regions @param {string} above @returns {Node[]} */
const nodesOf = (regions, above) =>
  regions.map((region) => {
    const path = above === "" ? region.name : `${above}/${region.name}`;
    return { region, path, hits: 0, children: nodesOf(region.regions ?? [], path) };
  });
