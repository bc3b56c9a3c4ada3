// The one loop: changes of the View become keys, keys become decisions, decisions become writes.
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Informers } from '../client/informers.js';
import type { Key } from './controller.js';
import { ControllerRunner } from './controller-runner.js';
import type { Wake } from './controller-runner.js';
import { DecisionLog } from './decision-log.js';
import { Parking } from './parking.js';
import type { Runnable } from './runnable.js';
import { Timers } from './timers.js';

export interface LoopOptions {
  readonly controllers: readonly Runnable[];
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
  /** Shared with whoever else decides (the scheduler); one of its own when absent. */
  readonly decisions?: DecisionLog | undefined;
}

export interface Loop {
  readonly decisions: DecisionLog;
  /**
   * Runs the controllers until the signal aborts, from when the informers have listed everything once; resolves when
   * nothing is being carried out any more.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Asks a controller to look at a key, for reasons that the View does not show. */
  nudge(controller: string, key: Key): void;
}

/** Throws when a controller watches a kind that the informers do not. */
export const createLoop = (options: LoopOptions): Loop => {
  const { controllers, informers, clock, log } = options;
  const decisions = options.decisions ?? new DecisionLog();
  const timers = new Timers<Wake>(clock, (wake) => wake.runner.fired(wake));
  const parking = new Parking(informers);
  const runners = controllers.map((controller) => ({
    controller,
    runner: new ControllerRunner({
      controller,
      view: informers.view,
      clock,
      log,
      decisions,
      timers,
      parking,
    }),
  }));

  const subscribe = (): readonly (() => void)[] =>
    runners.flatMap(({ controller, runner }) => {
      const add = (keys: readonly Key[]): void => {
        for (const key of keys) runner.add(key);
      };
      const { watchesAll } = controller;
      return [
        ...controller.watches.map((trigger) =>
          informers.subscribe(trigger.kind, (change) => add(trigger.keys(change, informers.view))),
        ),
        ...(watchesAll === undefined
          ? []
          : [informers.subscribeAll((change) => add(watchesAll(change, informers.view)))]),
      ];
    });

  return {
    decisions,
    run: async (signal) => {
      await informers.ready(signal);
      const subscriptions = subscribe();
      for (const { runner } of runners) runner.start(signal);
      try {
        await timers.run(signal);
      } finally {
        for (const end of subscriptions) end();
        parking.close();
        await Promise.all(runners.map(({ runner }) => runner.settled()));
      }
    },
    nudge: (controller, key) => runners.find(({ runner }) => runner.name === controller)?.runner.add(key),
  };
};
