// The figures of a node's network in Prometheus' format: what the proxy holds, how long changes take, what was repaired.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Datapath, NetworkState } from './datapath.js';

export interface NetworkMetrics {
  readonly registry: Registry;
  /** The same datapath, measured. */
  measured(datapath: Datapath): Datapath;
  /** The overlay reaches so many nodes. */
  peers(backend: string, count: number): void;
  /** Someone else changed what a part holds in the kernel, and it was put back. */
  repaired(part: string): void;
  failed(part: string): void;
  /** The revision of the slices that the cluster has been told of. */
  confirmed(revision: number): void;
}

/** Seconds. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const createNetworkMetrics = (): NetworkMetrics => {
  const registry = new Registry();
  const registers = [registry];
  const seconds = new Histogram({
    name: 'capstan_proxy_sync_duration_seconds',
    help: 'Time that the kernel took for a change of services.',
    buckets,
    registers,
  });
  const frontends = new Gauge({
    name: 'capstan_proxy_frontends',
    help: 'Addresses and ports at which services answer.',
    registers,
  });
  const backends = new Gauge({
    name: 'capstan_proxy_backends',
    help: 'Endpoints that they send to, counted for each of them.',
    registers,
  });
  const revision = new Gauge({
    name: 'capstan_proxy_confirmed_revision',
    help: 'Revision of EndpointSlices that this proxy has confirmed.',
    registers,
  });
  const peers = new Gauge({
    name: 'capstan_overlay_peers',
    help: 'Nodes whose pods are reached.',
    labelNames: ['backend'],
    registers,
  });
  const repairs = new Counter({
    name: 'capstan_network_repairs_total',
    help: 'Times that something in the kernel was not as it was left, and was put back.',
    labelNames: ['part'],
    registers,
  });
  const failures = new Counter({
    name: 'capstan_network_failures_total',
    help: 'Times that the kernel could not be brought to what is wanted.',
    labelNames: ['part'],
    registers,
  });
  const count = (state: NetworkState): void => {
    frontends.set(state.frontends.size);
    let total = 0;
    for (const { target } of state.frontends.values()) total += target.backends.length;
    backends.set(total);
  };
  return {
    registry,
    measured: (datapath) => ({
      apply: async (desired, signal) => {
        const end = seconds.startTimer();
        await datapath.apply(desired, signal);
        end();
        count(desired);
      },
      check: (signal) => datapath.check(signal),
    }),
    peers: (backend, reached) => {
      peers.reset();
      peers.set({ backend }, reached);
    },
    repaired: (part) => repairs.inc({ part }),
    failed: (part) => failures.inc({ part }),
    confirmed: (confirmed) => revision.set(confirmed),
  };
};
