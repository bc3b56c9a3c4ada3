// capstan why
import type { Cluster } from '../../client/cluster.js';
import { formatLabelSelector } from '../../resources/label-selector.js';
import type {
  Deployment,
  EndpointSlice,
  Event,
  LabelSelector,
  Pod,
} from '../../resources/generated/types.js';
import { kinds } from '../../resources/kinds.js';
import { apiVersionOf } from '../../resources/kind.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { events as eventKind } from '../../resources/kinds/events.js';
import { pods } from '../../resources/kinds/pods.js';
import { amountsOf } from '../../resources/pod-resources.js';
import type { Amounts } from '../../resources/pod-resources.js';
import { controllerOf, type Resource } from '../../resources/resource.js';
import { textOption, type CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { parseObject } from '../find-object.js';
import { formatOption, outputFormat } from '../format-option.js';
import { print } from '../output.js';
import { explain } from '../why/explain.js';
import type { Decision, Evidence } from '../why/evidence.js';
import type { Remote } from '../../process/remote.js';
import { hasCode } from '../../base/errors.js';

const ownersOf = async (cluster: Cluster, object: Resource): Promise<readonly Resource[]> => {
  const reference = controllerOf(object);
  const kind = kinds.find(
    (candidate) => candidate.kind === reference?.kind && apiVersionOf(candidate) === reference.apiVersion,
  );
  if (reference === undefined || kind === undefined) return [];
  const name = kind.namespaced
    ? { name: reference.name, namespace: object.metadata.namespace }
    : { name: reference.name };
  try {
    const owner = await cluster.get(kind, name);
    return [owner, ...(await ownersOf(cluster, owner))];
  } catch (error) {
    if (hasCode(error, 'NotFound')) return []; // deleted meanwhile: the chain ends here
    throw error;
  }
};

const podsOf = async (cluster: Cluster, object: Resource): Promise<readonly Pod[]> => {
  if (object.kind === 'Node')
    return (await cluster.list(pods, { fieldSelector: `spec.nodeName=${object.metadata.name}` })).items;
  const { selector } =
    ((object as Deployment).spec as { selector?: LabelSelector | Record<string, string> } | undefined) ?? {};
  if (selector === undefined || object.kind === 'PersistentVolumeClaim') return [];
  const labelSelector = formatLabelSelector(
    object.kind === 'Service' ? { matchLabels: selector as Record<string, string> } : selector,
  );
  return (await cluster.list(pods, { namespace: object.metadata.namespace, labelSelector })).items;
};

const slicesOf = async (cluster: Cluster, object: Resource): Promise<readonly EndpointSlice[]> => {
  if (object.kind !== 'Service') return [];
  const { name, namespace } = object.metadata;
  const labelSelector = `kubernetes.io/service-name=${name}`;
  return (await cluster.list(endpointslices, { namespace, labelSelector })).items;
};

const eventsOf = async (cluster: Cluster, object: Resource): Promise<readonly Event[]> => {
  const { items } = await cluster.list(eventKind, {
    namespace: object.metadata.namespace ?? 'default',
    fieldSelector: `involvedObject.uid=${object.metadata.uid}`,
  });
  const when = (event: Event): string => event.lastTimestamp ?? event.metadata.creationTimestamp;
  return [...items].sort((a, b) => when(a).localeCompare(when(b)));
};

const decisionsOf = async (remote: Remote, object: Resource): Promise<readonly Decision[]> => {
  const query = new URLSearchParams({
    kind: object.kind,
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
  });
  return (await remote.request('GET', `/capstan/v1/decisions?${query.toString()}`)) as readonly Decision[];
};

/** Undefined where nobody measures. */
const usedBy = async (remote: Remote, { kind, metadata }: Resource): Promise<Amounts | undefined> => {
  if (kind !== 'Node') return undefined;
  try {
    const found = await remote.request('GET', `/apis/metrics.k8s.io/v1beta1/nodes/${metadata.name}`);
    return amountsOf((found as { readonly usage?: Readonly<Record<string, string>> }).usage);
  } catch (error) {
    if (hasCode(error, 'NotFound', 'ServiceUnavailable')) return undefined;
    throw error;
  }
};

export const command: CliCommand = {
  name: 'why',
  usage: '<object...>',
  summary:
    'Say in a sentence why an object is as it is, then what has been decided about it and what happened.',
  example: 'capstan why pod/web-7c9d-x2k4p -n web\ncapstan why deployment web -n web\ncapstan why node/h1',
  options: (program) => {
    connectionOptions(program);
    program.option('-n, --namespace <NAMESPACE>', 'namespace of the object', 'default');
    formatOption(program);
  },
  run: async (invocation, context) => {
    const { kind, name } = parseObject(invocation.args, textOption(invocation, 'namespace') ?? 'default');
    const remote = await connect(invocation, context);
    try {
      const { cluster } = remote;
      const object = await cluster.get(kind, name);
      const [owners, events, decisions, selected, used, slices] = await Promise.all([
        ownersOf(cluster, object),
        eventsOf(cluster, object),
        decisionsOf(remote, object),
        podsOf(cluster, object),
        usedBy(remote, object),
        slicesOf(cluster, object),
      ]);
      const evidence: Evidence = { object, owners, events, decisions, pods: selected, used, slices };
      const lines = explain(evidence);
      print(context.output, outputFormat(invocation), { answer: lines[0], decisions, events }, () => lines);
      return 0;
    } finally {
      remote.close();
    }
  },
};
