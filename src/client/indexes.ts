// Lookups that several features share. An Index is compared by identity, so each is declared once.
import type { Kind } from '../resources/kind.js';
import type { AnalysisRun, Experiment, Pod, ReplicaSet } from '../resources/generated/types.js';
import { analysisruns } from '../resources/kinds/analysisruns.js';
import { experiments } from '../resources/kinds/experiments.js';
import { pods } from '../resources/kinds/pods.js';
import { replicasets } from '../resources/kinds/replicasets.js';
import { controllerOf } from '../resources/resource.js';
import type { Resource } from '../resources/resource.js';
import type { Index } from './view.js';

const byController = <T extends Resource>(kind: Kind<T>): Index<T> => ({
  name: `${kind.plural} by controller`,
  kind,
  keys: (object) => {
    const owner = controllerOf(object);
    return owner === undefined ? [] : [owner.uid];
  },
});

const orphans = <T extends Resource>(kind: Kind<T>): Index<T> => ({
  name: `${kind.plural} without controller`,
  kind,
  keys: (object) => (controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : []),
});

/** By the uid of the managing owner. */
export const podsByController: Index<Pod> = byController(pods);
export const replicaSetsByController: Index<ReplicaSet> = byController(replicasets);
export const analysisRunsByController: Index<AnalysisRun> = byController(analysisruns);
export const experimentsByController: Index<Experiment> = byController(experiments);

/** By namespace: those that nobody manages. */
export const orphanPods: Index<Pod> = orphans(pods);
export const orphanReplicaSets: Index<ReplicaSet> = orphans(replicasets);

/** By `spec.nodeName`. */
export const podsByNode: Index<Pod> = {
  name: 'pods by node',
  kind: pods,
  keys: ({ spec }) => (spec.nodeName === undefined || spec.nodeName === '' ? [] : [spec.nodeName]),
};

/** Key of one label in one namespace. */
export const labelKey = (namespace: string, name: string, value: string): string =>
  `${namespace}/${name}=${value}`;

/** By each of their labels, within their namespace. */
export const podsByLabel: Index<Pod> = {
  name: 'pods by label',
  kind: pods,
  keys: ({ metadata }) =>
    Object.entries(metadata.labels ?? {}).map(([name, value]) =>
      labelKey(metadata.namespace ?? '', name, value),
    ),
};
