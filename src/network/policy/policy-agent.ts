// Network policies on one node: follows policies, pods and namespaces, and keeps the kernel as they say.
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Informers } from '../../client/informers.js';
import type { Pod } from '../../resources/generated/types.js';
import { namespaces } from '../../resources/kinds/namespaces.js';
import { networkpolicies } from '../../resources/kinds/networkpolicies.js';
import { pods } from '../../resources/kinds/pods.js';
import { Applier } from '../applier.js';
import { compilePolicies, policyAddress } from './compile.js';
import type { PolicyState } from './policy-state.js';

export interface PolicyDatapath {
  /** Makes the kernel show the state in one step, and ends connections that it forbids. */
  apply(desired: PolicyState, signal: AbortSignal): Promise<void>;
  /** Whether the kernel still holds what was applied. Cheap. */
  check(signal: AbortSignal): Promise<boolean>;
}

export interface PolicyAgentOptions {
  /** Watches NetworkPolicies, Pods and Namespaces, all of them. */
  readonly informers: Informers;
  readonly datapath: PolicyDatapath;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface PolicyAgent {
  /** Until the signal aborts; the kernel keeps what it has. */
  run(signal: AbortSignal): Promise<void>;
}

/** Kinds that the agent's informers must watch. */
export const policyKinds = [networkpolicies, pods, namespaces] as const;

/** Most changes of a pod mean nothing here. */
const matters = (pod: Pod, before: Pod): boolean =>
  policyAddress(pod) !== policyAddress(before) ||
  pod.spec.nodeName !== before.spec.nodeName ||
  JSON.stringify(pod.metadata.labels) !== JSON.stringify(before.metadata.labels);

export const createPolicyAgent = (options: PolicyAgentOptions): PolicyAgent => {
  const { informers, datapath, nodeName, clock, log } = options;
  const { view } = informers;

  const follow = async (signal: AbortSignal): Promise<void> => {
    const applier = new Applier({
      name: 'network policies',
      apply: (inner) => {
        const policies = view.list(networkpolicies);
        const objects = { policies, pods: view.list(pods), namespaces: view.list(namespaces) };
        return datapath.apply(compilePolicies(objects, nodeName), inner);
      },
      check: (inner) => datapath.check(inner),
      clock,
      log,
    });
    const stops = [
      informers.subscribe(networkpolicies, () => applier.poke()),
      informers.subscribe(namespaces, ({ object, previous }) => {
        if (JSON.stringify(object.metadata.labels) !== JSON.stringify(previous?.metadata.labels))
          applier.poke();
      }),
      informers.subscribe(pods, ({ type, object, previous }) => {
        if (type !== 'modified' || previous === undefined || matters(object, previous)) applier.poke();
      }),
    ];
    applier.poke();
    try {
      await applier.run(signal);
    } finally {
      for (const stop of stops) stop();
    }
  };

  return {
    run: async (signal) => {
      try {
        // With half of the picture, what is allowed would be dropped.
        await informers.ready(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      await follow(signal);
    },
  };
};
