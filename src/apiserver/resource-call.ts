// One request to a kind, with what every verb of it needs; and the object that its body holds.
import { ClusterError } from '../base/errors.js';
import type { Clock } from '../base/clock.js';
import type { HttpRequest, HttpResponse, Identity } from '../base/http.js';
import { isObject } from '../base/json.js';
import type { Logger } from '../base/log.js';
import { apiVersionOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import type { Draft, ObjectName } from '../resources/resource.js';
import { callOptions } from './call-options.js';
import { negotiate } from './negotiate.js';
import type { CallOptions, ListResult, Registry, Stored } from './registry.js';
import { readBody } from './request-body.js';
import { json, jsonBytes, jsonType, utf8 } from './respond.js';
import type { ResourceRoute } from './routes.js';
import { columnsOf, partialMetadata, tableChunks } from './tables.js';
import type { IncludeObject } from './tables.js';
import type { WatchLines } from './watch-stream.js';

/** What the API server shares between requests. */
export interface ServerContext {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lines: WatchLines;
}

export interface ResourceCall {
  readonly server: ServerContext;
  readonly request: HttpRequest;
  readonly identity: Identity;
  readonly kind: Kind;
  readonly route: ResourceRoute;
  /** Becomes a `Warning` header of the answer. */
  warn(message: string): void;
}

/** A verb of a kind or of one of its subresources. */
export type Verb = (call: ResourceCall) => Promise<HttpResponse>;

export const optionsOf = ({ request, identity, warn }: ResourceCall): CallOptions =>
  callOptions(request, identity, warn);

export const objectName = ({ route }: ResourceCall): ObjectName => ({
  name: route.name ?? '',
  namespace: route.namespace,
});

const includes: ReadonlySet<string> = new Set(['None', 'Metadata', 'Object']);

export const includeOf = ({ request }: ResourceCall): IncludeObject => {
  const asked = request.query.get('includeObject') ?? '';
  if (asked === '') return 'Metadata';
  if (includes.has(asked)) return asked as IncludeObject;
  throw new ClusterError(
    'BadRequest',
    `includeObject must be None, Metadata or Object, not ${JSON.stringify(asked)}`,
  );
};

/** Answers with one object in the form that the client accepts. */
export const showObject = (
  call: ResourceCall,
  status: number,
  {
    stored,
    columns = columnsOf(call.kind),
  }: { readonly stored: Stored; readonly columns?: ReturnType<typeof columnsOf> },
): HttpResponse => {
  const form = negotiate(call.request.headers['accept']);
  switch (form.as) {
    case 'object':
      return jsonBytes(status, stored.bytes);
    case 'metadata':
      return json(status, partialMetadata(stored.object, form.version));
    case 'table': {
      const list = { items: [stored], resourceVersion: stored.object.metadata.resourceVersion };
      const options = {
        version: form.version,
        include: includeOf(call),
        now: call.server.clock.now(),
        headers: true,
      };
      return { status, headers: jsonType, body: tableChunks(columns, list, options) };
    }
  }
};

const separator = utf8(',');
const listEnd = utf8(']}');

const listChunks = (kind: Kind, list: ListResult): Uint8Array[] => {
  const { items, resourceVersion, continue: next, remainingItemCount } = list;
  const head = {
    kind: kind.listKind ?? `${kind.kind}List`,
    apiVersion: apiVersionOf(kind),
    metadata: { resourceVersion, continue: next, remainingItemCount },
  };
  const chunks: Uint8Array[] = [utf8(`${JSON.stringify(head).slice(0, -1)},"items":[`)];
  for (const { bytes } of items) {
    if (chunks.length > 1) chunks.push(separator);
    chunks.push(bytes);
  }
  chunks.push(listEnd);
  return chunks;
};

/** Answers with many objects in the form that the client accepts; their bytes are spliced, not serialised. */
export const showList = (call: ResourceCall, list: ListResult): HttpResponse => {
  const form = negotiate(call.request.headers['accept']);
  switch (form.as) {
    case 'object':
      return { status: 200, headers: jsonType, body: listChunks(call.kind, list) };
    case 'metadata':
      return json(200, {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${form.version}`,
        metadata: {
          resourceVersion: list.resourceVersion,
          continue: list.continue,
          remainingItemCount: list.remainingItemCount,
        },
        items: list.items.map(({ object }) => partialMetadata(object, form.version)),
      });
    case 'table': {
      const options = {
        version: form.version,
        include: includeOf(call),
        now: call.server.clock.now(),
        headers: true,
      };
      return { status: 200, headers: jsonType, body: tableChunks(columnsOf(call.kind), list, options) };
    }
  }
};

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

/** What the body must be: the kind's own object, or that of a subresource. */
export interface ExpectedType {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What a client sent where a text belongs: undefined when nothing, or nothing that says something. */
const textIn = (from: Record<string, unknown>, field: string): string | undefined => {
  const value = from[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw bad(`${field} must be a string, not ${JSON.stringify(value)}`);
};

const checkType = (body: Record<string, unknown>, expected: ExpectedType): void => {
  const kind = textIn(body, 'kind');
  const apiVersion = textIn(body, 'apiVersion');
  if (kind !== undefined && kind !== expected.kind)
    throw bad(`the kind in the data (${kind}) does not match the expected kind (${expected.kind})`);
  if (apiVersion !== undefined && apiVersion !== expected.apiVersion)
    throw bad(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`,
    );
};

const checkName = (
  metadata: Record<string, unknown>,
  { route, kind }: ResourceCall,
): Record<string, unknown> => {
  const name = textIn(metadata, 'name');
  const namespace = textIn(metadata, 'namespace');
  if (route.name !== undefined && name !== undefined && name !== route.name)
    throw bad(`the name of the object (${name}) does not match the name on the URL (${route.name})`);
  if (kind.namespaced && namespace !== undefined && namespace !== route.namespace)
    throw bad(
      `the namespace of the provided object (${namespace}) does not match the namespace sent on the request (${route.namespace ?? ''})`,
    );
  return {
    ...metadata,
    ...(route.name === undefined ? {} : { name: route.name }),
    ...(kind.namespaced ? { namespace: route.namespace } : {}),
  };
};

/** The object in a request body, with the type, name and namespace of the URL; throws BadRequest where they differ. */
export const draftOf = (
  call: ResourceCall,
  body: unknown,
  expected: ExpectedType = { apiVersion: apiVersionOf(call.kind), kind: call.kind.kind },
): Draft => {
  if (!isObject(body)) throw bad(`the request body must be a ${expected.kind} object`);
  checkType(body, expected);
  const metadata = body['metadata'] ?? {};
  if (!isObject(metadata)) throw bad('metadata must be an object');
  return { ...body, ...expected, metadata: checkName(metadata, call) };
};

/** Reads an object to be written; what it names twice is refused, warned of or ignored as `fieldValidation` says. */
export const readDraft = async (
  call: ResourceCall,
  options: CallOptions,
  expected?: ExpectedType,
): Promise<Draft> => {
  const onDuplicates = (paths: readonly string[]): void => {
    const messages = paths.map((path) => `duplicate field ${JSON.stringify(path)}`);
    if (options.fieldValidation === 'Strict') throw bad(`strict decoding error: ${messages.join(', ')}`);
    messages.forEach((message) => call.warn(message));
  };
  const ignore = options.fieldValidation === 'Ignore';
  return draftOf(call, await readBody(call.request, ignore ? undefined : onDuplicates), expected);
};

/** `{group, kind, name}` of the object for `Status.details`. */
export const subjectOf = ({ kind, route }: ResourceCall): Record<string, unknown> => ({
  name: route.name,
  ...(kind.group === '' ? {} : { group: kind.group }),
  kind: kind.plural,
});
