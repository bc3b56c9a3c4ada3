// What the proxy's tables hold, and the smallest step from there to what they should hold.
import type { Backend, Frontend, Frontends, Protocol, Target } from '../../network/datapath.js';
import { CountedSet } from './counted-set.js';
import { backendText } from './proxy-plan.js';
import type { Operation, OwnChain } from './proxy-plan.js';
import {
  endpointMap,
  foreignSet,
  hairpinSet,
  mostSlots,
  pickChain,
  refuseChain,
  verdictMap,
} from './ruleset.js';
import type { Scope } from './ruleset.js';

/** How one target is loaded. */
interface Loaded {
  readonly target: Target;
  readonly verdict: string;
  /** Backends by slot, where all have the same share. */
  readonly slots: readonly string[];
  readonly chain: OwnChain | undefined;
}

interface Place {
  readonly scope: Scope;
  /** `10.96.0.1 . tcp . 80`, or `tcp . 30080`. */
  readonly key: string;
  /** `vip-10.96.0.1-tcp-80`: for chains of its own. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly affinitySeconds: number | undefined;
}

const placeOf = (frontend: Frontend, outside: boolean): Place => {
  const { address, protocol, port, affinitySeconds } = frontend;
  const kind = address === undefined ? 'port' : 'vip';
  const scope: Scope = outside ? `outside-${kind}` : kind;
  const parts = [...(address === undefined ? [] : [address]), protocol, String(port)];
  return { scope, key: parts.join(' . '), name: `${scope}-${parts.join('-')}`, protocol, affinitySeconds };
};

/**
 * Keeps what stays in its slot, puts what is new into the slots of what went, and closes gaps from the end: at most one
 * element for each backend that came or went, and one for each gap.
 */
export const nextSlots = (present: readonly string[], wanted: readonly string[]): readonly string[] => {
  const goal = new Set(wanted);
  const fresh = wanted.filter((backend) => !present.includes(backend));
  const slots: (string | undefined)[] = present.map((backend) => (goal.has(backend) ? backend : undefined));
  for (let index = 0; index < slots.length && fresh.length > 0; index += 1) slots[index] ??= fresh.shift();
  const filled: (string | undefined)[] = [...slots, ...fresh];
  for (let index = 0; index < filled.length; index += 1) {
    while (filled.length > 0 && filled.at(-1) === undefined) filled.pop();
    if (index < filled.length && filled[index] === undefined) filled[index] = filled.pop();
  }
  return filled.filter((slot) => slot !== undefined);
};

const isEven = (backends: readonly Backend[]): boolean => backends.every(({ weight }) => weight === 1);

const wantedOf = (place: Place, target: Target, present: Loaded | undefined): Loaded => {
  const { backends } = target;
  const { scope, name, protocol, affinitySeconds } = place;
  if (backends.length === 0)
    return {
      target,
      verdict: target.empty === 'drop' ? 'drop' : `goto ${refuseChain}`,
      slots: [],
      chain: undefined,
    };
  if (affinitySeconds === undefined && backends.length <= mostSlots && isEven(backends)) {
    const slots = nextSlots(present?.slots ?? [], backends.map(backendText));
    return { target, verdict: `goto ${pickChain(scope, slots.length)}`, slots, chain: undefined };
  }
  // A set cannot change its timeout: chains of another one have another name.
  const own = affinitySeconds === undefined ? name : `${name}-for-${String(affinitySeconds)}`;
  return {
    target,
    verdict: `goto ${own}`,
    slots: [],
    chain: { name: own, protocol, backends, affinitySeconds },
  };
};

/** A UDP backend to which no packet may go any more, and the frontend through which some did. */
export interface GoneBackend {
  readonly frontend: Frontend;
  readonly backend: string;
}

export interface ProxyStep {
  readonly operations: readonly Operation[];
  readonly gone: readonly GoneBackend[];
}

export class ProxyTables {
  readonly #inPodNetwork: (address: string) => boolean;
  readonly #frontends = new Map<string, Frontend>();
  /** By scope and key. */
  readonly #loaded = new Map<string, Loaded>();
  readonly #hairpin = new CountedSet(hairpinSet);
  readonly #foreign = new CountedSet(foreignSet);

  constructor(inPodNetwork: (address: string) => boolean) {
    this.#inPodNetwork = inPodNetwork;
  }

