// Pod sources over a view that is kept already: the agent inside a server, and fleets of hollow nodes, share one.
import type { Informers } from '../client/informers.js';
import type { Index } from '../client/view.js';
import type { PersistentVolume, Pod } from '../resources/generated/types.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { nodes } from '../resources/kinds/nodes.js';
import { persistentvolumeclaims } from '../resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../resources/kinds/persistentvolumes.js';
import { pods } from '../resources/kinds/pods.js';
import { secrets } from '../resources/kinds/secrets.js';
import type { Resource } from '../resources/resource.js';
import type { Kind } from '../resources/kind.js';
import { nodeOfVolume } from '../resources/storage/binding.js';
import type { PodSource, Reference, Referenced, SourceChange } from './pod-source.js';
import { referenceKey } from './pod-source.js';

/** Pods by the node that they are bound to. */
export const podsByNode: Index<Pod> = {
  name: 'pods by node',
  kind: pods,
  keys: ({ spec }) => (spec.nodeName === undefined || spec.nodeName === '' ? [] : [spec.nodeName]),
};

/** Volumes by the node that has their data. */
const volumesByNode: Index<PersistentVolume> = {
  name: 'volumes by node',
  kind: persistentvolumes,
  keys: ({ metadata }) => {
    const node = metadata.labels?.[nodeOfVolume];
    return node === undefined ? [] : [node];
  },
};

type Listener = (change: SourceChange) => void;

class Dispatcher {
  readonly #informers: Informers;
  readonly #byNode = new Map<string, Set<Listener>>();
  /** Reference -> names of the nodes whose pods want it. */
  readonly #wanted = new Map<string, Map<string, number>>();
  readonly #wants = new Map<string, readonly Reference[]>();
  #endings: readonly (() => void)[] | undefined;

  constructor(informers: Informers) {
    this.#informers = informers;
  }

  add(node: string, listener: Listener): () => void {
    const listeners = this.#byNode.get(node) ?? new Set();
    this.#byNode.set(node, listeners.add(listener));
    this.#endings ??= this.#subscribe();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#byNode.delete(node);
      if (this.#byNode.size > 0) return;
      for (const end of this.#endings ?? []) end();
      this.#endings = undefined;
    };
  }

  want(node: string, podUid: string, references: readonly Reference[]): void {
    const id = `${node} ${podUid}`;
    for (const reference of this.#wants.get(id) ?? []) this.#count(reference, node, -1);
    for (const reference of references) this.#count(reference, node, 1);
    if (references.length === 0) this.#wants.delete(id);
    else this.#wants.set(id, references);
  }

  #count(reference: Reference, node: string, by: 1 | -1): void {
    const key = referenceKey(reference);
    const counts = this.#wanted.get(key) ?? new Map<string, number>();
    const count = (counts.get(node) ?? 0) + by;
    if (count > 0) counts.set(node, count);
    else counts.delete(node);
    if (counts.size === 0) this.#wanted.delete(key);
    else this.#wanted.set(key, counts);
  }

  #tell(node: string | undefined, change: SourceChange): void {
    if (node === undefined) return;
    for (const listener of this.#byNode.get(node) ?? []) listener(change);
  }

  #subscribe(): readonly (() => void)[] {
    const referenced = (kind: Reference['kind']) => {
      return ({ object }: { readonly object: Resource }): void => {
        const { namespace = '', name } = object.metadata;
        const reference: Reference = { kind, namespace, name };
        for (const node of this.#wanted.get(referenceKey(reference))?.keys() ?? [])
          this.#tell(node, { type: 'reference', reference });
      };
    };
    return [
      this.#informers.subscribe(pods, ({ type, object, previous }) => {
        const before = previous?.spec.nodeName;
        if (before !== undefined && before !== object.spec.nodeName)
          this.#tell(before, { type: 'pod', pod: previous ?? object, gone: true });
        this.#tell(object.spec.nodeName, { type: 'pod', pod: object, gone: type === 'deleted' });
      }),
      this.#informers.subscribe(nodes, ({ object }) => this.#tell(object.metadata.name, { type: 'node' })),
      this.#informers.subscribe(configmaps, referenced('ConfigMap')),
      this.#informers.subscribe(secrets, referenced('Secret')),
      this.#informers.subscribe(persistentvolumeclaims, referenced('PersistentVolumeClaim')),
      this.#informers.subscribe(persistentvolumes, referenced('PersistentVolume')),
      this.#informers.subscribe(persistentvolumes, ({ type, object: volume }) => {
        if (type !== 'deleted')
          this.#tell(volume.metadata.labels?.[nodeOfVolume], { type: 'volume', volume });
      }),
    ];
  }
}

/**
 * One subscription for all nodes. The informers watch pods, nodes, config maps, secrets, claims and volumes, and are run
 * by whoever made them.
 */
export const viewPodSources = (informers: Informers): ((nodeName: string) => PodSource) => {
  const { view } = informers;
  const dispatcher = new Dispatcher(informers);
  const find = <T extends Resource>(
    kind: Kind<T>,
    namespace: string | undefined,
    name: string,
  ): Referenced<T> => {
    const object = view.get(kind, { namespace, name });
    return object === undefined ? { state: 'absent' } : { state: 'present', object };
  };
  return (nodeName) => ({
    ready: (signal) => informers.ready(signal),
    run: () => Promise.resolve(),
    pods: () => view.lookup(podsByNode, nodeName),
    pod: (name) => {
      const pod = view.get(pods, name);
      return pod?.spec.nodeName === nodeName ? pod : undefined;
    },
    node: () => view.get(nodes, { name: nodeName }),
    configMap: (namespace, name) => find(configmaps, namespace, name),
    secret: (namespace, name) => find(secrets, namespace, name),
    claim: (namespace, name) => find(persistentvolumeclaims, namespace, name),
    volume: (name) => find(persistentvolumes, undefined, name),
    localVolumes: () => view.lookup(volumesByNode, nodeName),
    want: (podUid, references) => dispatcher.want(nodeName, podUid, references),
    subscribe: (listener) => dispatcher.add(nodeName, listener),
  });
};
