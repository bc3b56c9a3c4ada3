// What Git says, only Git changes: objects of an application are written by the Git loop. Others may do so with the verb
// `break-glass` on the application; with a reason their change is recorded and left alone for a while, without one it is
// drift, and put back at once. The cluster's own parts are no people, and go on doing their work.
import type { Clock } from '../../base/clock.js';
import { toTimestamp } from '../../base/clock.js';
import type { Identity } from '../../base/http.js';
import { equal, isObject } from '../../base/json.js';
import {
  applicationOf,
  breakGlassOf,
  APPLICATION_LABEL,
  BREAK_GLASS_ANNOTATION,
  GIT_MANAGER,
  REASON_ANNOTATION,
} from '../../resources/break-glass.js';
import { applications } from '../../resources/kinds/applications.js';
import { resourceNameOf } from '../../resources/kind.js';
import type { Resource } from '../../resources/resource.js';
import type { Authorizer } from '../authorize/authorizer.js';
import { fieldsOfEntry, intersection, union } from '../patch/field-set.js';
import type { Fields } from '../patch/field-set.js';
import { ownableDifference } from '../patch/managed-fields.js';
import { forbidden } from '../verbs/rejections.js';
import type { OpenResource } from '../verbs/context.js';
import type { Admission, AdmissionRequest, Admitted } from './admission.js';

export interface GitOpsGuardOptions {
  readonly authorizer: Authorizer;
  readonly clock: Clock;
}

/** Parts of the cluster: its loops, its nodes, and what stands in for Kubernetes' own components. */
const isPart = ({ user, groups }: Identity): boolean =>
  /^system:(capstan:|node:|kube-|apiserver)/.test(user) ||
  groups.includes('system:nodes') ||
  groups.includes('system:serviceaccounts:kube-system');

const isProgram = ({ user }: Identity): boolean => user.startsWith('system:serviceaccount:');

/** What Git says of the object. */
const gitFields = ({ metadata }: Resource): Fields =>
  (metadata.managedFields ?? [])
    .filter(({ manager, operation }) => manager === GIT_MANAGER && operation === 'Apply')
    .reduce<Fields>((all, entry) => union(all, fieldsOfEntry(entry)), undefined);

const without = (object: object, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

const restartedAt = 'kubectl.kubernetes.io/restartedAt';

const withoutRestart = (template: unknown): unknown => {
  if (!isObject(template)) return template;
  const metadata = isObject(template['metadata']) ? template['metadata'] : {};
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  const others = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== restartedAt));
  const rest = without(metadata, 'annotations');
  return {
    ...template,
    metadata: { ...rest, ...(Object.keys(others).length === 0 ? {} : { annotations: others }) },
  };
};

/** What nobody needs Git for, as long as Git does not say it: metadata, a restart, the number of replicas. */
const weighty = (object: Resource): unknown => {
  const rest = without(object, 'metadata', 'status');
  const { spec } = object as OpenResource;
  if (!isObject(spec)) return rest;
  const { template } = spec;
  const others = without(spec, 'replicas', 'template');
  return {
    ...rest,
    spec: { ...others, ...(template === undefined ? {} : { template: withoutRestart(template) }) },
  };
};

const changesSpec = (old: OpenResource | Resource, object: OpenResource | Resource): boolean =>
  !equal((old as OpenResource)['spec'], (object as OpenResource)['spec']);

type Update = Extract<AdmissionRequest, { readonly operation: 'update' }>;

/** Whether the update is Git's to make. */
const isGitsToMake = ({ kind, object, old, identity }: Update): boolean => {
  const { changed, removed } = ownableDifference(kind, old, object);
  if (intersection(union(changed, removed), gitFields(old)) !== undefined) return true;
  // What was changed past Git belongs to who did so, and Git says it again later.
  if (breakGlassOf(old) !== undefined && changesSpec(old, object)) return true;
  return !isProgram(identity) && !equal(weighty(old), weighty(object));
};

const guardedApplication = (request: AdmissionRequest): string | undefined => {
  switch (request.operation) {
    case 'create':
      return applicationOf(request.object);
    case 'delete':
      return request.old.metadata.deletionTimestamp === undefined ? applicationOf(request.old) : undefined;
    case 'update': {
      if (request.subresource !== undefined && request.subresource !== 'scale') return undefined;
      const before = applicationOf(request.old);
      const after = applicationOf(request.object);
      if (before !== after) return before ?? after;
      return before !== undefined && isGitsToMake(request) ? before : undefined;
    }
  }
};

const refusal = (request: AdmissionRequest, application: string, path: string | undefined): Error =>
  forbidden(
    request.kind,
    request.name,
    `it belongs to application ${application} (label ${APPLICATION_LABEL}) and is written by Git only: change it in ${path === undefined ? 'the cluster repository' : `${path} of the cluster repository`}, commit and push. In an emergency somebody with the verb break-glass on ${resourceNameOf(applications)} ${JSON.stringify(application)} may change it here`,
  );

const recorded = (
  request: Update | Extract<AdmissionRequest, { readonly operation: 'create' }>,
  reason: string,
  now: number,
): Admitted => {
  const { object, identity } = request;
  const record = JSON.stringify({ user: identity.user, at: toTimestamp(now), reason });
  const annotations = { ...object.metadata.annotations, [BREAK_GLASS_ANNOTATION]: record };
  return { object: { ...object, metadata: { ...object.metadata, annotations } } };
};

/** The record is the server's: nobody writes it by hand. */
const keptRecord = (request: Update): Admitted | undefined => {
  const before = request.old.metadata.annotations?.[BREAK_GLASS_ANNOTATION];
  const { [BREAK_GLASS_ANNOTATION]: after, ...others } = request.object.metadata.annotations ?? {};
  if (after === before || after === undefined) return undefined;
  const annotations = before === undefined ? others : { ...others, [BREAK_GLASS_ANNOTATION]: before };
  return { object: { ...request.object, metadata: { ...request.object.metadata, annotations } } };
};

export const gitOpsGuard = ({ authorizer, clock }: GitOpsGuardOptions): Admission => ({
  name: 'GitOpsGuard',
  admit: (request) => {
    if (isPart(request.identity)) return undefined;
    const application = guardedApplication(request);
    if (application === undefined) return request.operation === 'update' ? keptRecord(request) : undefined;
    const found = request.reads.get(applications, { name: application });
    // A label of an application that there is none of binds nobody.
    if (found === undefined) return undefined;
    const { allowed } = authorizer.authorize(request.identity, {
      type: 'resource',
      verb: 'break-glass',
      group: applications.group,
      resource: applications.plural,
      subresource: '',
      namespace: '',
      name: application,
    });
    if (!allowed) throw refusal(request, application, found.spec.path);
    const object = request.operation === 'delete' ? request.old : request.object;
    const reason = (object.metadata.annotations?.[REASON_ANNOTATION] ?? '').trim();
    if (request.operation !== 'delete' && reason !== '') return recorded(request, reason, clock.now());
    request.warn?.(
      `application ${application} puts this back from Git within seconds: commit it in ${found.spec.path}, or say why it must stay for a while in the annotation ${REASON_ANNOTATION}`,
    );
    return undefined;
  },
});
