// What pods and nodes consume, as the kubelet's `/stats/summary` says it: agents answer so, the metrics API reads it.

export interface Usage {
  /** RFC 3339: when it was measured. */
  readonly time: string;
  /** CPU over the window before, in billionths of a core; absent while there is only one measurement. */
  readonly usageNanoCores?: number | undefined;
  /** Length of that window in milliseconds; the kubelet does not tell it. */
  readonly windowMs?: number | undefined;
  /** CPU since the start, in nanoseconds. */
  readonly usageCoreNanoSeconds: number;
}

export interface MemoryUsage {
  readonly time: string;
  /** What cannot be reclaimed at once. */
  readonly workingSetBytes: number;
}

export interface ContainerUsage {
  readonly name: string;
  readonly startTime?: string | undefined;
  readonly cpu: Usage;
  readonly memory: MemoryUsage;
}

export interface PodUsage {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly containers: readonly ContainerUsage[];
}

export interface UsageSummary {
  readonly node: {
    readonly nodeName: string;
    readonly cpu: Usage;
    readonly memory: MemoryUsage;
  };
  readonly pods: readonly PodUsage[];
}
