// Readings of a strategy that validation, columns, controllers and plans share.
import type { Rollout, RolloutCanary, RolloutSpec } from '../generated/types.js';

/** Whether weights come from the service proxy: asked for, or both services are named. */
export const isTrafficRouted = ({
  trafficRouting,
  canaryService,
  stableService,
  pingPong,
}: RolloutCanary): boolean =>
  trafficRouting !== undefined || pingPong !== undefined || (named(canaryService) && named(stableService));

const named = (service: string | undefined): boolean => service !== undefined && service !== '';

/** What all traffic is. */
export const fullWeight = ({ trafficRouting }: RolloutCanary): number =>
  trafficRouting?.maxTrafficWeight ?? 100;

/** Routers of other systems: their place is taken by the cluster's own. */
export const foreignRouters = ({ trafficRouting }: RolloutCanary): readonly string[] =>
  Object.entries(trafficRouting ?? {})
    .filter(([name, value]) => value !== undefined && !ownMembers.has(name))
    .map(([name]) => name);

const ownMembers: ReadonlySet<string> = new Set(['capstan', 'maxTrafficWeight', 'managedRoutes']);

/** Steps of a canary; none for blue and green. */
export const stepsOf = ({ strategy }: RolloutSpec): NonNullable<RolloutCanary['steps']> =>
  strategy?.canary?.steps ?? [];

export const replicasOf = ({ spec }: Pick<Rollout, 'spec'>): number => spec.replicas ?? 1;
