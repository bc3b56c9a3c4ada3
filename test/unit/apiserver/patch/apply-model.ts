// Server-side apply told a second time, over flat paths instead of trees: what the properties are measured against.
// It knows the pods of random-pod.ts by their shape, not by a schema.

export type Paths = ReadonlyMap<string, string>;

interface Shape {
  readonly [field: string]: Shape | 'value' | 'map' | 'set' | readonly [key: string, element: Shape];
}

const shape: Shape = {
  metadata: { labels: 'map', annotations: 'map', finalizers: 'set' },
  spec: {
    hostname: 'value',
    nodeSelector: 'value',
    tolerations: 'value',
    securityContext: { runAsUser: 'value', runAsGroup: 'value' },
    containers: [
      'name',
      { name: 'value', image: 'value', args: 'value', env: ['name', { name: 'value', value: 'value' }] },
    ],
  },
};

/** Optional containers, which an update that adds them owns as such. */
const optional: readonly RegExp[] = [
  /^\.metadata\.(?:labels|annotations|finalizers)$/,
  /^\.spec\.securityContext$/,
  /\.env$/,
];

const named =
  /\.(?:metadata|spec|labels|annotations|finalizers|securityContext|containers|env|name|image|args|value|hostname|nodeSelector|tolerations|runAsUser|runAsGroup)$/;

/** Keys of labels and annotations in random pods look like this; everything else that ends in a name is a field. */
const isNamed = (path: string): boolean => named.test(path) && !/\.(?:labels|annotations)\.[^.]+$/.test(path);

/** Every path that exists, with the text of its value; containers have none. */
export const flatten = (object: unknown): Map<string, string> => {
  const paths = new Map<string, string>();
  const walk = (value: unknown, at: string, as: Shape[string]): void => {
    if (value === undefined) return;
    if (as === 'value') paths.set(at, JSON.stringify(value));
    else if (as === 'map') {
      paths.set(at, '');
      for (const [key, text] of Object.entries(value as object))
        paths.set(`${at}.${key}`, JSON.stringify(text));
    } else if (as === 'set') {
      paths.set(at, '');
      for (const item of value as unknown[]) paths.set(`${at}[=${JSON.stringify(item)}]`, '');
    } else if (Array.isArray(as)) {
      const [key, element] = as as readonly [string, Shape];
      paths.set(at, '');
      for (const item of value as Record<string, unknown>[]) {
        const path = `${at}[${key}=${JSON.stringify(item[key])}]`;
        paths.set(path, '');
        for (const [name, below] of Object.entries(element)) walk(item[name], `${path}.${name}`, below);
      }
    } else {
      paths.set(at, '');
      for (const [name, below] of Object.entries(as as Shape))
        walk((value as Record<string, unknown>)[name], `${at}.${name}`, below);
    }
  };
  walk(object, '', shape);
  paths.delete('');
  return paths;
};

const isContainer = (path: string): boolean =>
  ['.metadata', '.spec', '.spec.containers'].includes(path) || optional.some((pattern) => pattern.test(path));

const isBelow = (path: string, at: string): boolean =>
  path.startsWith(at) && ['.', '['].includes(path.charAt(at.length));

export class Model {
  values: Map<string, string> = new Map();
  /** `manager operation` -> paths. */
  readonly owned = new Map<string, Set<string>>();

  /** Paths in conflict, sorted; nothing changes when there are any. */
  apply(manager: string, config: object, force: boolean): readonly string[] {
    const owner = `${manager} Apply`;
    const wanted = flatten(config);
    const mine = new Set([...wanted.keys()].filter((path) => !isContainer(path)));
    const last = this.owned.get(owner) ?? new Set<string>();
    const others = [...this.owned].filter(([name]) => name !== owner);
    const now = [mine, ...others.map(([, paths]) => paths)];
    const next = new Map([...this.values, ...wanted]);
    for (const path of this.#lost(last, now, next))
      for (const other of [...next.keys()]) if (other === path || isBelow(other, path)) next.delete(other);
    Model.#dropHollow(next, this.values);
    const changed = [...next]
      .filter(([path, value]) => this.values.get(path) !== value)
      .map(([path]) => path);
    const conflicts = others.flatMap(([, paths]) => changed.filter((path) => paths.has(path)));
    if (conflicts.length > 0 && !force) return [...new Set(conflicts)].sort();
    this.#write(next, changed);
    this.owned.set(owner, mine);
    this.#forget();
    return [];
  }

  update(manager: string, object: object): void {
    const next = flatten(object);
    const changed = [...next]
      .filter(([path, value]) => this.values.get(path) !== value)
      .map(([path]) => path)
      .filter((path) => !['.metadata', '.spec', '.spec.containers'].includes(path));
    this.#write(next, changed);
    const owner = `${manager} Update`;
    this.owned.set(owner, new Set([...(this.owned.get(owner) ?? []), ...changed]));
    this.#forget();
  }

  /** What was applied before and nobody owns now, fields with a name by anything below them. */
  #lost(last: ReadonlySet<string>, now: readonly ReadonlySet<string>[], next: Paths): string[] {
    return [...next.keys()].filter((path) => {
      const holds = (paths: ReadonlySet<string>): boolean =>
        paths.has(path) || (isNamed(path) && [...paths].some((other) => isBelow(other, path)));
      return path !== '.metadata' && holds(last) && !now.some(holds);
    });
  }

  /** A list or map goes with the last of its members. */
  static #dropHollow(next: Map<string, string>, before: Paths): void {
    for (const path of [...next.keys()].reverse())
      if (isContainer(path) && path !== '.metadata' && before.has(path))
        if (![...next.keys()].some((other) => isBelow(other, path))) next.delete(path);
  }

  #write(next: Map<string, string>, changed: readonly string[]): void {
    for (const paths of this.owned.values()) {
      for (const path of changed) paths.delete(path);
      for (const path of [...paths]) if (this.values.has(path) && !next.has(path)) paths.delete(path);
    }
    this.values = next;
  }

  #forget(): void {
    for (const [owner, paths] of this.owned) if (paths.size === 0) this.owned.delete(owner);
  }
}
