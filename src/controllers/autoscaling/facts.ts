// What an autoscaler decides on: its pods, what each of them consumes, and figures that are asked of a metrics server.
import type { Instant } from '../../base/clock.js';
import type { Pod } from '../../resources/generated/types.js';

/** What one pod consumes: `cpu` in millicores, `memory` in bytes, by container. */
export interface PodConsumption {
  readonly at: Instant;
  /** Milliseconds over which the CPU was averaged. */
  readonly windowMs: number;
  readonly containers: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

/** One series of an answer, with the labels that tell it from the others. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A figure that could be had, or why not. */
export type Figure<T> = { readonly value: T } | { readonly problem: string };

export interface MetricFacts {
  /** By uid; pods that say nothing are left out. */
  readonly consumption: ReadonlyMap<string, PodConsumption>;
  /** By the name of the metric. */
  readonly figures: ReadonlyMap<string, Figure<readonly Sample[]>>;
}

export interface TargetFacts {
  readonly pods: readonly Pod[];
  readonly currentReplicas: number;
}
