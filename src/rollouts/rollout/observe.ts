// Everything that a rollout's decision rests on, read at one moment.
import { orphanReplicaSets, podsByController, replicaSetsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { Key } from '../../reconcile/controller.js';
import { isSameTemplate } from '../../reconcile/replica-sets.js';
import type { Deployment, Pod, ReplicaSet, Rollout } from '../../resources/generated/types.js';
import { configmaps } from '../../resources/kinds/configmaps.js';
import { deployments } from '../../resources/kinds/deployments.js';
import { releases } from '../../resources/kinds/releases.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { rollouts } from '../../resources/kinds/rollouts.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { services } from '../../resources/kinds/services.js';
import { selects } from '../../resources/label-selector.js';
import { isPodTerminated } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';
import { versionLabel } from '../../resources/rollouts/service-version.js';
import { templatesIn } from '../analysis/templates.js';
import type { FindTemplate } from '../analysis/templates.js';
import { hashOf } from '../versions.js';
import { configHash, configNames, isVersioned, noConfig } from './config.js';
import type { Config } from './config.js';
import { releaseView } from './peers.js';
import type { ReleaseView } from './peers.js';
import { ownedRuns } from './runs.js';
import type { RunState } from './runs.js';
import { serviceNames } from './services.js';
import type { NamedServices } from './services.js';
import { sourceOf, templateHash } from './template.js';
import type { Source, Workload } from './template.js';

export interface RolloutObserved extends Pick<RunState, 'analysisRuns' | 'experiments'> {
  readonly rollout: Rollout;
  /** The workload whose template is used, if it is one that may be scaled down. */
  readonly workload: Workload | undefined;
  readonly deployment: Deployment | undefined;
  readonly source: Source | undefined;
  readonly config: Config;
  /** Hash of the wanted version. */
  readonly current: string;
  readonly controlled: readonly ReplicaSet[];
  readonly orphans: readonly ReplicaSet[];
  /** A ReplicaSet that has the name of the next one already. */
  readonly namesake: ReplicaSet | undefined;
  /** Pods that run, by uid of their ReplicaSet. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly services: NamedServices;
  readonly release: ReleaseView;
  readonly findTemplate: FindTemplate;
  isThere(kind: 'ConfigMap' | 'Secret', name: string): boolean;
}

/** Objects beside the rollout of which it needs one. */
const workloadOf = (view: View, { spec, metadata }: Rollout): Workload | undefined => {
  const { kind, name } = spec.workloadRef ?? {};
  if (name === undefined) return undefined;
  const key = { name, namespace: metadata.namespace };
  return kind === 'ReplicaSet' ? view.get(replicasets, key) : view.get(deployments, key);
};

const configOf = (view: View, rollout: Rollout, source: Source | undefined): Config => {
  if (source === undefined || !isVersioned(rollout)) return noConfig;
  const { namespace } = rollout.metadata;
  const names = configNames(source.template);
  const found = <T>(list: readonly string[], get: (name: string) => T | undefined): readonly T[] =>
    list.map(get).filter((one) => one !== undefined);
  return {
    configMaps: found(names.configMaps, (name) => view.get(configmaps, { name, namespace })),
    secrets: found(names.secrets, (name) => view.get(secrets, { name, namespace })),
  };
};

/** The label names the version; a template without a set of that name may still be that of an older Capstan's. */
const hashFor = (
  rollout: Rollout,
  source: Source,
  { config, sets }: { readonly config: Config; readonly sets: readonly ReplicaSet[] },
): string => {
  const hash = templateHash(source, configHash(config), rollout.status?.collisionCount);
  if (sets.some((set) => hashOf(set) === hash) || config.configMaps.length + config.secrets.length > 0)
    return hash;
  const same = sets.find((set) => isSameTemplate(set.spec.template, source.template, versionLabel));
  return same === undefined ? hash : hashOf(same);
};

export const observeRollout = (view: View, key: Key): RolloutObserved | undefined => {
  const rollout = view.get(rollouts, key);
  if (rollout === undefined) return undefined;
  const { uid, namespace = '', name } = rollout.metadata;
  const workload = workloadOf(view, rollout);
  const source = sourceOf(rollout, workload);
  const controlled = view.lookup(replicaSetsByController, uid);
  const orphans =
    source === undefined
      ? []
      : view
          .lookup(orphanReplicaSets, namespace)
          .filter(
            (set) => hashOf(set) !== '' && !isDeleting(set) && selects(source.selector, set.metadata.labels),
          );
  const config = configOf(view, rollout, source);
  const current =
    source === undefined ? '' : hashFor(rollout, source, { config, sets: [...controlled, ...orphans] });
  const pods = new Map(
    controlled.map((set) => [
      set.metadata.uid,
      view.lookup(podsByController, set.metadata.uid).filter((pod) => !isPodTerminated(pod)),
    ]),
  );
  return {
    rollout,
    workload,
    deployment:
      rollout.spec.workloadRef?.kind === 'Deployment'
        ? view.get(deployments, { name: rollout.spec.workloadRef.name ?? '', namespace })
        : undefined,
    source,
    config,
    current,
    controlled,
    orphans,
    namesake: view.get(replicasets, { name: `${name}-${current}`, namespace }),
    pods,
    services: new Map(
      serviceNames(rollout.spec).map((service) => [
        service,
        view.get(services, { name: service, namespace }),
      ]),
    ),
    release: releaseView(rollout, view.list(releases, namespace), (member) =>
      view.get(rollouts, { name: member, namespace }),
    ),
    findTemplate: templatesIn(view, namespace),
    isThere: (kind, object) =>
      view.get<ConfigMapOrSecret>(kind === 'ConfigMap' ? configmaps : secrets, {
        name: object,
        namespace,
      }) !== undefined,
    ...ownedRuns(view, rollout),
  };
};

type ConfigMapOrSecret = Config['configMaps'][number] | Config['secrets'][number];
