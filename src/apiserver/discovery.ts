// What there is to ask for: group, version and resource lists, plain and aggregated (apidiscovery.k8s.io).
import type { Kind } from '../resources/kind.js';
import { compareVersions } from '../resources/version-order.js';
import { mediaRanges } from './negotiate.js';
import type { Verb } from './resource-call.js';
import type { ServedSubresource } from './subresources.js';

/** A kind with the subresources that are really served. */
export interface ServedKind {
  readonly kind: Kind;
  readonly subresources: ReadonlyMap<string, ServedSubresource>;
  /** Of a kind whose objects are answered and not kept: all that can be done with it, by HTTP method. */
  readonly collection?: Readonly<Record<string, Verb>>;
  /** Of such a kind, what can be done with one object. */
  readonly object?: Readonly<Record<string, Verb>>;
  /** What discovery says of such a kind. */
  readonly verbs?: readonly string[];
}

const kindVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const verbOfMethod = { POST: 'create', DELETE: 'delete', GET: 'get', PATCH: 'patch', PUT: 'update' } as const;

const subresourceVerbs = ({ methods }: ServedSubresource): readonly string[] =>
  (['POST', 'DELETE', 'GET', 'PATCH', 'PUT'] as const)
    .filter((method) => methods[method] !== undefined)
    .map((method) => verbOfMethod[method]);

const groupVersion = (group: string, version: string): string =>
  group === '' ? version : `${group}/${version}`;

/** Versions by group; the first version of a group is preferred. */
export const versionsByGroup = (served: readonly ServedKind[]): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>();
  for (const { kind } of served) {
    const versions = groups.get(kind.group);
    if (versions === undefined) groups.set(kind.group, [kind.version]);
    else if (!versions.includes(kind.version)) versions.push(kind.version);
  }
  for (const versions of groups.values()) versions.sort(compareVersions);
  return groups;
};

const ofVersion = (served: readonly ServedKind[], group: string, version: string): readonly ServedKind[] =>
  served.filter(({ kind }) => kind.group === group && kind.version === version);

/** `/api/v1` and `/apis/GROUP/VERSION`; undefined when nothing is served there. */
export const resourceList = (served: readonly ServedKind[], group: string, version: string): unknown => {
  const kinds = ofVersion(served, group, version);
  if (kinds.length === 0) return undefined;
  const resources = kinds.flatMap(({ kind, subresources, verbs = kindVerbs }) => [
    {
      name: kind.plural,
      singularName: kind.singular,
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs,
      ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
      ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    },
    ...[...subresources].map(([name, subresource]) => {
      const { responseKind } = subresource;
      const foreign = responseKind.group !== group || responseKind.version !== version;
      return {
        name: `${kind.plural}/${name}`,
        singularName: '',
        namespaced: kind.namespaced,
        ...(foreign ? { group: responseKind.group, version: responseKind.version } : {}),
        kind: responseKind.kind,
        verbs: subresourceVerbs(subresource),
      };
    }),
  ]);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersion(group, version),
    resources,
  };
};

const groupOf = (group: string, versions: readonly string[]): Record<string, unknown> => {
  const entries = versions.map((version) => ({ groupVersion: groupVersion(group, version), version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
};

/** `/apis/GROUP`; undefined when there is no such group. */
export const apiGroup = (served: readonly ServedKind[], group: string): unknown => {
  const versions = versionsByGroup(served).get(group);
  if (versions === undefined || group === '') return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group, versions) };
};

/** `/apis` for clients that do not know aggregated discovery. */
export const apiGroupList = (served: readonly ServedKind[]): unknown => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [...versionsByGroup(served)]
    .filter(([group]) => group !== '')
    .map(([group, versions]) => groupOf(group, versions)),
});

/** `/api` for clients that do not know aggregated discovery. */
export const apiVersions = (served: readonly ServedKind[]): unknown => ({
  kind: 'APIVersions',
  versions: versionsByGroup(served).get('') ?? [],
  serverAddressByClientCIDRs: [],
});

type AggregatedVersion = 'v2' | 'v2beta1';

const aggregatedResource = ({ kind, subresources, verbs = kindVerbs }: ServedKind): unknown => ({
  resource: kind.plural,
  responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
  scope: kind.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: kind.singular,
  verbs,
  ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
  ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
  ...(subresources.size === 0
    ? {}
    : {
        subresources: [...subresources].map(([name, subresource]) => ({
          subresource: name,
          responseKind: {
            group: subresource.responseKind.group,
            version: subresource.responseKind.version,
            kind: subresource.responseKind.kind,
          },
          verbs: subresourceVerbs(subresource),
        })),
      }),
});

/** `/api` (core) and `/apis` (all other groups) in the aggregated form: all of discovery in two requests. */
export const aggregatedDiscovery = (
  served: readonly ServedKind[],
  { core, version }: { readonly core: boolean; readonly version: AggregatedVersion },
): unknown => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: [...versionsByGroup(served)]
    .filter(([group]) => (group === '') === core)
    .map(([group, versions]) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versions.map((groupVersionName) => ({
        version: groupVersionName,
        resources: ofVersion(served, group, groupVersionName).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
});

/** The aggregated form that the client wants most, if it wants one. */
export const aggregatedVersionOf = (accept: string | undefined): AggregatedVersion | undefined => {
  for (const { type, parameters } of mediaRanges(accept ?? '')) {
    if (type !== 'application/json' && type !== '*/*') continue;
    if (parameters['as'] === undefined) return undefined;
    const { as, g, v } = parameters;
    if (as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io' && (v === 'v2' || v === 'v2beta1'))
      return v;
  }
  return undefined;
};

export const aggregatedContentType = (version: AggregatedVersion): string =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
