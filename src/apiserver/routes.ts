// Which endpoint a path names. Pure text: whether the group, kind or object exists is decided later.

/** A collection (no name), an object, or a subresource of one. */
export interface ResourceRoute {
  readonly type: 'resource';
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

export type Route =
  | ResourceRoute
  | { readonly type: 'core-versions' }
  | { readonly type: 'groups' }
  | { readonly type: 'group'; readonly group: string }
  | { readonly type: 'group-version'; readonly group: string; readonly version: string }
  | { readonly type: 'version' }
  | { readonly type: 'health'; readonly endpoint: 'healthz' | 'livez' | 'readyz'; readonly check: string }
  | { readonly type: 'openapi-v2' }
  | { readonly type: 'openapi-v3-index' }
  /** `path` is `api/v1` or `apis/apps/v1`. */
  | { readonly type: 'openapi-v3'; readonly group: string; readonly version: string }
  | { readonly type: 'unknown' };

const unknown: Route = { type: 'unknown' };

/** Second endpoints of a Namespace; any other word behind its name is a kind within it. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

/** Behind `pods/NAME/proxy` and its like follows a path that is the peer's, not this server's. */
const proxied = (
  group: string,
  version: string,
  [first, second, third, fourth, fifth]: readonly (string | undefined)[],
): ResourceRoute | undefined => {
  if (group !== '') return undefined;
  const common = { type: 'resource', group, version, subresource: 'proxy' } as const;
  if (first === 'nodes' && third === 'proxy')
    return { ...common, plural: first, namespace: undefined, name: second };
  if (first !== 'namespaces' || fifth !== 'proxy') return undefined;
  if (third !== 'pods' && third !== 'services') return undefined;
  return { ...common, plural: third, namespace: second, name: fourth };
};

const resourceRoute = (group: string, version: string, rest: readonly string[]): Route => {
  const proxy = proxied(group, version, rest);
  if (proxy !== undefined) return proxy;
  const [first, second, third, fourth, fifth, ...beyond] = rest;
  if (first === undefined) return { type: 'group-version', group, version };
  const route = (
    plural: string,
    parts: Partial<Pick<ResourceRoute, 'namespace' | 'name' | 'subresource'>>,
  ): ResourceRoute => ({
    type: 'resource',
    group,
    version,
    plural,
    namespace: parts.namespace,
    name: parts.name,
    subresource: parts.subresource,
  });
  if (first !== 'namespaces' || second === undefined || third === undefined)
    return fourth === undefined ? route(first, { name: second, subresource: third }) : unknown;
  if (namespaceSubresources.has(third) && fourth === undefined && group === '')
    return route(first, { name: second, subresource: third });
  return beyond.length === 0
    ? route(third, { namespace: second, name: fourth, subresource: fifth })
    : unknown;
};

const openApiRoute = (rest: readonly string[]): Route => {
  const [version, root, ...parts] = rest;
  if (version === 'v2' && root === undefined) return { type: 'openapi-v2' };
  if (version !== 'v3') return unknown;
  if (root === undefined) return { type: 'openapi-v3-index' };
  const [first, second] = parts;
  if (root === 'api' && first !== undefined) return { type: 'openapi-v3', group: '', version: first };
  if (root === 'apis' && first !== undefined && second !== undefined)
    return { type: 'openapi-v3', group: first, version: second };
  return unknown;
};

/** `path` is decoded and starts with a slash; a slash at its end is ignored. */
export const routeOf = (path: string): Route => {
  const parts = path.split('/');
  if (parts.at(-1) === '') parts.pop();
  const [, root, first, second, ...rest] = parts;
  switch (root) {
    case 'api':
      if (first === undefined) return { type: 'core-versions' };
      return resourceRoute('', first, second === undefined ? [] : [second, ...rest]);
    case 'apis':
      if (first === undefined) return { type: 'groups' };
      return second === undefined ? { type: 'group', group: first } : resourceRoute(first, second, rest);
    case 'version':
      return first === undefined ? { type: 'version' } : unknown;
    case 'healthz':
    case 'livez':
    case 'readyz':
      return { type: 'health', endpoint: root, check: first ?? '' };
    case 'openapi':
      return openApiRoute(parts.slice(2));
    case undefined:
    default:
      return unknown;
  }
};
