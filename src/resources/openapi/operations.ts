// What can be done with each kind, as operations on paths, before either version of OpenAPI gives them its form.
import type { Kind } from '../kind.js';
import { listName, meta, scaleName } from './schemas.js';

export interface Parameter {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
}

export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch';
  /** `list`, `post`, `patch` …: how Kubernetes calls it. */
  readonly action: string;
  readonly id: string;
  readonly gvk: { readonly group: string; readonly version: string; readonly kind: string };
  readonly query: readonly Parameter[];
  readonly consumes: readonly string[];
  /** Names of the definitions of what is sent and of what comes back. */
  readonly body?: string | undefined;
  readonly answer: string;
}

export interface Path {
  readonly path: string;
  /** `{name}` and `{namespace}`. */
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
}

const text = (name: string, description: string): Parameter => ({ name, type: 'string', description });

const dryRun = text('dryRun', 'All: everything happens but the write itself.');
const fieldManager = text('fieldManager', 'Who makes this change, for server-side apply.');
const fieldValidation = text(
  'fieldValidation',
  'What to do about unknown and duplicate fields: Ignore, Warn (the default) or Strict.',
);
const writing = [dryRun, fieldManager, fieldValidation];
const patching = [
  ...writing,
  {
    name: 'force',
    type: 'boolean',
    description: 'Take fields over from other managers (apply only).',
  } as const,
];
const listing: readonly Parameter[] = [
  text('labelSelector', 'Selects by labels, such as app=web,tier in (a,b).'),
  text('fieldSelector', 'Selects by fields, such as metadata.name=web.'),
  { name: 'limit', type: 'integer', description: 'At most so many objects in one answer.' },
  text('continue', 'From the last answer: gives the next objects.'),
  text('resourceVersion', 'The revision to read, or to watch from.'),
  text('resourceVersionMatch', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  { name: 'watch', type: 'boolean', description: 'Stream changes instead of answering with a list.' },
  {
    name: 'allowWatchBookmarks',
    type: 'boolean',
    description: 'Send the revision now and then while watching.',
  },
  { name: 'sendInitialEvents', type: 'boolean', description: 'Begin the watch with what is there.' },
  { name: 'timeoutSeconds', type: 'integer', description: 'End the watch after so long.' },
];
const deleting: readonly Parameter[] = [
  dryRun,
  { name: 'gracePeriodSeconds', type: 'integer', description: 'How long the object may take to end.' },
  text('propagationPolicy', 'What becomes of dependents: Orphan, Background or Foreground.'),
];

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const bodyTypes = ['application/json', 'application/yaml'];

const upper = (word: string): string => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;

const groupId = ({ group, version }: Kind): string =>
  `${group === '' ? 'Core' : upper(group.split('.')[0] ?? '')}${upper(version)}`;

/** Operations of one kind; `scope` distinguishes ids of the same action. */
const operationsOf = (kind: Kind, scope: string) => {
  const make = (
    method: Operation['method'],
    action: string,
    rest: Pick<Operation, 'answer' | 'query'> & Partial<Operation>,
  ): Operation => ({
    method,
    action,
    id: `${action}${groupId(kind)}${scope}`,
    gvk: { group: kind.group, version: kind.version, kind: kind.kind },
    consumes: rest.body === undefined ? [] : bodyTypes,
    ...rest,
  });
  return {
    list: () => make('get', 'list', { query: listing, answer: listName(kind) }),
    create: () => make('post', 'post', { query: writing, body: kind.definition, answer: kind.definition }),
    clear: () =>
      make('delete', 'deletecollection', {
        query: [...listing, ...deleting],
        body: meta('DeleteOptions'),
        answer: meta('Status'),
      }),
    get: (answer: string) => make('get', 'get', { query: [], answer }),
    replace: (answer: string) => make('put', 'put', { query: writing, body: answer, answer }),
    patch: (answer: string) =>
      make('patch', 'patch', { query: patching, consumes: patchTypes, body: meta('Patch'), answer }),
    delete: () =>
      make('delete', 'delete', { query: deleting, body: meta('DeleteOptions'), answer: meta('Status') }),
  };
};

const inNamespace = text('namespace', 'Where the object is.');
const named = text('name', 'The name of the object.');

export const apiRoot = ({ group, version }: Pick<Kind, 'group' | 'version'>): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`;

export const pathsOf = (kind: Kind): readonly Path[] => {
  const root = `/${apiRoot(kind)}`;
  const scope = kind.namespaced ? 'Namespaced' : '';
  const collection = kind.namespaced
    ? `${root}/namespaces/{namespace}/${kind.plural}`
    : `${root}/${kind.plural}`;
  const place = kind.namespaced ? [inNamespace] : [];
  const many = operationsOf(kind, `${scope}${kind.kind}`);
  const everywhere = operationsOf(kind, `${kind.kind}ForAllNamespaces`);
  const seconds = kind.subresources.filter((name) => name === 'status' || name === 'scale');
  return [
    ...(kind.namespaced
      ? [{ path: `${root}/${kind.plural}`, parameters: [], operations: [everywhere.list()] }]
      : []),
    { path: collection, parameters: place, operations: [many.list(), many.create(), many.clear()] },
    {
      path: `${collection}/{name}`,
      parameters: [named, ...place],
      operations: [
        many.get(kind.definition),
        many.replace(kind.definition),
        many.patch(kind.definition),
        many.delete(),
      ],
    },
    ...seconds.map((name): Path => {
      const answer = name === 'scale' ? scaleName : kind.definition;
      const one = operationsOf(kind, `${scope}${kind.kind}${upper(name)}`);
      const gvk = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
      const operations = [one.get(answer), one.replace(answer), one.patch(answer)];
      return {
        path: `${collection}/{name}/${name}`,
        parameters: [named, ...place],
        operations: name === 'scale' ? operations.map((operation) => ({ ...operation, gvk })) : operations,
      };
    }),
  ];
};
