// Every kind that is built in, as a rendered chart brings them: applied, compared, shown, explained, changed and deleted
// by every kubectl that is at hand.
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kinds } from '../../src/resources/kinds.js';
import { startApiServer } from './api-server.js';
import type { TestApiServer } from './api-server.js';
import { checkout, kubectlVersions, run } from './command.js';
import type { Result } from './command.js';

const chart = join(checkout, 'test/e2e/every-kind.yaml');
const documents = readFileSync(chart, 'utf8')
  .split(/^---$/m)
  .filter((text) => text.includes('kind:'));

let server: TestApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server.close();
});

/** Made by the cluster or by other means than manifests. */
const notInCharts: ReadonlySet<string> = new Set([
  ...['Namespace', 'Node', 'Event', 'Endpoints', 'ControllerRevision', 'CSINode', 'CSIStorageCapacity'],
  ...['VolumeAttachment', 'CertificateSigningRequest', 'CustomResourceDefinition'],
]);

it('the chart has every kind of Kubernetes', () => {
  const present = new Set(documents.map((text) => /^kind: (\w+)/m.exec(text)?.[1]));
  const missing = kinds
    .filter(({ group }) => !group.endsWith('capstan.dev') && group !== 'argoproj.io')
    .filter(({ group }) => !group.startsWith('admissionregistration') && !group.startsWith('authentication'))
    .map(({ kind }) => kind)
    .filter((kind) => !present.has(kind) && !notInCharts.has(kind));
  expect(missing).toEqual([]);
});

