// Says what was decided about a pod: in the cluster, and in the log of decisions.
import type { Clock } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { Executor } from '../reconcile/controller.js';
import type { DecisionLog } from '../reconcile/decision-log.js';
import type { Pod } from '../resources/generated/types.js';
import { pods } from '../resources/kinds/pods.js';
import { displayName, nameOf } from '../resources/resource.js';

export interface TellerOptions {
  readonly executor: Executor<ClusterAction>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly decisions: DecisionLog;
}

export class Teller {
  readonly #options: TellerOptions;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** False when the cluster could not be told; a pod that is gone needs to be told nothing. */
  async tell(pod: Pod, actions: readonly ClusterAction[], signal: AbortSignal): Promise<boolean> {
    const { executor, log } = this.#options;
    try {
      for (const action of actions) await executor.execute(action, signal);
      return true;
    } catch (error) {
      if (signal.aborted || hasCode(error, 'NotFound', 'Conflict')) return true;
      log.warn(
        { pod: displayName(nameOf(pod)), error: messageOf(error) },
        'could not tell why it is not placed',
      );
      return false;
    }
  }

  record(pod: Pod, because: string, error?: string): void {
    this.#options.decisions.record(pods, {
      controller: 'scheduler',
      key: nameOf(pod),
      at: this.#options.clock.now(),
      because,
      actions: 1,
      ...(error === undefined ? {} : { error }),
    });
  }
}
