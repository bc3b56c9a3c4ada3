// ReplicaSets and Services of an experiment's versions.
import { canonical } from '../../base/json.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import { shortHash } from '../../reconcile/hash.js';
import { actual, available, ready, specified } from '../../reconcile/replica-sets.js';
import type {
  Experiment,
  ExperimentTemplate,
  ExperimentTemplateStatus,
  ReplicaSet,
} from '../../resources/generated/types.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { services } from '../../resources/kinds/services.js';
import { ownedBy } from '../../resources/resource.js';
import { versionLabel } from '../../resources/rollouts/service-version.js';

export const templateLabel = 'experiment.argoproj.io/template-name';

export const hashOf = ({ metadata }: Experiment, entry: ExperimentTemplate): string =>
  shortHash(10, metadata.uid, entry.name, canonical(entry.template ?? {}));

export const setName = ({ metadata }: Experiment, { name }: ExperimentTemplate): string =>
  `${metadata.name}-${name}`;

type Created = Extract<ClusterAction, { type: 'create' }>['object'];

export const setCreation = (experiment: Experiment, entry: ExperimentTemplate): ClusterAction => {
  const hash = hashOf(experiment, entry);
  const labels = { ...entry.template?.metadata?.labels, [versionLabel]: hash };
  const { minReadySeconds = 0 } = entry;
  return {
    type: 'create',
    kind: replicasets,
    object: {
      metadata: {
        name: setName(experiment, entry),
        namespace: experiment.metadata.namespace,
        labels: { ...labels, [templateLabel]: entry.name },
        ownerReferences: [ownedBy(experiment)],
      },
      spec: {
        replicas: entry.replicas ?? 1,
        ...(minReadySeconds === 0 ? {} : { minReadySeconds }),
        selector: {
          ...entry.selector,
          matchLabels: { ...entry.selector?.matchLabels, [versionLabel]: hash },
        },
        template: { ...entry.template, metadata: { ...entry.template?.metadata, labels } },
      },
    } as Created,
  };
};

export const serviceName = (experiment: Experiment, entry: ExperimentTemplate): string | undefined =>
  entry.service === undefined ? undefined : (entry.service.name ?? setName(experiment, entry));

/** With the ports of the version's containers; undefined where it has none. */
export const serviceCreation = (
  experiment: Experiment,
  entry: ExperimentTemplate,
): ClusterAction | undefined => {
  const name = serviceName(experiment, entry);
  const ports = (entry.template?.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  if (name === undefined || ports.length === 0) return undefined;
  return {
    type: 'create',
    kind: services,
    object: {
      metadata: { name, namespace: experiment.metadata.namespace, ownerReferences: [ownedBy(experiment)] },
      spec: {
        selector: { [versionLabel]: hashOf(experiment, entry) },
        ports: ports.map(({ name: port, containerPort, protocol = 'TCP' }) => ({
          name: port ?? `port-${String(containerPort)}`,
          port: containerPort,
          targetPort: containerPort,
          protocol,
        })),
      },
    } as Created,
  };
};

export const resized = (set: ReplicaSet, size: number): readonly ClusterAction[] =>
  specified(set) === size
    ? []
    : [
        {
          type: 'update',
          kind: replicasets,
          object: { ...set, spec: { ...set.spec, replicas: size } } as ReplicaSet,
        },
      ];

/** Counts of a version; what it is called stands beside. */
export const countsOf = (
  experiment: Experiment,
  entry: ExperimentTemplate,
  set: ReplicaSet | undefined,
): ExperimentTemplateStatus => {
  const service = serviceName(experiment, entry);
  return {
    name: entry.name,
    replicas: set === undefined ? 0 : actual(set),
    updatedReplicas: set === undefined ? 0 : actual(set),
    readyReplicas: set === undefined ? 0 : ready(set),
    availableReplicas: set === undefined ? 0 : available(set),
    podTemplateHash: hashOf(experiment, entry),
    ...(service === undefined ? {} : { serviceName: service }),
  };
};

export const isAvailable = (entry: ExperimentTemplate, set: ReplicaSet | undefined): boolean =>
  set !== undefined && available(set) >= (entry.replicas ?? 1);