  /** From what the tables hold to `desired`. The tables count as changed: whoever cannot carry it out starts anew. */
  step(desired: Frontends): ProxyStep {
    const operations: Operation[] = [];
    const gone: GoneBackend[] = [];
    for (const [key, frontend] of this.#frontends)
      if (!desired.has(key)) this.#change(frontend, undefined, { operations, gone });
    for (const frontend of desired.values()) {
      const present = this.#frontends.get(frontend.key);
      if (present !== frontend) this.#change(present, frontend, { operations, gone });
    }
    return { operations: [...operations, ...this.#hairpin.drain(), ...this.#foreign.drain()], gone };
  }

  /** Elements that the kernel must hold now, from the `start`th frontend on. */
  sample(start: number, count: number): readonly { readonly map: string; readonly key: string }[] {
    const places = [...this.#frontends.values()].slice(start, start + count);
    return places.map((frontend) => {
      const { scope, key } = placeOf(frontend, false);
      return { map: verdictMap(scope), key };
    });
  }

  get size(): number {
    return this.#frontends.size;
  }

  #change(present: Frontend | undefined, next: Frontend | undefined, step: MutableStep): void {
    const frontend = next ?? present;
    if (frontend === undefined) return;
    if (next === undefined) this.#frontends.delete(frontend.key);
    else this.#frontends.set(next.key, next);
    this.#place(placeOf(frontend, false), next?.target, step.operations);
    this.#place(placeOf(frontend, true), next?.outside, step.operations);
    this.#count(present, next);
    if (frontend.protocol === 'udp' && present !== undefined) step.gone.push(...goneBackends(present, next));
  }

  #place(place: Place, target: Target | undefined, operations: Operation[]): void {
    const id = `${place.scope} ${place.key}`;
    const present = this.#loaded.get(id);
    if (present === undefined && target === undefined) return;
    const next = target === undefined ? undefined : wantedOf(place, target, present);
    if (next === undefined) this.#loaded.delete(id);
    else this.#loaded.set(id, next);
    this.#slots(place, present?.slots ?? [], { slots: next?.slots ?? [], operations });
    if (next?.chain !== undefined)
      operations.push({
        do: 'own chain',
        chain: next.chain,
        previous: present?.chain?.name === next.chain.name ? present.chain : undefined,
      });
    if (present?.verdict !== next?.verdict) {
      const map = verdictMap(place.scope);
      if (present !== undefined) operations.push({ do: 'delete element', map, key: place.key });
      if (next !== undefined)
        operations.push({ do: 'add element', map, key: place.key, value: next.verdict });
    }
    if (present?.chain !== undefined && present.chain.name !== next?.chain?.name)
      operations.push({ do: 'delete own chain', chain: present.chain });
  }

  #slots(
    { scope, key }: Place,
    present: readonly string[],
    { slots, operations }: { readonly slots: readonly string[]; readonly operations: Operation[] },
  ): void {
    const map = endpointMap(scope);
    for (let index = 0; index < Math.max(present.length, slots.length); index += 1) {
      const [before, after] = [present[index], slots[index]];
      if (before === after) continue;
      const element = { map, key: `${key} . ${String(index)}` };
      if (before !== undefined) operations.push({ do: 'delete element', ...element });
      if (after !== undefined) operations.push({ do: 'add element', ...element, value: after });
    }
  }

  #count(present: Frontend | undefined, next: Frontend | undefined): void {
    if (next !== undefined) for (const { of, key } of this.#marks(next)) of.add(key);
    if (present !== undefined) for (const { of, key } of this.#marks(present)) of.remove(key);
  }

  /** Elements of shared sets that this frontend's backends need. */
  #marks({ target, outside, protocol }: Frontend): readonly Mark[] {
    const marks = new Map<string, Mark>();
    for (const { address, port, local } of [...target.backends, ...(outside?.backends ?? [])]) {
      const inside = this.#inPodNetwork(address);
      if (inside && !local) continue;
      const key = inside ? `${address} . ${address}` : `${address} . ${protocol} . ${String(port)}`;
      marks.set(key, { of: inside ? this.#hairpin : this.#foreign, key });
    }
    return [...marks.values()];
  }
}

interface MutableStep {
  readonly operations: Operation[];
  readonly gone: GoneBackend[];
}

interface Mark {
  readonly of: CountedSet;
  readonly key: string;
}

const goneBackends = (present: Frontend, next: Frontend | undefined): readonly GoneBackend[] => {
  const all = ({ target, outside }: Frontend): readonly string[] =>
    [...target.backends, ...(outside?.backends ?? [])].map(({ address }) => address);
  const stay = new Set(next === undefined ? [] : all(next));
  return [...new Set(all(present))]
    .filter((address) => !stay.has(address))
    .map((backend) => ({ frontend: present, backend }));
};
