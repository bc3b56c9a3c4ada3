// Two machines: what runs on them reaches services and pods of both, as the daemons set the network up.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod, Service } from '../../src/resources/generated/types.js';
import { askFromHost, askFromPod } from './answers.js';
import { eventually } from './command.js';
import { LabCluster, type Items } from './lab.js';

let lab: LabCluster;

const pod = (name: string, host: number, labels: object = { app: 'echo' }): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels },
  spec: {
    nodeName: `h${String(host)}`,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'web',
        image: 'capstan-example/web:1',
        command: ['/bin/sh', '-c', 'hostname >/www/index.html; exec httpd -f -p 8080 -h /www'],
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
      },
    ],
  },
});
const service = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
});
const serviceNamed = (name: string): Promise<Service> => lab.get<Service>('service', name);
const addressOf = async (name: string): Promise<string> => (await serviceNamed(name)).spec.clusterIP ?? '';
const all = ['echo-1', 'echo-2', 'echo-3'];

beforeAll(async () => {
  lab = await LabCluster.make(2);
  await lab.start(2);
  await lab.apply(
    pod('echo-1', 1),
    pod('echo-2', 2),
    pod('echo-3', 2),
    service('echo', {}),
    service('echo-port', { type: 'NodePort' }),
    service('nobody', { selector: { app: 'nobody' } }),
  );
  await eventually(
    async () => (await lab.get<Items<Pod>>('pods', '-l', 'app=echo')).items,
    (pods) =>
      pods.filter(({ status }) =>
        status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True'),
      ).length === 3,
    { timeoutMs: 60_000, what: 'three ready pods' },
  );
}, 300_000);
afterAll(async () => {
  await lab.destroy();
}, 60_000);

describe('pods of two machines', () => {
  it('reach each other at their own addresses', async () => {
    const far = await lab.get<Pod>('pod', 'echo-2');
    expect(await askFromPod(lab, 'echo-1', { address: far.status?.podIP ?? '', port: 8080 })).toEqual({
      'echo-2': 1,
    });
  });
});

describe('a service', () => {
  it('is reached at its cluster address from pods and hosts of both machines', async () => {
    const address = await addressOf('echo');
    for (const host of [1, 2]) {
      const answers = await eventually(
        () => askFromHost(lab, host, { address, port: 80, times: 60 }),
        (found) => Object.keys(found).length === 3,
        { what: 'an answer of every pod' },
      );
      expect(Object.keys(answers).sort()).toEqual(all);
    }
    for (const from of ['echo-1', 'echo-2'])
      expect(Object.keys(await askFromPod(lab, from, { address, port: 80, times: 60 })).sort()).toEqual(all);
  });

  it('is reached at its node port on every machine, from every machine', async () => {
    const port = (await serviceNamed('echo-port')).spec.ports?.[0]?.nodePort ?? 0;
    for (const from of [1, 2])
      for (const to of [1, 2]) {
        const answers = await askFromHost(lab, from, { address: lab.address(to), port, times: 60 });
        expect(Object.keys(answers).sort()).toEqual(all);
      }
  });

  it('refuses at once while nobody stands behind it', async () => {
    const address = await addressOf('nobody');
    for (const host of [1, 2])
      expect(await askFromHost(lab, host, { address, port: 80 })).toEqual({ ECONNREFUSED: 1 });
  });

  it('leads pods to the API server', async () => {
    const text = await lab.kubectl([
      ...['exec', 'echo-2', '--', 'sh', '-c'],
      'echo | nc -w 3 10.96.0.1 443 && echo connected',
    ]);
    expect(text).toContain('connected');
  });
});

describe('the end', () => {
  it('`down` leaves no table, no device and no rule behind', async () => {
    await lab.must(1, 'nft', ['add', 'table', 'ip', 'of-somebody-else']);
    for (const host of [2, 1]) {
      await lab.capstan(host, [
        ...['down', '--data-dir', lab.dataDir(host), '--docker-host', lab.engine(host)],
      ]);
      expect(await lab.must(host, 'nft', ['list', 'tables'])).not.toContain('capstan');
      expect(await lab.must(host, 'ip', ['link'])).not.toMatch(/cap[x-]/);
      expect(await lab.must(host, 'ip', ['route'])).not.toContain('10.244');
    }
    expect(await lab.must(1, 'nft', ['list', 'tables'])).toContain('of-somebody-else');
  });
});