describe.each(kubectlVersions())('kubectl $version', ({ version, program }) => {
  const namespace = 'default';
  const kubectl = (args: string, input?: string): Promise<Result> =>
    run(program, ['--kubeconfig', server.kubeconfig, '--namespace', namespace, ...args.split(' ')], {
      ...(input === undefined ? {} : { input }),
      environment: { HOME: join(server.directory, version) },
    });
  const ok = async (args: string, input?: string): Promise<string> => {
    const result = await kubectl(args, input);
    expect(result.code, `kubectl ${args}\n${result.stdout}${result.stderr}`).toBe(0);
    return result.stdout;
  };

  it('applies all of them, and finds nothing to change then', async () => {
    const first = await ok(`apply -f ${chart}`);
    expect(first.match(/ created$/gm)).toHaveLength(documents.length);
    const second = await ok(`apply -f ${chart}`);
    const configured = [...second.matchAll(/^(\w+)\S* configured$/gm)].map(([, kind]) => kind);
    // kubectl compares lists without keys, and what is written under another name, as wholes: so it says on Kubernetes too.
    expect(configured.sort()).toEqual([
      'endpointslice',
      'networkpolicy',
      'poddisruptionbudget',
      'secret',
      'statefulset',
    ]);
    expect(second.match(/ unchanged$/gm), second).toHaveLength(documents.length - configured.length);
    const difference = await kubectl(`diff -f ${chart}`);
    expect(difference.code, difference.stdout).toBe(0);
  });

  it('applies all of them server-side without a difference', async () => {
    const applied = await ok(`apply --server-side --force-conflicts -f ${chart}`);
    expect(applied.match(/ serverside-applied$/gm)).toHaveLength(documents.length);
  });

  it('shows them, narrow and wide, and describes them', async () => {
    expect(await ok('get sts')).toMatch(/^NAME +READY +AGE\nrelease-shop-db +0\/2 +\d+/);
    expect(await ok('get pvc')).toMatch(/^NAME +STATUS +VOLUME +CAPACITY +ACCESS MODES +STORAGECLASS/);
    expect(await ok('get pv')).toMatch(/release-shop-every-kind +1Gi +RWO +Retain +Pending/);
    expect(await ok('get sc')).toMatch(
      /release-shop-every-kind +example.com\/disk +Delete +WaitForFirstConsumer +true/,
    );
    expect(await ok('get hpa release-shop')).toMatch(
      /Deployment\/release-shop +cpu: <unknown>\/70% +2 +5 +0/,
    );
    expect(await ok('get ing')).toMatch(/release-shop-every-kind +shop.example.com +80, 443/);
    expect(await ok('get netpol')).toContain('app.kubernetes.io/name=shop');
    expect(await ok('get rc')).toMatch(/release-shop-rc +1 +0 +0/);
    expect(await ok('get csidrivers')).toMatch(/disk.example.com +false +true/);
    for (const kind of ['sts', 'pvc', 'pv', 'sc', 'hpa', 'ing', 'netpol', 'rc', 'pdb', 'ingressclass', 'cj'])
      expect(await ok(`describe ${kind}`), kind).toContain('Name:');
    await ok('get all -o wide');
    expect(
      await ok(
        'get horizontalpodautoscalers.v1.autoscaling release-shop -o jsonpath={.spec.targetCPUUtilizationPercentage}',
      ),
    ).toBe('70');
    expect(
      await ok(
        'get horizontalpodautoscalers.v2.autoscaling release-shop-old -o jsonpath={.spec.metrics[0].resource.name}',
      ),
    ).toBe('cpu');
  });

  it('explains them', async () => {
    expect(await ok('explain statefulset.spec.volumeClaimTemplates')).toContain('PersistentVolumeClaim');
    expect(await ok('explain hpa.spec.metrics')).toContain('metrics');
    expect(await ok('explain ingress.spec.rules.http.paths.pathType')).toContain('pathType');
    expect(await ok('explain hpa --api-version=autoscaling/v1')).toMatch(/VERSION: +(autoscaling\/)?v1\n/);
  });

  it('scales and autoscales what has a scale', async () => {
    expect(await ok('scale sts/release-shop-db --replicas=3')).toContain('scaled');
    expect(await ok('scale rc/release-shop-rc --replicas=2')).toContain('scaled');
    expect(await ok('get sts release-shop-db -o jsonpath={.spec.replicas}')).toBe('3');
    expect(await ok('autoscale sts release-shop-db --min=2 --max=4 --cpu-percent=80')).toContain(
      'autoscaled',
    );
    expect(await ok('get hpa release-shop-db -o jsonpath={.spec.maxReplicas}')).toBe('4');
    await ok('delete hpa release-shop-db');
  });

  it('refuses what may not change', async () => {
    const patch = '{"spec":{"serviceName":"other"}}';
    const refused = await kubectl(`patch sts release-shop-db -p ${patch}`);
    expect(refused.stderr).toContain("updates to statefulset spec for fields other than 'replicas'");
    const claim = await kubectl('patch pvc release-shop -p {"spec":{"accessModes":["ReadWriteMany"]}}');
    expect(claim.stderr).toContain('spec is immutable after creation');
  });

  it('reads events under both names', async () => {
    const event = (name: string): string => `
apiVersion: events.k8s.io/v1
kind: Event
metadata: {name: ${name}}
eventTime: "2026-01-01T00:00:00.000000Z"
regarding: {apiVersion: v1, kind: Pod, name: release-shop-test, namespace: default}
reportingController: example.com/test
reportingInstance: test-1
action: Testing
reason: Tested
note: it was tested
type: Normal
`;
    await ok('create -f -', event(`tested-${version.replace(/\D/g, '-')}x`));
    expect(await ok('get events')).toContain('it was tested');
    expect(await ok('get events.events.k8s.io')).toContain('it was tested');
    expect(await ok('events --for pod/release-shop-test')).toContain('it was tested');
    await ok('delete events --all');
  });

  it('deletes all of them', async () => {
    const deleted = await ok(`delete -f ${chart} --wait=false`);
    expect(deleted.match(/ deleted( from \w+ namespace)?$/gm)).toHaveLength(documents.length);
    await ok('delete pods,pvc,jobs --all --force --grace-period=0 --wait=false');
  });
});
