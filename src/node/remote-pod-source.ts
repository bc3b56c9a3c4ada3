// The pod source of an agent on a machine of its own: it watches its pods and its Node, and of config maps and secrets
// only those that its pods refer to, each by name.
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import { Informer } from '../client/informer.js';
import { createInformers } from '../client/informers.js';
import { KindTable } from '../client/live-view.js';
import type { Kind } from '../resources/kind.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { nodes } from '../resources/kinds/nodes.js';
import { persistentvolumeclaims } from '../resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../resources/kinds/persistentvolumes.js';
import { pods } from '../resources/kinds/pods.js';
import { secrets } from '../resources/kinds/secrets.js';
import type { Resource } from '../resources/resource.js';
import { nodeOfVolume } from '../resources/storage/binding.js';
import type { PodSource, Reference, Referenced, SourceChange } from './pod-source.js';
import { referenceKey } from './pod-source.js';

export interface RemotePodSourceOptions {
  readonly cluster: Cluster;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

const kindsOf: Readonly<Record<Reference['kind'], Kind>> = {
  ConfigMap: configmaps,
  Secret: secrets,
  PersistentVolumeClaim: persistentvolumeclaims,
  PersistentVolume: persistentvolumes,
};

interface Watched {
  readonly table: KindTable;
  readonly abort: AbortController;
  readonly wantedBy: Set<string>;
  listed: boolean;
}

class ReferenceWatches {
  readonly #options: RemotePodSourceOptions;
  readonly #tell: (change: SourceChange) => void;
  readonly #watched = new Map<string, Watched>();
  readonly #wants = new Map<string, readonly Reference[]>();

  constructor(options: RemotePodSourceOptions, tell: (change: SourceChange) => void) {
    this.#options = options;
    this.#tell = tell;
  }

  want(podUid: string, references: readonly Reference[]): void {
    const before = this.#wants.get(podUid) ?? [];
    for (const reference of references) this.#open(reference, podUid);
    const wanted = new Set(references.map(referenceKey));
    for (const reference of before)
      if (!wanted.has(referenceKey(reference))) this.#release(reference, podUid);
    if (references.length === 0) this.#wants.delete(podUid);
    else this.#wants.set(podUid, references);
  }

  /** `T` is what objects of the reference's kind are. */
  find<T extends Resource>(reference: Reference): Referenced<T> {
    const watched = this.#watched.get(referenceKey(reference));
    if (watched?.listed !== true) return { state: 'unknown' };
    const object = watched.table.get(reference);
    return object === undefined ? { state: 'absent' } : { state: 'present', object: object as T };
  }

  close(): void {
    for (const { abort } of this.#watched.values()) abort.abort();
    this.#watched.clear();
  }

  #open(reference: Reference, podUid: string): void {
    const key = referenceKey(reference);
    const known = this.#watched.get(key);
    if (known !== undefined) {
      known.wantedBy.add(podUid);
      return;
    }
    const kind = kindsOf[reference.kind];
    const { cluster, clock, log, random } = this.#options;
    const watched: Watched = {
      table: new KindTable(kind),
      abort: new AbortController(),
      wantedBy: new Set([podUid]),
      listed: false,
    };
    this.#watched.set(key, watched);
    const changed = (): void => this.#tell({ type: 'reference', reference });
    const informer = new Informer({
      cluster,
      table: watched.table,
      selection: {
        ...(reference.namespace === '' ? {} : { namespace: reference.namespace }),
        fieldSelector: `metadata.name=${reference.name}`,
      },
      clock,
      log,
      random,
      publish: changed,
      listed: () => {
        watched.listed = true;
        changed();
      },
    });
    informer.run(watched.abort.signal).catch((error: unknown) => {
      log.error({ ...reference, error: messageOf(error) }, 'the watch of a referenced object failed');
    });
  }

  #release(reference: Reference, podUid: string): void {
    const key = referenceKey(reference);
    const watched = this.#watched.get(key);
    watched?.wantedBy.delete(podUid);
    if (watched === undefined || watched.wantedBy.size > 0) return;
    watched.abort.abort();
    this.#watched.delete(key);
  }
}

export const remotePodSource = (options: RemotePodSourceOptions): PodSource => {
  const { cluster, nodeName, clock, log, random } = options;
  const informers = createInformers({
    cluster,
    kinds: [
      { of: pods, fieldSelector: `spec.nodeName=${nodeName}` },
      { of: nodes, fieldSelector: `metadata.name=${nodeName}` },
      { of: persistentvolumes, labelSelector: `${nodeOfVolume}=${nodeName}` },
    ],
    clock,
    log,
    random,
  });
  const listeners = new Set<(change: SourceChange) => void>();
  const tell = (change: SourceChange): void => {
    for (const listener of listeners) listener(change);
  };
  const references = new ReferenceWatches(options, tell);
  const { view } = informers;
  return {
    ready: (signal) => informers.ready(signal),
    run: async (signal) => {
      const endings = [
        informers.subscribe(pods, ({ type, object }) =>
          tell({ type: 'pod', pod: object, gone: type === 'deleted' }),
        ),
        informers.subscribe(nodes, () => tell({ type: 'node' })),
        informers.subscribe(persistentvolumes, ({ type, object: volume }) => {
          if (type !== 'deleted') tell({ type: 'volume', volume });
        }),
      ];
      try {
        await informers.run(signal);
      } finally {
        for (const end of endings) end();
        references.close();
      }
    },
    pods: () => view.list(pods),
    pod: (name) => view.get(pods, name),
    node: () => view.get(nodes, { name: nodeName }),
    configMap: (namespace, name) => references.find({ kind: 'ConfigMap', namespace, name }),
    secret: (namespace, name) => references.find({ kind: 'Secret', namespace, name }),
    claim: (namespace, name) => references.find({ kind: 'PersistentVolumeClaim', namespace, name }),
    volume: (name) => references.find({ kind: 'PersistentVolume', namespace: '', name }),
    localVolumes: () => view.list(persistentvolumes),
    want: (podUid, wanted) => references.want(podUid, wanted),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
