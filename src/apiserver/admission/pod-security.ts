// PodSecurity: holds pods to the standard that their namespace's labels name: refused (enforce), or warned of (warn).
// Follows kubernetes `staging/src/k8s.io/pod-security-admission/admission`.
import { equal, isObject } from '../../base/json.js';
import type { Namespace, PodTemplateSpec } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { namespaces } from '../../resources/kinds/namespaces.js';
import { securityViolations } from '../../resources/pod-template/pod-security.js';
import type { SecuredPod, SecurityLevel } from '../../resources/pod-template/pod-security.js';
import { notSupported, invalid as invalidField } from '../../resources/validation/field-errors.js';
import { forbidden, invalid } from '../verbs/rejections.js';
import type { Admission, AdmissionRequest } from './admission.js';

type Mode = 'enforce' | 'audit' | 'warn';
type Write = Exclude<AdmissionRequest, { readonly operation: 'delete' }>;

const label = (mode: Mode): string => `pod-security.kubernetes.io/${mode}`;
const levels: readonly string[] = ['privileged', 'baseline', 'restricted'];

interface Policy {
  readonly level: SecurityLevel;
  readonly version: string;
  readonly minor: number;
}

const minorOf = (version: string): number | undefined => {
  if (version === 'latest') return Infinity;
  const minor = /^v1\.(\d+)$/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
};

/** A label that says nothing known counts as restricted: who wrote it wanted a limit. */
const policyOf = (namespace: Namespace | undefined, mode: Mode): Policy => {
  const labels = namespace?.metadata.labels ?? {};
  const level = labels[label(mode)];
  const version = labels[`${label(mode)}-version`] ?? 'latest';
  const known =
    level === undefined ? 'privileged' : levels.includes(level) ? (level as SecurityLevel) : 'restricted';
  return { level: known, version, minor: minorOf(version) ?? Infinity };
};

const checkLabels = ({ kind, name, object }: Write): void => {
  const labels = object.metadata.labels ?? {};
  const errors = (['enforce', 'audit', 'warn'] as const).flatMap((mode) => {
    const level = labels[label(mode)];
    const version = labels[`${label(mode)}-version`];
    const at = (key: string): string => `metadata.labels[${key}]`;
    return [
      ...(level === undefined || levels.includes(level)
        ? []
        : [notSupported(at(label(mode)), level, levels)]),
      ...(version === undefined || minorOf(version) !== undefined
        ? []
        : [invalidField(at(`${label(mode)}-version`), version, 'must be "latest" or "v1.x"')]),
    ];
  });
  if (errors.length > 0) throw invalid(kind, name, errors);
};

const isPod = ({ group, plural }: Kind): boolean => group === '' && plural === 'pods';

const templateIn = (value: unknown): PodTemplateSpec | undefined => {
  if (!isObject(value)) return undefined;
  const { template, jobTemplate } = value;
  if (isObject(jobTemplate)) return templateIn(jobTemplate['spec']);
  return isObject(template) && isObject(template['spec']) ? template : undefined;
};

/** The pod, or the pods that a workload will make. */
const podOf = (kind: Kind, object: object): SecuredPod | undefined => {
  const { spec, metadata } = object as { spec?: unknown; metadata?: PodTemplateSpec['metadata'] };
  if (isPod(kind))
    return isObject(spec)
      ? ({ annotations: metadata?.annotations, spec } as unknown as SecuredPod)
      : undefined;
  if (kind.schema !== undefined) return undefined;
  const template = templateIn(spec);
  return template?.spec === undefined
    ? undefined
    : { annotations: template.metadata?.annotations, spec: template.spec };
};

const changesPod = (request: Write, pod: SecuredPod): boolean => {
  if (request.operation === 'create') return true;
  if (request.subresource !== undefined && request.subresource !== 'ephemeralcontainers') return false;
  return !equal(pod, podOf(request.kind, request.old));
};

const sentence = ({ level, version }: Policy, violations: readonly string[]): string =>
  `violate PodSecurity "${level}:${version}": ${violations.join(', ')}`;

const judge = (request: Write): void => {
  const { kind, name, namespace = '', reads, warn } = request;
  if (!kind.namespaced) return;
  const found = reads.get(namespaces, { name: namespace });
  const warned = policyOf(found, 'warn');
  const enforced = policyOf(found, 'enforce');
  if (warned.level === 'privileged' && enforced.level === 'privileged') return;
  const pod = podOf(kind, request.object);
  if (pod === undefined || !changesPod(request, pod)) return;
  const broken = securityViolations(pod, enforced);
  if (broken.length > 0 && isPod(kind))
    throw forbidden(kind, name, sentence(enforced, broken).replace('violate', 'violates'));
  const worrying = securityViolations(pod, warned);
  if (worrying.length > 0) warn?.(`would ${sentence(warned, worrying)}`);
};

export const podSecurity: Admission = {
  name: 'PodSecurity',
  phase: 'validate',
  admit: (request) => {
    if (request.operation === 'delete') return undefined;
    if (request.kind.group === '' && request.kind.plural === 'namespaces') checkLabels(request);
    else judge(request);
    return undefined;
  },
};
