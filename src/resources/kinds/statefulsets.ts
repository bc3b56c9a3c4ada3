// StatefulSets: pods with names, storage and an order of their own.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, containerImages, containerNames, nameColumn, text, wide } from '../columns.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import type { StatefulSet } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { workloadErrors } from '../pod-template/validate-workload.js';
import { defaultedClaim } from '../storage/default-claim.js';
import { countErrors, percentErrors } from '../validation/counts.js';
import { allInvalid, forbidden, invalid, nonNegative, oneOf } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsLabelErrors } from '../validation/names.js';

type Spec = StatefulSet['spec'];
type Strategy = NonNullable<Spec['updateStrategy']>;

const columns: readonly Column<StatefulSet>[] = [
  nameColumn,
  text(
    'Ready',
    'Number of the pod with ready state',
    ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec.replicas ?? 1)}`,
  ),
  ageColumn,
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.template.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.template.spec?.containers),
  ),
];

const defaultedStrategy = (given: Strategy): Strategy => {
  const strategy = withDefaults(given, { type: 'RollingUpdate' });
  if (strategy.type !== 'RollingUpdate') return strategy;
  return withChanges(strategy, {
    rollingUpdate: withDefaults(strategy.rollingUpdate ?? {}, { partition: 0 }),
  });
};

const defaulted = (set: StatefulSet): StatefulSet => {
  const filled = withDefaults(set.spec, {
    podManagementPolicy: 'OrderedReady',
    replicas: 1,
    revisionHistoryLimit: 10,
  });
  return withChanges(set, {
    spec: withChanges(filled, {
      updateStrategy: defaultedStrategy(filled.updateStrategy ?? {}),
      persistentVolumeClaimRetentionPolicy: withDefaults(filled.persistentVolumeClaimRetentionPolicy ?? {}, {
        whenDeleted: 'Retain',
        whenScaled: 'Retain',
      }),
      template: defaultedTemplate(filled.template),
      volumeClaimTemplates: mapped(filled.volumeClaimTemplates, (claim) =>
        withChanges(defaultedClaim(claim), { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }),
      ),
    }),
  });
};

const strategyErrors = ({ type, rollingUpdate }: Strategy): readonly FieldError[] => {
  const field = 'spec.updateStrategy';
  const at = `${field}.rollingUpdate`;
  if (type === 'OnDelete')
    return rollingUpdate === undefined
      ? []
      : [invalid(at, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")];
  if (type !== 'RollingUpdate')
    return [invalid(field, { type, rollingUpdate }, "must be 'RollingUpdate' or 'OnDelete'")];
  const { partition, maxUnavailable } = rollingUpdate ?? {};
  const none = maxUnavailable === 0 || (typeof maxUnavailable === 'string' && /^0+%$/.test(maxUnavailable));
  return [
    ...nonNegative(`${at}.partition`, partition),
    ...countErrors(`${at}.maxUnavailable`, maxUnavailable),
    ...percentErrors(`${at}.maxUnavailable`, maxUnavailable),
    ...(none ? [invalid(`${at}.maxUnavailable`, maxUnavailable, 'cannot be 0')] : []),
  ];
};

const policyErrors = (spec: Spec): readonly FieldError[] => {
  const { podManagementPolicy: order, persistentVolumeClaimRetentionPolicy: retention = {} } = spec;
  const field = 'spec.persistentVolumeClaimRetentionPolicy';
  return [
    ...(order === 'OrderedReady' || order === 'Parallel'
      ? []
      : [invalid('spec.podManagementPolicy', order, "must be 'OrderedReady' or 'Parallel'")]),
    ...oneOf(`${field}.whenDeleted`, retention.whenDeleted, ['Retain', 'Delete']),
    ...oneOf(`${field}.whenScaled`, retention.whenScaled, ['Retain', 'Delete']),
  ];
};

/** Pods mount their claims under the names of the templates, so these count as volumes where mounts are judged. */
const withClaimVolumes = (spec: Spec): Spec => {
  const { template, volumeClaimTemplates = [] } = spec;
  if (template.spec === undefined || volumeClaimTemplates.length === 0) return spec;
  const names = new Set(volumeClaimTemplates.map(({ metadata }) => metadata.name));
  const volumes = [
    ...(template.spec.volumes ?? []).filter(({ name }) => !names.has(name)),
    ...[...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
  ];
  return { ...spec, template: { ...template, spec: { ...template.spec, volumes } } };
};

const specErrors = (spec: Spec): readonly FieldError[] => [
  ...workloadErrors('spec', withClaimVolumes(spec), { owner: 'StatefulSet', article: 'statefulset' }),
  ...policyErrors(spec),
  ...strategyErrors(spec.updateStrategy ?? {}),
  ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
];

const changeable: readonly (keyof Spec)[] = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

const fixedPart = (spec: Spec): Partial<Spec> =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !changeable.includes(field as keyof Spec)));

const updateErrors = (spec: Spec, old: Spec): readonly FieldError[] =>
  equal(fixedPart(spec), fixedPart(old))
    ? []
    : [
        forbidden(
          'spec',
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
      ];

/** Pods carry the service's name as their subdomain. */
const serviceNameErrors = ({ serviceName = '' }: Spec): readonly FieldError[] =>
  serviceName === '' ? [] : allInvalid('spec.serviceName', serviceName, dnsLabelErrors(serviceName));

const validate = ({ metadata, spec }: StatefulSet, old: StatefulSet | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  return [
    ...nameErrors(metadata),
    ...specErrors(spec),
    ...(old === undefined ? serviceNameErrors(spec) : updateErrors(spec, old.spec)),
  ];
};

export const statefulsets = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.apps.v1.StatefulSet',
  subresources: ['status', 'scale'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
});
