// Autoscalers: every 15 seconds each of them learns what its pods consume, and scales its target.
import type { Clock } from '../../base/clock.js';
import { hasCode, messageOf } from '../../base/errors.js';
import { isAbort } from '../../base/abort.js';
import { equal } from '../../base/json.js';
import type { Logger } from '../../base/log.js';
import type { Informers } from '../../client/informers.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Executor } from '../../reconcile/controller.js';
import type { DecisionLog } from '../../reconcile/decision-log.js';
import type { Pod, V2HorizontalPodAutoscaler } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { apiVersionOf } from '../../resources/kind.js';
import type { KindSource } from '../../resources/kind-source.js';
import { horizontalpodautoscalers } from '../../resources/kinds/horizontalpodautoscalers.js';
import { pods } from '../../resources/kinds/pods.js';
import { selects, selectsByMap } from '../../resources/label-selector.js';
import type { Labels, LabelSelector } from '../../resources/label-selector.js';
import { displayName, isDeleting, nameOf } from '../../resources/resource.js';
import type { Resource } from '../../resources/resource.js';
import { noHistory, type History } from './behavior.js';
import { decide, type AutoscalerDecision } from './decide.js';
import type { Figure, PodConsumption, Sample, TargetFacts } from './facts.js';

export interface MetricsPort {
  /** By uid. */
  consumption(of: readonly Pod[], signal: AbortSignal): Promise<ReadonlyMap<string, PodConsumption>>;
  /** Asks a Prometheus at `address`. Rejects when it does not answer, or not sensibly. */
  query(address: string, query: string, signal: AbortSignal): Promise<readonly Sample[]>;
}

export interface AutoscalerOptions {
  readonly informers: Informers;
  readonly executor: Executor<ClusterAction>;
  readonly metrics: MetricsPort;
  /** Kinds with a scale are among them. */
  readonly kinds: KindSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly decisions: DecisionLog;
  /** Milliseconds; 15,000 unless given. */
  readonly intervalMs?: number | undefined;
}

const defaultIntervalMs = 15_000;
/** On an autoscaler: where its metrics of type Pods, Object and External are asked, … */
const addressAnnotation = 'metrics.capstan.dev/prometheus';
/** … and, with the metric's name behind the slash, the query for each. */
const queryPrefix = 'query.metrics.capstan.dev/';

interface Scalable extends Resource {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: LabelSelector | Labels;
  };
}

const isLabelSelector = (selector: LabelSelector | Labels): selector is LabelSelector =>
  typeof (selector as LabelSelector).matchLabels === 'object' ||
  Array.isArray((selector as LabelSelector).matchExpressions);

export class Autoscaler {
  readonly #options: AutoscalerOptions;
  readonly #histories = new Map<string, History>();

