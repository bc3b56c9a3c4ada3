// A controller together with what carries its actions out: the form in which the loop runs it, whatever its types.
import type { Instant } from '../base/clock.js';
import type { View } from '../client/view.js';
import type { Kind } from '../resources/kind.js';
import type { Controller, Executor, Failure, Key, Trigger } from './controller.js';
import type { Expectation, ExpectingExecutor } from './expectation.js';

/** One action, ready to be carried out. */
export interface Step {
  run(signal: AbortSignal): Promise<Expectation | undefined>;
  /** What to await after a refusal that a stale view explains. */
  refused(): Expectation | undefined;
}

export interface Plan {
  readonly because: string;
  readonly wakeAt: Instant | undefined;
  /** One stage after the other; the steps of a stage at once. */
  readonly stages: readonly (readonly Step[])[];
  /** Steps of all stages. */
  readonly size: number;
}

export interface Moment {
  readonly now: Instant;
  readonly failure: Failure | undefined;
}

export interface Runnable {
  readonly name: string;
  /** What the keys name. */
  readonly kind: Kind;
  readonly watches: readonly Trigger[];
  readonly watchesAll?: Trigger['keys'] | undefined;
  /** Keys in work at one time. */
  readonly width: number;
  /** Undefined: nothing to decide for this key. */
  plan(view: View, key: Key, moment: Moment): Plan | undefined;
}

const defaultWidth = 8;

const expects = <Action>(executor: Executor<Action>): executor is ExpectingExecutor<Action> =>
  'perform' in executor && 'refused' in executor;

const stagesOf = <Action>(
  executor: Executor<Action>,
  actions: readonly Action[],
): readonly (readonly Step[])[] => {
  if (!expects(executor))
    return actions.map((action) => [
      {
        run: async (signal) => {
          await executor.execute(action, signal);
          return undefined;
        },
        refused: () => undefined,
      },
    ]);
  const stages: Step[][] = [];
  let previous: Action | undefined;
  for (const action of actions) {
    const step: Step = {
      run: (signal) => executor.perform(action, signal),
      refused: () => executor.refused(action),
    };
    const stage = stages.at(-1);
    if (stage !== undefined && previous !== undefined && executor.together(previous, action))
      stage.push(step);
    else stages.push([step]);
    previous = action;
  }
  return stages;
};

/** Throws when the controller watches nothing: it would never run. */
export const runnable = <Observed, Action>(
  controller: Controller<Observed, Action>,
  executor: Executor<Action>,
  options: { readonly width?: number } = {},
): Runnable => {
  const [main] = controller.watches;
  if (main === undefined) throw new Error(`controller ${controller.name} watches nothing`);
  return {
    name: controller.name,
    kind: main.kind,
    watches: controller.watches,
    watchesAll: controller.watchesAll,
    width: options.width ?? defaultWidth,
    plan: (view, key, { now, failure }) => {
      const observed = controller.observe(view, key);
      if (observed === undefined) return undefined;
      const { actions, because, wakeAt } = controller.reconcile(observed, now, failure);
      return { because, wakeAt, stages: stagesOf(executor, actions), size: actions.length };
    },
  };
};
