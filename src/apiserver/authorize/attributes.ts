// What a request wants to do, in the words in which rights are given; and the sentence when it may not.
import { ClusterError } from '../../base/errors.js';
import type { HttpRequest, Identity } from '../../base/http.js';
import type { ResourceRoute } from '../routes.js';

export interface ResourceAttributes {
  readonly type: 'resource';
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** '' over all namespaces, and for what belongs to the cluster. */
  readonly namespace: string;
  /** '' where no single object is named. */
  readonly name: string;
  /** As sent with a list or a watch. */
  readonly fieldSelector?: string | undefined;
}

export interface PathAttributes {
  readonly type: 'path';
  readonly verb: string;
  readonly path: string;
}

export type Attributes = ResourceAttributes | PathAttributes;

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const verbOf = ({ method, query }: HttpRequest, { name, subresource }: ResourceRoute): string => {
  const verb = verbs[method] ?? method.toLowerCase();
  const watch = query.get('watch');
  if (verb === 'get' && subresource === undefined && watch !== null && watch !== 'false' && watch !== '0')
    return 'watch';
  if (name !== undefined) return verb;
  return verb === 'get' ? 'list' : verb === 'delete' ? 'deletecollection' : verb;
};

/** A selection of exactly one name counts as that object. */
const selectedName = (fieldSelector: string | undefined): string =>
  /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(fieldSelector ?? '')?.[1] ?? '';

export const resourceAttributes = (request: HttpRequest, route: ResourceRoute): ResourceAttributes => {
  const verb = verbOf(request, route);
  const collection = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  const fieldSelector = collection ? (request.query.get('fieldSelector') ?? undefined) : undefined;
  // A Namespace is read and written with the rights of the namespace itself.
  const own = route.group === '' && route.plural === 'namespaces' ? route.name : undefined;
  return {
    type: 'resource',
    verb,
    group: route.group,
    resource: route.plural,
    subresource: route.subresource ?? '',
    namespace: route.namespace ?? own ?? '',
    name: route.name ?? selectedName(fieldSelector),
    fieldSelector,
  };
};

export const pathAttributes = ({ method, path }: HttpRequest): PathAttributes => ({
  type: 'path',
  verb: verbs[method] ?? method.toLowerCase(),
  path,
});

const quoted = (text: string): string => JSON.stringify(text);

/** Kubernetes' words (apiserver `responsewriters.Forbidden`). */
export const forbidden = (identity: Identity, attributes: Attributes, reason: string): ClusterError => {
  const because = reason === '' ? '' : `: ${reason}`;
  const user = `User ${quoted(identity.user)} cannot ${attributes.verb}`;
  if (attributes.type === 'path')
    return new ClusterError('Forbidden', `forbidden: ${user} path ${quoted(attributes.path)}${because}`);
  const { group, resource, subresource, namespace, name } = attributes;
  const what = `${group === '' ? resource : `${resource}.${group}`}${name === '' ? '' : ` ${quoted(name)}`}`;
  const part = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`;
  return new ClusterError(
    'Forbidden',
    `${what} is forbidden: ${user} resource ${quoted(part)} in API group ${quoted(group)} ${where}${because}`,
    { subject: { group, kind: resource, ...(name === '' ? {} : { name }) } },
  );
};
