// The metrics.k8s.io API: what nodes and pods consume, as objects that can be read and not written.
import { milliValue } from '../../resources/quantity.js';
import type { Node, Pod } from '../../resources/generated/types.js';
import { nameColumn, text } from '../../resources/columns.js';
import type { Column, Kind } from '../../resources/kind.js';
import { defineKind } from '../../resources/kind.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { pods } from '../../resources/kinds/pods.js';
import type { Resource } from '../../resources/resource.js';
import { listQuery } from '../call-options.js';
import type { ServedKind } from '../discovery.js';
import type { Stored } from '../registry.js';
import { objectName, showList, showObject } from '../resource-call.js';
import type { ResourceCall, Verb } from '../resource-call.js';
import { detached } from '../stored-entries.js';
import { notFound } from '../verbs/rejections.js';
import { nodeMetrics, podMetrics } from './metrics-objects.js';
import type { NodeMetrics, PodMetrics } from './metrics-objects.js';
import type { UsageReader } from './usage-reader.js';

const group = 'metrics.k8s.io';
const version = 'v1beta1';

const kibibytes = (quantity: string): number => Number(quantity.replace('Ki', ''));

const total = ({ containers }: PodMetrics): string => {
  const nanos = containers.reduce((sum, { usage }) => sum + Number(usage.cpu.replace('n', '')), 0);
  return `${String(milliValue(`${String(nanos)}n`))}m`;
};

const windowColumn = <T extends Resource & { readonly window: string }>(): Column<T> =>
  text('Window', 'Time over which the CPU was averaged.', ({ window }) => window);

const nodeKind = defineKind<NodeMetrics>({
  group,
  version,
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  namespaced: false,
  definition: '',
  columns: [
    nameColumn,
    text('cpu', 'CPU that is used.', ({ usage }) => `${String(milliValue(usage.cpu))}m`),
    text('memory', 'Memory that is used.', ({ usage }) => usage.memory),
    windowColumn(),
  ],
});

const podKind = defineKind<PodMetrics>({
  group,
  version,
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  namespaced: true,
  definition: '',
  columns: [
    nameColumn,
    text('cpu', 'CPU that is used.', total),
    text('memory', 'Memory that is used.', ({ containers }) => {
      const sum = containers.reduce((all, { usage }) => all + kibibytes(usage.memory), 0);
      return `${String(sum)}Ki`;
    }),
    windowColumn(),
  ],
});

/** What was measured of objects that are there, as one list. */
type Measure<T extends Resource> = (
  call: ResourceCall,
  objects: readonly T[],
) => Promise<readonly Resource[]>;

const measureNodes =
  (reader: UsageReader): Measure<Node> =>
  async ({ server }, found) => {
    const usage = await reader.ofNodes(found.map(({ metadata }) => metadata.name));
    const now = server.clock.now();
    return found.flatMap((node) => {
      const summary = usage.get(node.metadata.name);
      return (summary && nodeMetrics(node, summary, now)) ?? [];
    });
  };

const measurePods =
  (reader: UsageReader): Measure<Pod> =>
  async ({ server }, found) => {
    const running = found.filter(({ status }) => status?.phase === 'Running');
    const usage = await reader.ofNodes(running.flatMap(({ spec }) => spec.nodeName ?? []));
    const byUid = new Map(
      [...usage.values()].flatMap((summary) => summary.pods.map((pod) => [pod.podRef.uid, pod] as const)),
    );
    const now = server.clock.now();
    return running.flatMap((pod) => {
      const measured = byUid.get(pod.metadata.uid);
      return (measured && podMetrics(pod, measured, now)) ?? [];
    });
  };

const served = <T extends Resource>(kind: Kind, of: Kind<T>, measure: Measure<T>): ServedKind => {
  const list: Verb = async (call) => {
    const { labelSelector, fieldSelector } = listQuery(call.request.query, call.route.namespace);
    const query = { namespace: call.route.namespace, labelSelector, fieldSelector };
    const found = await call.server.registry.list(of, query);
    const measured = await measure(
      call,
      found.items.map(({ object }) => object as T),
    );
    const items: readonly Stored[] = measured.map(detached);
    return showList(call, { items, resourceVersion: '' });
  };
  const get: Verb = async (call) => {
    const { object } = await call.server.registry.get(of, objectName(call));
    const [measured] = await measure(call, [object as T]);
    if (measured === undefined) throw notFound(kind, object.metadata.name);
    return showObject(call, 200, { stored: detached(measured) });
  };
  return {
    kind,
    subresources: new Map(),
    verbs: ['get', 'list'],
    collection: { GET: list },
    object: { GET: get },
  };
};

export const metricsKinds = (reader: UsageReader): readonly ServedKind[] => [
  served(nodeKind as unknown as Kind, nodes, measureNodes(reader)),
  served(podKind as unknown as Kind, pods, measurePods(reader)),
];
