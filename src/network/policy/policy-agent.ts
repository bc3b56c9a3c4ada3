// Network policies on one node: follows policies, pods and namespaces, and keeps the kernel as they say.
import type { Clock } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { Logger } from '../../base/log.js';
import type { Informers } from '../../client/informers.js';
import type { Pod } from '../../resources/generated/types.js';
import { namespaces } from '../../resources/kinds/namespaces.js';
import { networkpolicies } from '../../resources/kinds/networkpolicies.js';
import { pods } from '../../resources/kinds/pods.js';
import { Applier } from '../applier.js';
import { compilePolicies, policyAddress } from './compile.js';
import { emptyPolicyState } from './policy-state.js';
import type { PolicyState } from './policy-state.js';

export interface PolicyDatapath {
  /** Makes the kernel show the state in one step, and ends connections that it forbids. */
  apply(desired: PolicyState, signal: AbortSignal): Promise<void>;
  /** Whether the kernel still holds what was applied. Cheap. */
  check(signal: AbortSignal): Promise<boolean>;
}

export interface PolicyAgentOptions {
  /** Watches NetworkPolicies, all of them. */
  readonly informers: Informers;
  /**
   * Watches all Pods and Namespaces, from now on until the signal aborts: asked for while there are policies, since a
   * node has nothing to do with other nodes' pods otherwise.
   */
  watchPods(signal: AbortSignal): Informers;
  readonly datapath: PolicyDatapath;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface PolicyAgent {
  /** Until the signal aborts; the kernel keeps what it has. */
  run(signal: AbortSignal): Promise<void>;
}

/** Kinds that `watchPods` must watch. */
export const policySubjectKinds = [pods, namespaces] as const;

/** Most changes of a pod mean nothing here. */
const matters = (pod: Pod, before: Pod): boolean =>
  policyAddress(pod) !== policyAddress(before) ||
  pod.spec.nodeName !== before.spec.nodeName ||
  !equal(pod.metadata.labels, before.metadata.labels);

class NodePolicies implements PolicyAgent {
  readonly #options: PolicyAgentOptions;

  constructor(options: PolicyAgentOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers } = this.#options;
    await informers.ready(signal);
    let changed = new AbortController();
    const end = informers.subscribe(networkpolicies, () => changed.abort());
    try {
      while (!signal.aborted) {
        changed = new AbortController();
        const any = informers.view.list(networkpolicies).length > 0;
        await (any ? this.#enforce(signal) : this.#open(AbortSignal.any([signal, changed.signal])));
      }
    } finally {
      end();
    }
  }

  /** Nothing is closed, also what an earlier process left. */
  async #open(signal: AbortSignal): Promise<void> {
    const applier = this.#applier(() => emptyPolicyState);
    applier.poke();
    await applier.run(signal);
  }

  /** Until no policy is there any more. */
  async #enforce(signal: AbortSignal): Promise<void> {
    const { informers, watchPods, nodeName } = this.#options;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const subjects = watchPods(either);
    const { view } = subjects;
    const applier = this.#applier(() =>
      compilePolicies(
        {
          policies: informers.view.list(networkpolicies),
          pods: view.list(pods),
          namespaces: view.list(namespaces),
        },
        nodeName,
      ),
    );
    const stops = [
      informers.subscribe(networkpolicies, () => {
        if (informers.view.list(networkpolicies).length === 0) over.abort();
        else applier.poke();
      }),
    ];
    try {
      // With half of the picture, what is allowed would be dropped.
      await subjects.ready(either);
      stops.push(
        subjects.subscribe(namespaces, ({ object, previous }) => {
          if (!equal(object.metadata.labels, previous?.metadata.labels)) applier.poke();
        }),
        subjects.subscribe(pods, ({ type, object, previous }) => {
          if (type !== 'modified' || previous === undefined || matters(object, previous)) applier.poke();
        }),
      );
      applier.poke();
      await applier.run(either);
    } catch (error) {
      if (!either.aborted) throw error;
    } finally {
      over.abort();
      for (const stop of stops) stop();
    }
  }

  #applier(state: () => PolicyState): Applier {
    const { datapath, clock, log } = this.#options;
    return new Applier({
      name: 'network policies',
      apply: (signal) => datapath.apply(state(), signal),
      check: (signal) => datapath.check(signal),
      clock,
      log,
    });
  }
}

export const createPolicyAgent = (options: PolicyAgentOptions): PolicyAgent => new NodePolicies(options);
