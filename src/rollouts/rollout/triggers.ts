// Which rollouts are looked at again when something that they rest on changes.
import type { View } from '../../client/view.js';
import type { Key, Trigger } from '../../reconcile/controller.js';
import { ownerKeys } from '../../reconcile/ownership.js';
import type { Release, Rollout } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { analysisruns } from '../../resources/kinds/analysisruns.js';
import { analysistemplates, clusteranalysistemplates } from '../../resources/kinds/analysistemplates.js';
import { configmaps } from '../../resources/kinds/configmaps.js';
import { deployments } from '../../resources/kinds/deployments.js';
import { experiments } from '../../resources/kinds/experiments.js';
import { pods } from '../../resources/kinds/pods.js';
import { releases } from '../../resources/kinds/releases.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { rollouts } from '../../resources/kinds/rollouts.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { services } from '../../resources/kinds/services.js';
import { controllerOf, nameOf } from '../../resources/resource.js';
import type { Resource } from '../../resources/resource.js';
import { configNames } from './config.js';
import { serviceNames } from './services.js';

const those = (
  view: View,
  namespace: string | undefined,
  which: (rollout: Rollout) => boolean,
): readonly Key[] => view.list(rollouts, namespace).filter(which).map(nameOf);

/** Of the members of its releases: they advance in step. */
const members = (view: View, { metadata }: Resource): readonly Key[] =>
  view
    .list(releases, metadata.namespace)
    .filter(({ spec }) => spec.rollouts.includes(metadata.name))
    .flatMap(({ spec }) => spec.rollouts)
    .map((name) => ({ name, namespace: metadata.namespace }));

const uses =
  (which: 'configMaps' | 'secrets', name: string) =>
  ({ spec }: Rollout): boolean =>
    spec.template !== undefined && configNames(spec.template)[which].includes(name);

const owned = (kind: Kind): Trigger => ({ kind, keys: (change) => ownerKeys(rollouts, change) });

const named = (kind: Kind, uses: (rollout: Rollout, name: string) => boolean): Trigger => ({
  kind,
  keys: ({ object: { metadata } }, view) =>
    those(view, metadata.namespace, (rollout) => uses(rollout, metadata.name)),
});

const waitsForTemplate: Trigger['keys'] = ({ object: { metadata } }, view) =>
  those(view, metadata.namespace, ({ status }) => status?.phase === 'Degraded');

export const rolloutTriggers: readonly Trigger[] = [
  { kind: rollouts, keys: ({ object }, view) => [nameOf(object), ...members(view, object)] },
  owned(replicasets),
  owned(analysisruns),
  owned(experiments),
  {
    // Only what restarts looks at single pods.
    kind: pods,
    keys: ({ object }, view) => {
      const owner = controllerOf(object);
      if (owner?.kind !== replicasets.kind) return [];
      const { namespace } = object.metadata;
      const set = view.get(replicasets, { name: owner.name, namespace });
      const above = set === undefined ? undefined : controllerOf(set);
      if (above?.kind !== rollouts.kind) return [];
      const rollout = view.get(rollouts, { name: above.name, namespace });
      const restarts =
        rollout?.spec.restartAt !== undefined && rollout.spec.restartAt !== rollout.status?.restartedAt;
      return restarts ? [nameOf(rollout)] : [];
    },
  },
  named(services, ({ spec }, name) => serviceNames(spec).includes(name)),
  named(deployments, ({ spec }, name) => spec.workloadRef?.name === name),
  named(configmaps, (rollout, name) => uses('configMaps', name)(rollout)),
  named(secrets, (rollout, name) => uses('secrets', name)(rollout)),
  { kind: analysistemplates, keys: waitsForTemplate },
  { kind: clusteranalysistemplates, keys: waitsForTemplate },
  {
    kind: releases,
    keys: ({ object }) =>
      (object as Release).spec.rollouts.map((name) => ({ name, namespace: object.metadata.namespace })),
  },
];
