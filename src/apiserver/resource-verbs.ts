// The verbs of a kind over HTTP: reads the request, calls the registry, shows what it gave.
import { ClusterError } from '../base/errors.js';
import type { HttpResponse } from '../base/http.js';
import type { Patch } from '../client/cluster.js';
import { callOptions, deleteOptions, flag, listQuery, requireManager, wholeNumber } from './call-options.js';
import { negotiate } from './negotiate.js';
import type { WritableSubresource } from './registry.js';
import { contentTypeOf, parseJson, parseYaml, readBody } from './request-body.js';
import { json } from './respond.js';
import {
  draftOf,
  includeOf,
  objectName,
  optionsOf,
  readDraft,
  showList,
  showObject,
  subjectOf,
} from './resource-call.js';
import type { ExpectedType, ResourceCall, Verb } from './resource-call.js';
import { success } from './status-error.js';
import { watchStream } from './watch-stream.js';

/** Aborts with the request, or when the watch's own time is over. */
const watchSignal = ({ request, server }: ResourceCall): AbortSignal => {
  const seconds = wholeNumber(request.query, 'timeoutSeconds');
  if (seconds === undefined || seconds === 0) return request.signal;
  const over = new AbortController();
  const end = (): void => over.abort();
  if (request.signal.aborted) end();
  else request.signal.addEventListener('abort', end, { once: true });
  server.clock.sleep(seconds * 1000, over.signal).then(end, () => undefined);
  return over.signal;
};

const oneObject = (fieldSelector: string | undefined, name: string | undefined): string | undefined => {
  if (name === undefined) return fieldSelector;
  const own = `metadata.name=${name}`;
  return fieldSelector === undefined ? own : `${own},${fieldSelector}`;
};

const watch = async (call: ResourceCall): Promise<HttpResponse> => {
  const { request, route, server, kind } = call;
  const form = negotiate(request.headers['accept']);
  const query = listQuery(request.query, route.namespace);
  const signal = watchSignal(call);
  const items = server.registry.watch(
    kind,
    {
      namespace: query.namespace,
      labelSelector: query.labelSelector,
      fieldSelector: oneObject(query.fieldSelector, route.name),
      resourceVersion: query.resourceVersion,
      allowBookmarks: flag(request.query, 'allowWatchBookmarks'),
      sendInitialEvents: flag(request.query, 'sendInitialEvents'),
    },
    signal,
  );
  const body = await watchStream(
    items,
    { kind, form, include: includeOf(call), now: () => server.clock.now() },
    {
      lines: server.lines,
      signal,
      onError: (error) => server.log.error({ kind: kind.kind, error }, 'a watch failed'),
    },
  );
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
};

const isWatch = ({ request }: ResourceCall): boolean => flag(request.query, 'watch') === true;

export const get: Verb = async (call) => {
  if (isWatch(call)) return watch(call);
  return showObject(call, 200, { stored: await call.server.registry.get(call.kind, objectName(call)) });
};

export const list: Verb = async (call) => {
  if (isWatch(call)) return watch(call);
  return showList(
    call,
    await call.server.registry.list(call.kind, listQuery(call.request.query, call.route.namespace)),
  );
};

export const create: Verb = async (call) => {
  const options = optionsOf(call);
  const draft = await readDraft(call, options);
  return showObject(call, 201, { stored: await call.server.registry.create(call.kind, draft, options) });
};

/** PUT of the object, or of the subresource in `expected`'s form. */
export const updateAs = async (
  call: ResourceCall,
  subresource: WritableSubresource | undefined,
  expected?: ExpectedType,
) => {
  const options = optionsOf(call);
  const draft = await readDraft(call, options, expected);
  return call.server.registry.update(call.kind, objectName(call), draft, { ...options, subresource });
};

export const update: Verb = async (call) =>
  showObject(call, 200, { stored: await updateAs(call, undefined) });

const jsonPatch = (body: unknown): Patch => {
  if (!Array.isArray(body))
    throw new ClusterError('BadRequest', 'a JSON patch is a list of operations such as [{"op":"replace",…}]');
  return { type: 'json', operations: body };
};

const patchTypes =
  'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml';

/** PATCH of the object or of a subresource, by the type of its body. */
export const patchAs = async (call: ResourceCall, subresource: WritableSubresource | undefined) => {
  const { request, kind, server } = call;
  const type = contentTypeOf(request);
  const options = { ...callOptions(request, call.identity, call.warn), subresource };
  const apply = async (patch: Parameters<typeof server.registry.patch>[2]) =>
    server.registry.patch(kind, objectName(call), patch, options);
  switch (type) {
    case 'application/json-patch+json':
      return apply(jsonPatch(parseJson(await request.body())));
    case 'application/merge-patch+json':
      return apply({ type: 'merge', patch: parseJson(await request.body()) });
    case 'application/strategic-merge-patch+json':
      return apply({ type: 'strategic', patch: parseJson(await request.body()) });
    case 'application/apply-patch+yaml': {
      requireManager(request);
      const force = flag(request.query, 'force') ?? false;
      const object = await parseYaml(await request.body());
      return apply({
        type: 'apply',
        object: subresource === 'scale' ? object : draftOf(call, object),
        force,
      });
    }
    default:
      throw new ClusterError(
        'UnsupportedMediaType',
        `the body of the request was in an unknown format (${type}) - accepted media types include: ${patchTypes}`,
      );
  }
};

export const patch: Verb = async (call) => {
  const { stored, created } = await patchAs(call, undefined);
  return showObject(call, created ? 201 : 200, { stored });
};

export const remove: Verb = async (call) => {
  const { request, kind, server } = call;
  const { dryRun, ...deletion } = deleteOptions(await readBody(request), request.query);
  const options = { ...optionsOf(call), dryRun };
  const { stored, gone } = await server.registry.delete(kind, objectName(call), deletion, options);
  if (!gone) return showObject(call, 200, { stored });
  return json(200, success(200, { ...subjectOf(call), uid: stored.object.metadata.uid }));
};

export const removeCollection: Verb = async (call) => {
  const { request, route, kind, server } = call;
  const { dryRun, ...deletion } = deleteOptions(await readBody(request), request.query);
  const query = listQuery(request.query, route.namespace);
  const options = { ...optionsOf(call), dryRun };
  return showList(call, await server.registry.deleteCollection(kind, query, deletion, options));
};
