import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { silent } from '../../../src/base/log.js';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { VolumeJanitor } from '../../../src/node/volume-janitor.js';
import { planClaim } from '../../../src/node/claim-plan.js';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../src/resources/generated/types.js';
import { persistentvolumes } from '../../../src/resources/kinds/persistentvolumes.js';
import { setup } from '../apiserver/verbs-setup.js';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const start = async (removeVolume: (name: string) => Promise<void>) => {
  const { registry, close } = await setup();
  const cluster = createLocalCluster(registry, { user: 'system:node:n1', groups: ['system:nodes'] });
  const admin = createLocalCluster(registry, { user: 'admin', groups: ['system:masters'] });
  const clock = new ManualClock();
  const janitor = new VolumeJanitor({ nodeName: 'n1', cluster, files: { removeVolume }, clock, log: silent });
  const end = new AbortController();
  const running = janitor.run(end.signal);
  const make = (finalizers: readonly string[], node = 'n1') =>
    admin.create(persistentvolumes, {
      metadata: {
        name: 'v',
        finalizers,
        labels: { 'capstan.dev/node': node },
        annotations: { 'pv.kubernetes.io/provisioned-by': 'capstan.dev/local' },
      },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/somewhere/v' },
      },
    });
  const get = () => admin.get(persistentvolumes, { name: 'v' });
  return {
    make,
    get,
    clock,
    janitor,
    remove: () => admin.delete(persistentvolumes, { name: 'v' }, {}),
    stop: async () => {
      end.abort();
      await running;
      await close();
    },
  };
};

describe('what is left of deleted volumes', () => {
  it('is removed once only the data keeps the object, and then the object goes', async () => {
    const removed: string[] = [];
    const { make, get, remove, janitor, stop } = await start((name) => {
      removed.push(name);
      return Promise.resolve();
    });
    janitor.look(await make(['capstan.dev/node-data']));
    await settle();
    expect(removed).toEqual([]);
    await remove();
    janitor.look(await get());
    await settle();
    expect(removed).toEqual(['v']);
    await expect(get()).rejects.toThrow('not found');
    await stop();
  });

  it('stays while anyone else has a reason, and on other nodes', async () => {
    const removed: string[] = [];
    const remember = (name: string) => {
      removed.push(name);
      return Promise.resolve();
    };
    const { make, get, remove, janitor, stop } = await start(remember);
    await make(['capstan.dev/node-data', 'kubernetes.io/pv-protection']);
    await remove();
    janitor.look(await get());
    await settle();
    expect(removed).toEqual([]);
    await stop();
    const other = await start(remember);
    await other.make(['capstan.dev/node-data'], 'n2');
    await other.remove();
    other.janitor.look(await other.get());
    await settle();
    expect(removed).toEqual([]);
    await other.stop();
  });

  it('is tried again when the disk refuses', async () => {
    let failures = 1;
    const { make, get, remove, janitor, clock, stop } = await start(() => {
      failures -= 1;
      return failures < 0 ? Promise.resolve() : Promise.reject(new Error('busy'));
    });
    await make(['capstan.dev/node-data']);
    await remove();
    janitor.look(await get());
    await settle();
    expect((await get()).metadata.finalizers).toEqual(['capstan.dev/node-data']);
    await clock.advance(10_000, settle);
    await expect(get()).rejects.toThrow('not found');
    await stop();
  });
});

describe('the volume behind a claim', () => {
  const metadata = { name: 'data', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
  const claim = (status: object): PersistentVolumeClaim =>
    ({ metadata, spec: { volumeName: 'v' }, status }) as unknown as PersistentVolumeClaim;
  const volume = (spec: object, uid = 'u'): PersistentVolume =>
    ({
      metadata: { ...metadata, name: 'v' },
      spec: { claimRef: { name: 'data', namespace: 'shop', uid }, ...spec },
    }) as unknown as PersistentVolume;
  const present = <T>(object: T) => ({ state: 'present', object }) as const;
  const bound = present(claim({ phase: 'Bound' }));

  it('is mounted when both are bound to each other', () => {
    expect(planClaim('data', bound, () => present(volume({ local: { path: '/d' } })))).toMatchObject({
      type: 'folder',
      path: '/d',
      owned: true,
    });
    expect(
      planClaim('data', bound, () =>
        present(volume({ nfs: { server: 's', path: '/e' }, mountOptions: ['soft'] })),
      ),
    ).toMatchObject({ type: 'nfs', server: 's', options: ['soft'] });
  });

  it('is never that of an older claim of the same name', () => {
    expect(planClaim('data', bound, () => present(volume({ local: { path: '/d' } }, 'older')))).toMatchObject(
      {
        type: 'missing',
        message: 'persistentvolume "v" belongs to another claim',
      },
    );
  });

  it('is waited for until the claim is bound, and named when it is of no type that is here', () => {
    expect(
      planClaim('data', present(claim({ phase: 'Pending' })), () => ({ state: 'absent' })),
    ).toMatchObject({
      message: 'persistentvolumeclaim "data" is not bound',
    });
    expect(planClaim('data', bound, () => present(volume({ cinder: { volumeID: 'x' } })))).toMatchObject({
      message: 'volumes of type cinder are not provided by this cluster',
    });
  });
});
