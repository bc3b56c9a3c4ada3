import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec, ServiceAccount } from '../../../src/resources/generated/types.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { serviceaccounts } from '../../../src/resources/kinds/serviceaccounts.js';
import type { Draft } from '../../../src/resources/resource.js';
import { options, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const key = { name: 'p', namespace: 'default' };
const main: Container = { name: 'main', image: 'web:1' };

let test: TestRegistry;

beforeEach(async () => {
  test = await setup({ serviceAccountTokens: true });
});
afterEach(() => test.close());

const draft = (
  spec: Partial<PodSpec> = {},
  annotations: Pod['metadata']['annotations'] = {},
): Draft<Pod> => ({ metadata: { ...key, annotations }, spec: { containers: [main], ...spec } });
const make = async (...parts: Parameters<typeof draft>): Promise<Pod> =>
  (await test.registry.create(pods, draft(...parts), options)).object as Pod;
const makeAccount = async (name: string, more: Partial<ServiceAccount>): Promise<void> => {
  await test.registry.create(serviceaccounts, { metadata: { name, namespace: 'default' }, ...more }, options);
};
const apply = async (dryRun: boolean): Promise<Pod> =>
  (
    await test.registry.patch(
      pods,
      key,
      { type: 'apply', object: { apiVersion: 'v1', kind: 'Pod', ...draft() }, force: true },
      { ...options, fieldManager: 'capstan', dryRun },
    )
  ).stored.object as Pod;
const volumesOf = ({ spec }: Pod): readonly string[] => (spec.volumes ?? []).map(({ name }) => name);
const mountsOf = (container: Container | undefined): readonly string[] =>
  (container?.volumeMounts ?? []).map(({ name, mountPath: path }) => `${name} at ${path}`);

describe("the token of a pod's account", () => {
  it('comes with the certificate of the authority and the namespace, in a volume of its own', async () => {
    const { spec } = await make();
    expect(spec.volumes).toEqual([
      {
        name: expect.stringMatching(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/) as string,
        projected: {
          defaultMode: 0o644,
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [
                  { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
                ],
              },
            },
          ],
        },
      },
    ]);
  });

  it('is mounted read-only in every container and init container', async () => {
    const { spec } = await make({
      containers: [main, { name: 'side', image: 'side:1' }],
      initContainers: [{ name: 'first', image: 'first:1' }],
    });
    const mount = { name: spec.volumes?.[0]?.name, mountPath, readOnly: true };
    for (const { volumeMounts } of [...spec.containers, ...(spec.initContainers ?? [])])
      expect(volumeMounts).toEqual([mount]);
  });

  it('leaves a container alone that mounts something there itself', async () => {
    const own = { name: 'own', mountPath };
    const pod = await make({
      containers: [
        { ...main, volumeMounts: [own] },
        { name: 'side', image: 'side:1' },
      ],
      volumes: [{ name: 'own', emptyDir: {} }],
    });
    expect(pod.spec.containers[0]?.volumeMounts).toEqual([own]);
    expect(mountsOf(pod.spec.containers[1])).toEqual([`${volumesOf(pod)[1] ?? ''} at ${mountPath}`]);
  });

  it('adds no volume where nobody would mount it', async () => {
    const pod = await make({
      containers: [{ ...main, volumeMounts: [{ name: 'own', mountPath }] }],
      volumes: [{ name: 'own', emptyDir: {} }],
    });
    expect(volumesOf(pod)).toEqual(['own']);
  });

  it('uses the volume that a pod brings which is made anew from what was read', async () => {
    const { spec } = await make();
    await test.registry.delete(pods, key, {}, options);
    const again = await make({ containers: spec.containers, volumes: spec.volumes ?? [] });
    expect(again.spec.volumes).toEqual(spec.volumes);
    expect(again.spec.containers[0]?.volumeMounts).toEqual(spec.containers[0]?.volumeMounts);
  });

  it('is left out where the pod does not want it', async () => {
    expect(volumesOf(await make({ automountServiceAccountToken: false }))).toEqual([]);
  });

  it('is left out where the account does not want it, unless the pod does', async () => {
    await makeAccount('shy', { automountServiceAccountToken: false });
    const pod = await make({ serviceAccountName: 'shy' });
    expect(volumesOf(pod)).toEqual([]);
    expect(mountsOf(pod.spec.containers[0])).toEqual([]);
    await test.registry.delete(pods, key, {}, options);
    const bold = await make({ serviceAccountName: 'shy', automountServiceAccountToken: true });
    expect(volumesOf(bold)).toHaveLength(1);
  });

  it('is added for an account that is not there yet', async () => {
    expect(volumesOf(await make({ serviceAccountName: 'later' }))).toHaveLength(1);
  });

  it('is not for a pod that a node runs by itself, which has no account either', async () => {
    const pod = await make({}, { 'kubernetes.io/config.mirror': 'hash' });
    expect(volumesOf(pod)).toEqual([]);
    expect(pod.spec.serviceAccountName).toBeUndefined();
  });

  it('is not added again by an update', async () => {
    const pod = await make();
    const labelled = { ...pod, metadata: { ...pod.metadata, labels: { tier: 'front' } } };
    const { object } = await test.registry.update(pods, key, labelled, options);
    expect((object as Pod).spec).toEqual(pod.spec);
  });

  it('is no drift: applying the same pod again would change nothing, and its volume is nobody’s field', async () => {
    const first = await apply(false);
    expect(volumesOf(first)).toHaveLength(1);
    const dry = await apply(true);
    expect(dry.spec).toEqual(first.spec);
    const owned = dry.metadata.managedFields?.filter(({ manager }) => manager === 'capstan') ?? [];
    expect(owned).not.toEqual([]);
    expect(JSON.stringify(owned)).not.toContain('kube-api-access');
    expect(volumesOf(await apply(false))).toEqual(volumesOf(first));
  });

  it('is given to nobody in a cluster without an issuer', async () => {
    await test.close();
    test = await setup();
    expect(volumesOf(await make())).toEqual([]);
  });
});

describe("an account's image pull secrets", () => {
  beforeEach(() => makeAccount('puller', { imagePullSecrets: [{ name: 'registry' }] }));

  it('are those of a pod that names none', async () => {
    const { spec } = await make({ serviceAccountName: 'puller' });
    expect(spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
  });

  it('stay away from a pod that names its own', async () => {
    const imagePullSecrets = [{ name: 'mine' }];
    const { spec } = await make({ serviceAccountName: 'puller', imagePullSecrets });
    expect(spec.imagePullSecrets).toEqual(imagePullSecrets);
  });
});
