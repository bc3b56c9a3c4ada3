// The API server's figures in Prometheus' format, under the names that Kubernetes' dashboards and alerts know.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Extension } from '../../base/http.js';
import type { Kind } from '../../resources/kind.js';
import { kindPrefix, resourceNameOf } from '../../resources/kind.js';
import type { Store } from '../../store/store.js';
import type { Fairness } from '../fairness/fairness.js';
import type { Answered, Observer, Trace } from '../trace.js';
import { isStream } from '../trace.js';

export interface MetricsOptions {
  readonly store: Store & { readonly watchers: number };
  readonly kinds: readonly Kind[];
  readonly fairness: Fairness;
  /** Bytes that the store takes on the disk; undefined where nobody knows. */
  readonly storeBytes?: (() => number | undefined) | undefined;
  /** Lines that the audit log could not keep up with. */
  readonly auditDropped?: (() => number) | undefined;
}

/** Kubernetes' own bounds, in seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const requestLabels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const;
type RequestLabels = Record<(typeof requestLabels)[number], string>;

/** Verbs as Kubernetes' metrics write them. */
const verbOf = ({ wanted, request }: Trace): string => {
  const verb = wanted?.verb ?? '';
  if (wanted?.type !== 'resource') return request.method;
  if (verb === 'create') return 'POST';
  return { update: 'PUT', deletecollection: 'DELETECOLLECTION' }[verb] ?? verb.toUpperCase();
};

const scopeOf = ({ route }: Trace): string => {
  if (route.type !== 'resource') return '';
  if (route.name !== undefined) return 'resource';
  return route.namespace === undefined ? 'cluster' : 'namespace';
};

const labelsOf = (trace: Trace, known: ReadonlySet<string>): RequestLabels => {
  const { route } = trace;
  const common = { verb: verbOf(trace), scope: scopeOf(trace), component: 'apiserver' };
  // What no kind is named like would let any client make up series.
  if (route.type !== 'resource' || !known.has(`${route.group}/${route.plural}`))
    return { ...common, group: '', version: '', resource: '', subresource: '' };
  const { group, version, plural: resource, subresource = '' } = route;
  return { ...common, group, version, resource, subresource };
};

/** Series that have been written to once are kept at hand: looking them up by their labels costs more than the request's share. */
interface Series {
  readonly total: Map<number, { inc(): void }>;
  readonly duration: { observe(seconds: number): void };
  readonly longRunning: { inc(): void; dec(): void };
  readonly labels: RequestLabels;
}

const mostSeries = 5000;

export class ServerMetrics implements Observer {
  readonly registry = new Registry();
  readonly #series = new Map<string, Series>();
  readonly #known: ReadonlySet<string>;
  readonly #total: Counter<(typeof requestLabels)[number] | 'code'>;
  readonly #duration: Histogram<(typeof requestLabels)[number]>;
  readonly #longRunning: Gauge<(typeof requestLabels)[number]>;

  constructor(options: MetricsOptions) {
    const registers = [this.registry];
    this.#known = new Set(options.kinds.map(({ group, plural }) => `${group}/${plural}`));
    this.#total = new Counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, resource and HTTP code.',
      labelNames: [...requestLabels, 'code'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from the head of a request to the head of its answer, in seconds; without watches and streams.',
      labelNames: requestLabels,
      buckets,
      registers,
    });
    this.#longRunning = new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches, logs that are followed, and other streams that are open.',
      labelNames: requestLabels,
      registers,
    });
    this.#gauges(options);
  }

  answered({ trace, response, tookMs }: Answered): void {
    const series = this.#seriesOf(trace);
    if (series === undefined) return;
    let total = series.total.get(response.status);
    if (total === undefined) {
      total = this.#total.labels({ ...series.labels, code: String(response.status) });
      series.total.set(response.status, total);
    }
    total.inc();
    if (isStream(response)) series.longRunning.inc();
    else series.duration.observe(tookMs / 1000);
  }

  ended({ trace }: Answered): void {
    this.#seriesOf(trace)?.longRunning.dec();
  }

  #seriesOf(trace: Trace): Series | undefined {
    const labels = labelsOf(trace, this.#known);
    const key = `${labels.verb} ${labels.group}/${labels.resource}/${labels.subresource} ${labels.scope} ${labels.version}`;
    const found = this.#series.get(key);
    if (found !== undefined || this.#series.size >= mostSeries) return found;
    const made: Series = {
      total: new Map(),
      duration: this.#duration.labels(labels),
      longRunning: this.#longRunning.labels(labels),
      labels,
    };
    this.#series.set(key, made);
    return made;
  }

  /** Read when they are asked for. */
  #gauges({ store, kinds, fairness, storeBytes, auditDropped }: MetricsOptions): void {
    const gauge = <Label extends string>(
      name: string,
      help: string,
      labelNames: readonly Label[],
      collect: (into: Gauge<Label>) => void,
    ): Gauge<Label> =>
      new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers: [this.registry],
        collect() {
          this.reset();
          collect(this);
        },
      });
    gauge('apiserver_storage_objects', 'Objects in the store.', ['resource'], (into) => {
      for (const kind of kinds)
        into.set({ resource: resourceNameOf(kind) }, store.list(kindPrefix(kind), { limit: 0 }).remaining);
    });
    gauge('apiserver_storage_revision', 'Newest revision of the store.', [], (into) =>
      into.set(store.revision),
    );
    gauge('apiserver_storage_db_total_size_in_bytes', 'Bytes of the store on the disk.', [], (into) => {
      const bytes = storeBytes?.();
      if (bytes !== undefined) into.set(bytes);
    });
    gauge(
      'apiserver_storage_watchers',
      'Watches over the store that are open, in-process ones included.',
      [],
      (into) => into.set(store.watchers),
    );
    gauge(
      'apiserver_flowcontrol_current_executing_seats',
      'Seats that are taken, by priority level.',
      ['priority_level'],
      (into) => {
        for (const { level, executing } of fairness.figures()) into.set({ priority_level: level }, executing);
      },
    );
    gauge(
      'apiserver_flowcontrol_current_inqueue_requests',
      'Requests that wait for a seat, by priority level.',
      ['priority_level'],
      (into) => {
        for (const { level, waiting } of fairness.figures()) into.set({ priority_level: level }, waiting);
      },
    );
    this.#counter(
      'apiserver_flowcontrol_rejected_requests_total',
      'Requests that were answered with 429.',
      (into) => {
        for (const [level, count] of fairness.rejected()) into.inc({ priority_level: level }, count);
      },
    );
    this.#counter('apiserver_audit_dropped_total', 'Audit events that the disk was too slow for.', (into) => {
      into.inc({}, auditDropped?.() ?? 0);
    });
  }

  #counter(name: string, help: string, collect: (into: Counter<'priority_level'>) => void): void {
    new Counter({
      name,
      help,
      labelNames: ['priority_level'],
      registers: [this.registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  }
}

/** `/metrics`: for whom roles give `get` on that path. */
export const metricsEndpoint = (registry: Registry): Extension => ({
  prefix: '/metrics',
  handle: async () => ({
    status: 200,
    headers: { 'content-type': registry.contentType },
    body: [Buffer.from(await registry.metrics())],
  }),
});
