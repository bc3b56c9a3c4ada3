// Asks the cluster what applying would change: a dry run of the same server-side apply that the sync will do, so that
// a plan shows nothing that would not happen.
import { ClusterError, messageOf } from '../base/errors.js';
import type { Cluster } from '../client/cluster.js';
import type { View } from '../client/view.js';
import type { Kind } from '../resources/kind.js';
import { equal } from '../base/json.js';
import { customKinds } from '../resources/custom/custom-kind.js';
import { BREAK_GLASS_ANNOTATION, breakGlassOf, REASON_ANNOTATION } from '../resources/break-glass.js';
import { resourceNameOf, storeKey } from '../resources/kind.js';
import { customresourcedefinitions } from '../resources/kinds/customresourcedefinitions.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import type { Draft, Resource } from '../resources/resource.js';
import { appliedObject } from './applied-object.js';
import type { ApplicationSpec } from './cluster-config.js';
import { locateField } from './manifest-file.js';
import { FIELD_MANAGER } from './ownership.js';
import type { Observation } from './plan.js';
import type { Problem } from './problem.js';
import type { DesiredObject } from './render.js';
import type { ObjectReader } from './source.js';

export interface ObserveOptions {
  readonly cluster: Pick<Cluster, 'apply'>;
  /** The object as it is now. */
  live(desired: DesiredObject): Resource | undefined;
  readonly view: View;
  readonly reader: ObjectReader;
  /** Whether the manifests of any application hold the object of this id. */
  isWanted(id: string): boolean;
  readonly spec: Pick<ApplicationSpec, 'name' | 'ignoreDifferences'>;
  readonly signal: AbortSignal;
}

/** What the API server says about the manifest itself; anything else may pass by itself. */
const isRefusal = (error: unknown): error is ClusterError =>
  error instanceof ClusterError &&
  !error.retry &&
  ['Invalid', 'BadRequest', 'Forbidden', 'MethodNotAllowed', 'RequestEntityTooLarge'].includes(error.code);

/** One problem per field that was refused, at the place of the field. */
export const problemsOfError = async (
  desired: DesiredObject,
  error: unknown,
  reader: ObjectReader,
  signal: AbortSignal,
): Promise<readonly Problem[]> => {
  const { manifest, file, blob } = desired;
  const label = `${manifest.kind.kind} ${manifest.name}`;
  const fields = error instanceof ClusterError ? error.fields : [];
  if (fields.length === 0 || manifest.position.line === 1)
    return [{ file, ...manifest.position, message: `${label}: ${messageOf(error)}` }];
  for await (const { content } of reader.blobs([blob], signal))
    return fields.map(({ field, message }) => ({
      file,
      ...locateField(content, manifest, field),
      message: `${label}: ${message.startsWith(field) ? message : `${field}: ${message}`}`,
    }));
  return [];
};

/** The namespace comes with the manifests of some application, or the object can never be made. */
const inMissingNamespace = (desired: DesiredObject, { isWanted }: ObserveOptions): Observation => {
  const { namespace = '', file, manifest } = desired;
  if (isWanted(storeKey(namespaces, namespace, undefined))) return { state: 'absent' };
  const message = `${manifest.kind.kind} ${manifest.name} is to be in namespace ${namespace}, which does not exist: add a Namespace manifest to the repository`;
  const error = new ClusterError('NotFound', message);
  return { state: 'refused', live: undefined, error, problems: [{ file, ...manifest.position, message }] };
};

/** A manifest is compared with the live object as its own version shows it. */
const inVersion = async (kind: Kind, live: Resource | undefined): Promise<Resource | undefined> => {
  if (live === undefined || kind.versions === undefined) return live;
  const [shown = live] = await kind.versions.decode([live]);
  return shown;
};

/** Who broke the glass is forgotten when Git's own state is back. */
const withoutRecord = (object: Resource): Resource => {
  if (breakGlassOf(object) === undefined) return object;
  const annotations = Object.entries(object.metadata.annotations ?? {}).filter(
    ([key]) => key !== BREAK_GLASS_ANNOTATION && key !== REASON_ANNOTATION,
  );
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(annotations) } };
};

const isPending = ({ manifest: { kind } }: DesiredObject, { view }: ObserveOptions): boolean => {
  if (kind.schema === undefined) return false;
  const live = view.get(customresourcedefinitions, { name: resourceNameOf(kind) });
  const served =
    live === undefined
      ? undefined
      : customKinds(live)?.served.find(({ version }) => version === kind.version);
  return !equal(served?.schema?.definitions, kind.schema.definitions);
};

const withoutMetadata = ({ object }: DesiredObject): Omit<Draft, 'metadata'> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== 'metadata'));

const observe = async (desired: DesiredObject, options: ObserveOptions): Promise<Observation> => {
  const { cluster, view, spec, signal } = options;
  const { kind } = desired.manifest;
  const live = await inVersion(kind, options.live(desired));
  const namespaceIsThere =
    desired.namespace === undefined || view.get(namespaces, { name: desired.namespace }) !== undefined;
  if (live === undefined && !namespaceIsThere) return inMissingNamespace(desired, options);
  try {
    const result = await cluster.apply(kind, appliedObject(desired, spec, live), {
      fieldManager: FIELD_MANAGER,
      force: true,
      dryRun: true,
    });
    return live === undefined
      ? { state: 'absent' }
      : { state: 'present', live, result: withoutRecord(result) };
  } catch (error) {
    // Its definition comes with the same revision: what the live one says does not count.
    if (isRefusal(error) && isPending(desired, options))
      return live === undefined
        ? { state: 'absent' }
        : { state: 'present', live, result: { ...live, ...withoutMetadata(desired) } };
    if (isRefusal(error))
      return {
        state: 'refused',
        live,
        error,
        problems: await problemsOfError(desired, error, options.reader, signal),
      };
    // A namespace that has gone meanwhile, for example: the sync will find out.
    if (live === undefined && error instanceof ClusterError && !error.retry) return { state: 'absent' };
    throw error;
  }
};

const width = 8;

/** By id. Throws what may pass by itself, such as ServiceUnavailable. */
export const observeAll = async (
  objects: readonly DesiredObject[],
  options: ObserveOptions,
): Promise<ReadonlyMap<string, Observation>> => {
  const observations = new Map<string, Observation>();
  const queue = objects.values();
  const worker = async (): Promise<void> => {
    for (const desired of queue) {
      options.signal.throwIfAborted();
      observations.set(desired.id, await observe(desired, options));
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, objects.length) }, worker));
  return observations;
};
