// Agents write only what is their own: their Node, their Lease, and the status and end of the pods bound to them.
import type { Node, PersistentVolume, Pod } from '../../resources/generated/types.js';
import { equal } from '../../base/json.js';
import { isDeleting } from '../../resources/resource.js';
import type { Resource } from '../../resources/resource.js';
import { nodeDataFinalizer, nodeOfVolume } from '../../resources/storage/binding.js';
import { nodeOf } from '../authorize/node-authorizer.js';
import { forbidden } from '../verbs/rejections.js';
import type { Admission, AdmissionRequest } from './admission.js';

const protectedLabels = 'node-restriction.kubernetes.io/';

const protectedOf = ({ metadata }: Resource): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(metadata.labels ?? {}).filter(([key]) =>
      (key.split('/')[0] ?? '').endsWith('node-restriction.kubernetes.io'),
    ),
  );

const podRefusal = (node: string, request: AdmissionRequest): string | undefined => {
  if (request.operation === 'create') return `node ${JSON.stringify(node)} can only create mirror pods`;
  if ((request.old as Pod).spec.nodeName === node) return undefined;
  return request.operation === 'delete'
    ? `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`
    : `node ${JSON.stringify(node)} can only update pod status for pods with spec.nodeName set to itself`;
};

const nodeRefusal = (node: string, request: AdmissionRequest): string | undefined => {
  if (request.name !== node)
    return `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(request.name)}`;
  if (request.operation === 'delete') return undefined;
  const before = request.operation === 'update' ? protectedOf(request.old) : {};
  if (!equal(before, protectedOf(request.object)))
    return `is not allowed to modify labels under ${protectedLabels}`;
  if (request.operation === 'create') return undefined;
  return equal((request.old as Node).spec.taints, (request.object as Node).spec.taints)
    ? undefined
    : `node ${JSON.stringify(node)} is not allowed to modify taints`;
};

/** A node says that the data of a deleted volume is gone, and nothing else. */
const volumeRefusal = (node: string, request: AdmissionRequest): string | undefined => {
  const why = `node ${JSON.stringify(node)} can only let go of deleted volumes whose data it had`;
  if (request.operation !== 'update') return why;
  const { old, object } = request;
  const isOwn = old.metadata.labels?.[nodeOfVolume] === node && isDeleting(old);
  const others = (volume: Resource): readonly string[] =>
    (volume.metadata.finalizers ?? []).filter((name) => name !== nodeDataFinalizer);
  const same =
    equal((old as PersistentVolume).spec, (object as PersistentVolume).spec) &&
    equal(others(old), others(object)) &&
    equal(old.metadata.labels, object.metadata.labels) &&
    equal(old.metadata.annotations, object.metadata.annotations);
  return isOwn && same ? undefined : why;
};

const refusal = (node: string, request: AdmissionRequest): string | undefined => {
  const { kind, name, namespace } = request;
  if (kind.group === '' && kind.plural === 'pods') return podRefusal(node, request);
  if (kind.group === '' && kind.plural === 'nodes') return nodeRefusal(node, request);
  if (kind.group === '' && kind.plural === 'persistentvolumes') return volumeRefusal(node, request);
  if (kind.group === 'coordination.k8s.io' && kind.plural === 'leases')
    return name === node && namespace === 'kube-node-lease'
      ? undefined
      : 'can only access node lease with the same name as the requesting node';
  return undefined;
};

export const nodeRestriction: Admission = {
  name: 'NodeRestriction',
  admit: (request) => {
    const node = nodeOf(request.identity);
    if (node === undefined) return undefined;
    const why = refusal(node, request);
    if (why !== undefined) throw forbidden(request.kind, request.name, why);
    return undefined;
  },
};
