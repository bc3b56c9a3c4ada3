// URL paths of kinds and objects, as Kubernetes lays them out.
import type { Kind } from '../resources/kind.js';

export interface PathParts {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

const queryOf = (query: NonNullable<PathParts['query']>): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
};

/** `/api/v1/namespaces/shop/pods/web-1/status?dryRun=All`. */
export const resourcePath = (
  kind: Pick<Kind, 'group' | 'version' | 'plural' | 'namespaced'>,
  { namespace, name, subresource, query = {} }: PathParts,
): string => {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope =
    kind.namespaced && namespace !== undefined && namespace !== ''
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  const part = subresource === undefined ? '' : `/${subresource}`;
  return `${root}${scope}/${kind.plural}${object}${part}${queryOf(query)}`;
};
