// Runs one controller: takes keys from its queue, decides, carries out, and settles when each key is looked at again.
import { isAbort } from '../base/abort.js';
import type { Clock, Instant } from '../base/clock.js';
import { ClusterError, hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { View } from '../client/view.js';
import type { Key } from './controller.js';
import type { DecisionLog } from './decision-log.js';
import type { Expectation } from './expectation.js';
import { KeyQueue } from './key-queue.js';
import type { KeyState } from './key-queue.js';
import type { Parking } from './parking.js';
import type { Plan, Runnable, Step } from './runnable.js';
import type { Timers } from './timers.js';

/** A timer: the key's next turn, or the end of waiting for the view. */
export interface Wake {
  readonly runner: ControllerRunner;
  readonly key: Key;
  readonly purpose: 'turn' | 'patience';
}

export interface RunnerOptions {
  readonly controller: Runnable;
  readonly view: View;
  readonly clock: Clock;
  readonly log: Logger;
  readonly decisions: DecisionLog;
  readonly timers: Timers<Wake>;
  readonly parking: Parking;
}

/** How long a key waits for the view to show its own writes before it is decided on the view as it is. */
const patienceMs = 5000;
/** After a write that a stale view explains, the view is usually at most this far behind. */
const stalePatienceMs = 2000;
const firstRetryMs = 20;
const lastRetryMs = 30_000;
/** A decision that asks to be woken at once would otherwise spin. */
const shortestWakeMs = 10;

/** A store in memory answers without leaving the microtask queue: so many turns, then the rest of the process. */
const turnsBeforeRest = 256;

export const backoff = (attempts: number): number =>
  Math.min(lastRetryMs, firstRetryMs * 2 ** Math.max(0, attempts - 1));

export class ControllerRunner {
  readonly #options: RunnerOptions;
  readonly #queue = new KeyQueue();
  readonly #parked = new Map<KeyState, { leave(): void }>();
  readonly #inFlight = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;
  #pumping = false;
  /** Since sockets and timers last had their turn. */
  #turns = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.controller.name;
  }

  add(key: Key): void {
    this.#queue.add(key);
    this.#pumpSoon();
  }

  /** A timer of this controller's fired. */
  fired({ key, purpose }: Wake): void {
    const state = this.#queue.state(key);
    if (purpose === 'turn') this.add(key);
    else if (state !== undefined) this.#arrived(state, []);
  }

  start(signal: AbortSignal): void {
    this.#signal = signal;
    this.#pumpSoon();
  }

  /** Resolves when nothing is being carried out any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  /** Never inside the caller: a change that is being published must reach every listener first. */
  #pumpSoon(): void {
    if (this.#pumping || this.#signal === undefined) return;
    this.#pumping = true;
    const pump = (): void => {
      this.#pumping = false;
      this.#pump();
    };
    if (this.#turns < turnsBeforeRest) queueMicrotask(pump);
    else {
      this.#turns = 0;
      setImmediate(pump);
    }
  }

  #pump(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    while (this.#inFlight.size < this.#options.controller.width && this.#turns < turnsBeforeRest) {
      const state = this.#queue.take();
      if (state === undefined) return;
      this.#turns += 1;
      const turn = this.#turn(state, signal).finally(() => {
        this.#inFlight.delete(turn);
        this.#queue.done(state);
        if (this.#queue.waiting > 0) this.#pumpSoon();
      });
      this.#inFlight.add(turn);
    }
    if (this.#turns >= turnsBeforeRest && this.#queue.waiting > 0) this.#pumpSoon();
  }

  async #turn(state: KeyState, signal: AbortSignal): Promise<void> {
    const { clock, view, parking } = this.#options;
    if (parking.unmet(state.expectations, view).length > 0) {
      state.blocked = true;
      return;
    }
    state.blocked = false;
    this.#arrived(state, []);
    const now = clock.now();
    try {
      const plan = this.#plan(state, now);
      if (plan === undefined) this.#nothingToDo(state);
      else await this.#carryOut(state, { plan, now }, signal);
    } catch (error) {
      if (!isAbort(error, signal)) this.#failed(state, error);
    }
  }

  /** What the controller throws is recorded like any other reason, and thrown on. */
  #plan(state: KeyState, now: Instant): Plan | undefined {
    const { view, controller, decisions } = this.#options;
    try {
      return controller.plan(view, state.key, { now, failure: state.failure });
    } catch (error) {
      decisions.record(controller.kind, {
        controller: this.name,
        key: state.key,
        at: now,
        because: 'the controller could not decide',
        actions: 0,
        error: messageOf(error),
      });
      throw error;
    }
  }

  /** From now on the key has no turn before the view meets the expectations, or `patience` is over. */
  #await(state: KeyState, expected: readonly Expectation[], patience: number): void {
    const { parking, view, timers, clock } = this.#options;
    state.expectations = parking.unmet(expected, view);
    if (state.expectations.length === 0) return;
    const changed = (): void => this.#arrived(state, parking.unmet(state.expectations, view));
    this.#parked.set(state, parking.park(state.expectations, changed));
    timers.set(this.#timer(state, 'patience'), clock.now() + patience, {
      runner: this,
      key: state.key,
      purpose: 'patience',
    });
  }

  #arrived(state: KeyState, unmet: readonly Expectation[]): void {
    if (unmet.length > 0) return;
    state.expectations = [];
    this.#parked.get(state)?.leave();
    this.#parked.delete(state);
    this.#options.timers.cancel(this.#timer(state, 'patience'));
    if (state.blocked) {
      state.blocked = false;
      this.#queue.wake(state);
      this.#pumpSoon();
    } else this.#queue.release(state);
  }

  async #carryOut(
    state: KeyState,
    { plan, now }: { readonly plan: Plan; readonly now: Instant },
    signal: AbortSignal,
  ): Promise<void> {
    const { log, timers } = this.#options;
    const expected: Expectation[] = [];
    for (const stage of plan.stages) {
      const { expectations, failures } = await this.#stage(stage, signal);
      expected.push(...expectations);
      const [error] = failures;
      if (error === undefined) continue;
      this.#record(state, { plan, now, error });
      this.#failed(state, error, expected);
      return;
    }
    this.#record(state, { plan, now });
    if (plan.size > 0) log.debug({ controller: this.name, key: state.id, actions: plan.size }, plan.because);
    state.attempts = 0;
    state.failure = undefined;
    this.#await(state, expected, patienceMs);
    if (plan.wakeAt === undefined) timers.cancel(this.#timer(state, 'turn'));
    else this.#wakeAt(state, Math.max(plan.wakeAt, now + shortestWakeMs));
  }

  /** Failures that a stale view does not explain come first; what may show in the view is expected in any case. */
  async #stage(
    stage: readonly Step[],
    signal: AbortSignal,
  ): Promise<{ readonly expectations: readonly Expectation[]; readonly failures: readonly unknown[] }> {
    const expectations: Expectation[] = [];
    const failures: unknown[] = [];
    const attempt = async (step: Step): Promise<void> => {
      let expectation: Expectation | undefined;
      try {
        expectation = await step.run(signal);
      } catch (error) {
        if (isStale(error) || mayBeDone(error)) expectation = step.refused();
        if (isStale(error)) failures.push(error);
        else failures.unshift(error);
      }
      if (expectation !== undefined) expectations.push(expectation);
    };
    await Promise.all(stage.map(attempt));
    signal.throwIfAborted();
    return { expectations, failures };
  }

  #failed(state: KeyState, error: unknown, expected: readonly Expectation[] = []): void {
    const { log, clock } = this.#options;
    state.attempts += 1;
    const fields = {
      controller: this.name,
      key: state.id,
      attempts: state.attempts,
      error: messageOf(error),
    };
    this.#wakeAt(state, clock.now() + backoff(state.attempts));
    if (isStale(error)) {
      log.debug(fields, 'the view was behind: again when it has caught up');
      this.#await(state, expected, stalePatienceMs);
      // The turn is due as soon as the view has caught up, not only when the back-off is over.
      state.blocked = state.expectations.length > 0;
      return;
    }
    if (error instanceof ClusterError) log.warn(fields, 'will be tried again');
    else
      log.error({ ...fields, stack: error instanceof Error ? error.stack : undefined }, 'controller failed');
    if (mayBeDone(error)) {
      // The next turn must not take a write that was done for one that was not.
      this.#await(state, expected, stalePatienceMs);
      return;
    }
    const code = error instanceof ClusterError ? error.code : 'InternalError';
    state.failure = { code, message: messageOf(error), attempts: state.attempts };
    this.#await(state, expected, patienceMs);
  }

  #wakeAt(state: KeyState, at: Instant): void {
    this.#options.timers.set(this.#timer(state, 'turn'), at, {
      runner: this,
      key: state.key,
      purpose: 'turn',
    });
  }

  #nothingToDo(state: KeyState): void {
    const { timers, decisions } = this.#options;
    state.attempts = 0;
    state.failure = undefined;
    timers.cancel(this.#timer(state, 'turn'));
    decisions.forget(this.name, state.key);
  }

  #record(
    { key }: KeyState,
    { plan, now, error }: { readonly plan: Plan; readonly now: Instant; readonly error?: unknown },
  ): void {
    const { decisions, controller } = this.#options;
    decisions.record(controller.kind, {
      controller: this.name,
      key,
      at: now,
      because: plan.because,
      actions: plan.size,
      ...(error === undefined ? {} : { error: messageOf(error) }),
    });
  }

  #timer({ id }: KeyState, purpose: Wake['purpose']): string {
    return `${this.name} ${purpose} ${id}`;
  }
}

/** The answer is missing, not the write: it may have been done. */
const mayBeDone = (error: unknown): boolean => hasCode(error, 'ServiceUnavailable', 'Timeout');

const isStale = (error: unknown): boolean => hasCode(error, 'Conflict', 'AlreadyExists', 'NotFound');
