// Rules about a pod's spec and about templates of pods (Kubernetes' pkg/apis/core/validation).
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { PodSpec, PodTemplateSpec } from '../generated/types.js';
import { allInvalid, forbidden, invalid, notSupported, oneOf, required } from '../validation/field-errors.js';
import { labelledErrors } from '../validation/metadata.js';
import { dnsLabelErrors, dnsSubdomainErrors, ipErrors, qualifiedNameErrors } from '../validation/names.js';
import { engineLimitErrors } from './engine-limits.js';
import { containersErrors, identityErrors } from './validate-container.js';
import { schedulingErrors } from './validate-scheduling.js';
import { profilesErrors } from './validate-security.js';
import { volumesErrors } from './validate-volume.js';

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** More than these the resolver ignores. */
const dnsLimits = { nameservers: 3, searches: 32 };

const dnsErrors = (field: string, { dnsPolicy, dnsConfig }: PodSpec): readonly FieldError[] => {
  const servers = dnsConfig?.nameservers ?? [];
  const at = child(field, 'dnsConfig.nameservers');
  const searches = dnsConfig?.searches ?? [];
  return [
    ...oneOf(child(field, 'dnsPolicy'), dnsPolicy, dnsPolicies),
    ...(dnsPolicy === 'None' && servers.length === 0
      ? [required(at, 'must provide at least one DNS nameserver when `dnsPolicy` is None')]
      : []),
    ...(servers.length > dnsLimits.nameservers
      ? [invalid(at, servers, `must not have more than ${dnsLimits.nameservers} nameservers`)]
      : []),
    ...servers.flatMap((server, index) => allInvalid(item(at, index), server, ipErrors(server))),
    ...(searches.length > dnsLimits.searches
      ? [
          invalid(
            child(field, 'dnsConfig.searches'),
            searches,
            `must not have more than ${dnsLimits.searches} search paths`,
          ),
        ]
      : []),
    ...(dnsConfig?.options ?? []).flatMap(({ name = '' }, index) =>
      name === ''
        ? [required(child(item(child(field, 'dnsConfig.options'), index), 'name'), 'must not be empty')]
        : [],
    ),
  ];
};

/** Optional names: an empty one counts as absent. */
const optionalName = (
  field: string,
  name: string | undefined,
  rule: (name: string) => readonly string[],
): readonly FieldError[] => (name === undefined || name === '' ? [] : allInvalid(field, name, rule(name)));

const identitiesErrors = (field: string, spec: PodSpec): readonly FieldError[] => [
  ...optionalName(child(field, 'nodeName'), spec.nodeName, dnsSubdomainErrors),
  ...optionalName(child(field, 'serviceAccountName'), spec.serviceAccountName, dnsSubdomainErrors),
  ...optionalName(child(field, 'hostname'), spec.hostname, dnsLabelErrors),
  ...optionalName(child(field, 'subdomain'), spec.subdomain, dnsLabelErrors),
  ...optionalName(child(field, 'priorityClassName'), spec.priorityClassName, dnsSubdomainErrors),
  ...optionalName(child(field, 'runtimeClassName'), spec.runtimeClassName, dnsSubdomainErrors),
  ...optionalName(child(field, 'schedulerName'), spec.schedulerName, qualifiedNameErrors),
  ...(spec.imagePullSecrets ?? []).flatMap(({ name = '' }, index) =>
    name === '' ? [required(child(item(child(field, 'imagePullSecrets'), index), 'name'))] : [],
  ),
  ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
    allInvalid(
      child(item(child(field, 'readinessGates'), index), 'conditionType'),
      conditionType,
      qualifiedNameErrors(conditionType),
    ),
  ),
  ...(spec.hostAliases ?? []).flatMap(({ ip, hostnames = [] }, index) => {
    const at = item(child(field, 'hostAliases'), index);
    return [
      ...allInvalid(child(at, 'ip'), ip, ipErrors(ip)),
      ...hostnames.flatMap((name) => allInvalid(child(at, 'hostnames'), name, dnsSubdomainErrors(name))),
    ];
  }),
];

/** `field` is the path of the spec: `spec`, or `spec.template.spec`. */
export const podSpecErrors = (field: string, spec: PodSpec): readonly FieldError[] => {
  const deadline = spec.activeDeadlineSeconds;
  return [
    ...volumesErrors(child(field, 'volumes'), spec),
    ...containersErrors(field, spec),
    ...oneOf(child(field, 'restartPolicy'), spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...dnsErrors(field, spec),
    ...schedulingErrors(field, spec),
    ...identityErrors(child(field, 'securityContext'), spec.securityContext),
    ...identitiesErrors(field, spec),
    ...profilesErrors(field, spec),
    ...engineLimitErrors(field, spec),
    ...(deadline !== undefined && (deadline < 1 || deadline > 2147483647)
      ? [
          invalid(
            child(field, 'activeDeadlineSeconds'),
            deadline,
            'must be between 1 and 2147483647, inclusive',
          ),
        ]
      : []),
    ...oneOf(child(field, 'preemptionPolicy'), spec.preemptionPolicy, ['Never', 'PreemptLowerPriority']),
  ];
};

/** Templates of what runs for ever: Deployments, ReplicaSets and their like. `field` is the path of the template. */
export const alwaysTemplateErrors = (
  field: string,
  template: PodTemplateSpec,
  owner: string,
): readonly FieldError[] => {
  const at = child(field, 'spec');
  const { spec } = template;
  if (spec === undefined) return [required(child(at, 'containers'))];
  return [
    ...labelledErrors(child(field, 'metadata'), template.metadata),
    ...podSpecErrors(at, spec),
    ...(spec.restartPolicy !== undefined && spec.restartPolicy !== 'Always'
      ? [notSupported(child(at, 'restartPolicy'), spec.restartPolicy, ['Always'])]
      : []),
    ...(spec.activeDeadlineSeconds === undefined
      ? []
      : [
          forbidden(child(at, 'activeDeadlineSeconds'), `activeDeadlineSeconds in ${owner} is not Supported`),
        ]),
  ];
};
