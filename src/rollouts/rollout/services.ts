// Services of a rollout: the version in the selector of each, and the split of the traffic on the stable one.
import { equal } from '../../base/json.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Rollout, Service } from '../../resources/generated/types.js';
import { weightsAnnotation } from '../../resources/endpoint-weights.js';
import { services } from '../../resources/kinds/services.js';
import type { StringMap } from '../../resources/resource.js';
import { managedByAnnotation, versionLabel } from '../../resources/rollouts/service-version.js';
import type { RolloutStep, Split } from '../strategies/strategy.js';

/** Services that the strategy names, by name; undefined for one that is not there. */
export type NamedServices = ReadonlyMap<string, Service | undefined>;

export const serviceNames = ({ strategy }: Rollout['spec']): readonly string[] => {
  const { canary, blueGreen } = strategy ?? {};
  const names = [
    canary?.canaryService,
    canary?.stableService,
    canary?.pingPong?.pingService,
    canary?.pingPong?.pongService,
    blueGreen?.activeService,
    blueGreen?.previewService,
  ];
  return names.filter((name) => name !== undefined && name !== '') as readonly string[];
};

/** Each version's part of the traffic; without a split there is none. */
const withSplit = (annotations: StringMap, split: Split | undefined): StringMap => {
  const rest = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== weightsAnnotation));
  if (split === undefined) return rest;
  const weights = Object.fromEntries([...split].map(([hash, weight]) => [`${versionLabel}=${hash}`, weight]));
  return { ...rest, [weightsAnnotation]: JSON.stringify(weights) };
};

/** While the traffic is split, pods of every version are behind the service. */
const selectorOf = (service: Service, hash: string, split: Split | undefined): StringMap => {
  const { selector = {} } = service.spec;
  return split === undefined
    ? { ...selector, [versionLabel]: hash }
    : Object.fromEntries(Object.entries(selector).filter(([name]) => name !== versionLabel));
};

export const serviceActions = (
  rollout: Rollout,
  named: NamedServices,
  { selectors, splits }: Pick<RolloutStep, 'selectors' | 'splits'>,
): readonly ClusterAction[] =>
  [...selectors].flatMap(([name, hash]): readonly ClusterAction[] => {
    const service = named.get(name);
    if (service === undefined) return [];
    const { annotations = {} } = service.metadata;
    const next = withSplit(
      { ...annotations, [managedByAnnotation]: rollout.metadata.name },
      splits.get(name),
    );
    const selector = selectorOf(service, hash, splits.get(name));
    if (equal(selector, service.spec.selector) && equal(next, annotations)) return [];
    const object: Service = {
      ...service,
      metadata: { ...service.metadata, annotations: next },
      spec: { ...service.spec, selector },
    };
    return [
      { type: 'update', kind: services, object },
      ...(selector[versionLabel] === undefined || service.spec.selector?.[versionLabel] === hash
        ? []
        : [
            {
              type: 'event',
              event: {
                regarding: rollout,
                type: 'Normal',
                reason: 'SwitchService',
                message: `Switched selector for service '${name}' from '${service.spec.selector?.[versionLabel] ?? ''}' to '${hash}'`,
              },
            } as const,
          ]),
    ];
  });

/** What is wrong with the services that the strategy names; another rollout's is not taken. */
export const serviceProblem = (rollout: Rollout, named: NamedServices): string | undefined => {
  for (const [name, service] of named) {
    if (service === undefined) return `service "${name}" not found`;
    const owner = service.metadata.annotations?.[managedByAnnotation];
    if (owner !== undefined && owner !== rollout.metadata.name)
      return `service "${name}" is managed by another Rollout (${owner})`;
    if (service.spec.selector === undefined) return `service "${name}" has no selector`;
  }
  return undefined;
};
