// DaemonSets: a pod on every node that may have one.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import {
  ageColumn,
  containerImages,
  containerNames,
  formatLabels,
  integer,
  nameColumn,
  text,
  wide,
} from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import type { DaemonSet } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { formatLabelSelector } from '../label-selector.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { workloadErrors } from '../pod-template/validate-workload.js';
import { countErrors, isNothing, percentErrors } from '../validation/counts.js';
import { immutable, invalid, nonNegative, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

type Strategy = NonNullable<DaemonSet['spec']['updateStrategy']>;

const columns: readonly Column<DaemonSet>[] = [
  nameColumn,
  integer(
    'Desired',
    'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod).',
    ({ status }) => status?.desiredNumberScheduled ?? 0,
  ),
  integer(
    'Current',
    'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod.',
    ({ status }) => status?.currentNumberScheduled ?? 0,
  ),
  integer(
    'Ready',
    'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition.',
    ({ status }) => status?.numberReady ?? 0,
  ),
  integer(
    'Up-to-date',
    'The total number of nodes that are running updated daemon pod',
    ({ status }) => status?.updatedNumberScheduled ?? 0,
  ),
  integer(
    'Available',
    'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available (ready for at least spec.minReadySeconds)',
    ({ status }) => status?.numberAvailable ?? 0,
  ),
  text('Node Selector', 'A selector which must be true for the pod to fit on a node.', ({ spec }) =>
    formatLabels(spec.template.spec?.nodeSelector),
  ),
  ageColumn,
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.template.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.template.spec?.containers),
  ),
  wide('Selector', 'Label selector for pods.', ({ spec }) => formatLabelSelector(spec.selector)),
];

const defaultedStrategy = (given: Strategy): Strategy => {
  const strategy = withDefaults(given, { type: 'RollingUpdate' });
  if (strategy.type !== 'RollingUpdate') return strategy;
  return withChanges(strategy, {
    rollingUpdate: withDefaults(strategy.rollingUpdate ?? {}, { maxSurge: 0, maxUnavailable: 1 }),
  });
};

const defaulted = (daemonSet: DaemonSet): DaemonSet => {
  const filled = withDefaults(daemonSet.spec, { revisionHistoryLimit: 10 });
  return withChanges(daemonSet, {
    spec: withChanges(filled, {
      updateStrategy: defaultedStrategy(filled.updateStrategy ?? {}),
      template: defaultedTemplate(filled.template),
    }),
  });
};

const strategyErrors = ({ type, rollingUpdate }: Strategy): readonly FieldError[] => {
  const field = 'spec.updateStrategy';
  if (type !== 'RollingUpdate') return oneOf(`${field}.type`, type, ['RollingUpdate', 'OnDelete']);
  if (rollingUpdate === undefined) return [required(`${field}.rollingUpdate`)];
  const { maxSurge = 0, maxUnavailable = 0 } = rollingUpdate;
  const at = `${field}.rollingUpdate`;
  const nothing =
    isNothing(maxUnavailable) && isNothing(maxSurge)
      ? [required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')]
      : [];
  const both =
    !isNothing(maxUnavailable) && !isNothing(maxSurge)
      ? [invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero')]
      : [];
  return [
    ...countErrors(`${at}.maxUnavailable`, maxUnavailable),
    ...percentErrors(`${at}.maxUnavailable`, maxUnavailable),
    ...countErrors(`${at}.maxSurge`, maxSurge),
    ...percentErrors(`${at}.maxSurge`, maxSurge),
    ...nothing,
    ...both,
  ];
};

const validate = ({ metadata, spec }: DaemonSet, old: DaemonSet | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  return [
    ...nameErrors(metadata),
    ...workloadErrors('spec', spec, { owner: 'DaemonSet', article: 'daemonset' }),
    ...strategyErrors(spec.updateStrategy ?? {}),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...(old !== undefined && !equal(spec.selector, old.spec.selector)
      ? [immutable('spec.selector', spec.selector)]
      : []),
  ];
};

export const daemonsets = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.apps.v1.DaemonSet',
  subresources: ['status'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
});