  constructor(options: AutoscalerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs = defaultIntervalMs } = this.#options;
    try {
      while (!signal.aborted) {
        await this.#round(signal);
        await clock.sleep(intervalMs, signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const all = this.#options.informers.view
      .list(horizontalpodautoscalers)
      .filter((autoscaler) => !isDeleting(autoscaler));
    const known = new Set(all.map(({ metadata }) => metadata.uid));
    for (const uid of this.#histories.keys()) if (!known.has(uid)) this.#histories.delete(uid);
    await Promise.all(all.map((autoscaler) => this.#one(autoscaler, signal)));
  }

  async #one(autoscaler: V2HorizontalPodAutoscaler, signal: AbortSignal): Promise<void> {
    const { clock, log, decisions } = this.#options;
    const { uid } = autoscaler.metadata;
    try {
      const target = this.#target(autoscaler);
      const facts =
        'problem' in target
          ? { consumption: new Map<string, PodConsumption>(), figures: new Map<string, never>() }
          : await this.#facts(autoscaler, target, signal);
      const history = this.#histories.get(uid) ?? noHistory;
      const decision = decide({ autoscaler, target, facts, history }, clock.now());
      await this.#carryOut(autoscaler, decision, signal);
      this.#histories.set(uid, decision.history);
      decisions.record(horizontalpodautoscalers, {
        controller: 'autoscaler',
        key: nameOf(autoscaler),
        at: clock.now(),
        because: decision.because,
        actions: decision.replicas === undefined ? 0 : 1,
      });
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      // A stale view, or a target that is gone: the next round knows better.
      if (hasCode(error, 'Conflict', 'NotFound')) return;
      log.warn(
        { autoscaler: displayName(nameOf(autoscaler)), error: messageOf(error) },
        'the autoscaler could not scale: trying again',
      );
    }
  }

  #target(
    autoscaler: V2HorizontalPodAutoscaler,
  ): (TargetFacts & { readonly kind: Kind }) | { readonly problem: string } {
    const { informers, kinds } = this.#options;
    const { scaleTargetRef: reference } = autoscaler.spec;
    const { namespace } = autoscaler.metadata;
    const kind = kinds
      .stored()
      .find(
        (candidate) =>
          candidate.kind === reference.kind &&
          apiVersionOf(candidate) === (reference.apiVersion ?? 'v1') &&
          candidate.subresources.includes('scale'),
      );
    if (kind === undefined || !informers.watches(kind))
      return { problem: `${reference.apiVersion ?? 'v1'} ${reference.kind} has no scale here` };
    const object: Scalable | undefined = informers.view.get(kind, { name: reference.name, namespace });
    if (object === undefined) return { problem: `${kind.plural} "${reference.name}" not found` };
    const { selector, replicas = 1 } = object.spec ?? {};
    if (selector === undefined) return { problem: `${kind.plural} "${reference.name}" has no selector` };
    const selected = informers.view
      .list(pods, namespace)
      .filter(({ metadata }) =>
        isLabelSelector(selector)
          ? selects(selector, metadata.labels)
          : selectsByMap(selector, metadata.labels),
      );
    return { kind, pods: selected, currentReplicas: replicas };
  }

  async #facts(autoscaler: V2HorizontalPodAutoscaler, { pods: selected }: TargetFacts, signal: AbortSignal) {
    const { metrics } = this.#options;
    const specs = autoscaler.spec.metrics ?? [];
    const names = specs.flatMap(({ pods: perPod, object, external }) => {
      const named = perPod ?? object ?? external;
      return named === undefined ? [] : [named.metric.name];
    });
    const needsConsumption = names.length < specs.length || specs.length === 0;
    const [consumption, figures] = await Promise.all([
      needsConsumption
        ? metrics.consumption(selected, signal)
        : Promise.resolve(new Map<string, PodConsumption>()),
      Promise.all(
        [...new Set(names)].map(
          async (name) => [name, await this.#figure(autoscaler, name, signal)] as const,
        ),
      ),
    ]);
    return { consumption, figures: new Map(figures) };
  }

  async #figure(
    { metadata }: V2HorizontalPodAutoscaler,
    name: string,
    signal: AbortSignal,
  ): Promise<Figure<readonly Sample[]>> {
    const address = metadata.annotations?.[addressAnnotation];
    const query = metadata.annotations?.[`${queryPrefix}${name}`];
    if (address === undefined || query === undefined)
      return {
        problem: `the annotations ${addressAnnotation} and ${queryPrefix}${name} do not say where to ask for it`,
      };
    try {
      return { value: await this.#options.metrics.query(address, query, signal) };
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return { problem: messageOf(error) };
    }
  }

  async #carryOut(
    autoscaler: V2HorizontalPodAutoscaler,
    { replicas, status, reason, problem }: AutoscalerDecision,
    signal: AbortSignal,
  ): Promise<void> {
    const { executor } = this.#options;
    const target = this.#target(autoscaler);
    if (replicas !== undefined && !('problem' in target)) {
      const { name } = autoscaler.spec.scaleTargetRef;
      await executor.execute(
        {
          type: 'patch',
          kind: target.kind,
          name: { name, namespace: autoscaler.metadata.namespace },
          patch: { type: 'merge', patch: { spec: { replicas } } },
          subresource: 'scale',
        },
        signal,
      );
      const message = `New size: ${String(replicas)}; reason: ${reason}`;
      await executor.execute(
        {
          type: 'event',
          event: { regarding: autoscaler, type: 'Normal', reason: 'SuccessfulRescale', message },
        },
        signal,
      );
    }
    if (problem !== undefined)
      await executor.execute(
        { type: 'event', event: { regarding: autoscaler, type: 'Warning', ...problem } },
        signal,
      );
    if (equal(autoscaler.status, status)) return;
    const object: V2HorizontalPodAutoscaler = { ...autoscaler, status };
    await executor.execute({ type: 'updateStatus', kind: horizontalpodautoscalers, object }, signal);
  }
}
