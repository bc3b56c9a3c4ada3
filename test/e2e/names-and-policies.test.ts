// Two machines: pods find services by name, also while the master is away, and network policies hold between them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/resources/generated/types.js';
import { eventually } from './command.js';
import { LabCluster, type Items } from './lab.js';

let lab: LabCluster;
const dns = '10.96.0.10';

const pod = (name: string, host: number, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: 'echo', name } },
  spec: {
    nodeName: `h${String(host)}`,
    terminationGracePeriodSeconds: 0,
    hostname: name,
    subdomain: 'direct',
    containers: [
      {
        name: 'web',
        image: 'capstan-example/web:1',
        command: ['/bin/sh', '-c', 'hostname >/www/index.html; exec httpd -f -p 8080 -h /www'],
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
      },
    ],
    ...more,
  },
});
const service = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: 'echo' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
});

/** What a host hears, sorted; each host asks the server of its own. */
const dig = async (host: number, name: string, type = 'A', ...more: readonly string[]): Promise<string[]> =>
  (await lab.must(host, 'dig', [`@${dns}`, '+short', '+tries=1', '+time=2', ...more, name, type]))
    .split('\n')
    .filter((line) => line !== '')
    .sort();
const inPod = (name: string, command: string): Promise<string> =>
  lab.kubectl(['exec', name, '--', 'sh', '-c', command]);
const podIP = async (name: string): Promise<string> => (await lab.get<Pod>('pod', name)).status?.podIP ?? '';

beforeAll(async () => {
  lab = await LabCluster.make(2);
  await lab.start(2);
  await lab.apply(
    pod('one', 1),
    pod('two', 2),
    pod('outsider', 2, {
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['192.0.2.1'], options: [{ name: 'ndots', value: '2' }] },
    }),
    service('echo', {}),
    service('direct', { clusterIP: 'None' }),
    service('elsewhere', {
      type: 'ExternalName',
      externalName: 'echo.default.svc.cluster.local',
      ports: undefined,
      selector: undefined,
    }),
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

describe('names', () => {
  it('are asked for where each pod is told to', async () => {
    expect(await inPod('one', 'cat /etc/resolv.conf')).toMatch(
      /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\nnameserver 10\.96\.0\.10\noptions ndots:5\n$/,
    );
    expect(await inPod('outsider', 'cat /etc/resolv.conf')).toBe('nameserver 192.0.2.1\noptions ndots:2\n');
  });

  it('lead pods to services, by their short names too', async () => {
    for (const from of ['one', 'two']) {
      const text = await inPod(
        from,
        'nslookup echo.default.svc.cluster.local; wget -q -O - http://echo/ || wget -q -O - http://echo.default/',
      );
      expect(text).toMatch(/Address.*: 10\.96\./);
      expect(text).toMatch(/one|two|outsider/);
    }
  });

  it('are answered on every host by the server of its own', async () => {
    const [one, two] = [await podIP('one'), await podIP('two')];
    for (const host of [1, 2]) {
      expect(await dig(host, 'one.direct.default.svc.cluster.local')).toEqual([one]);
      expect(await dig(host, 'direct.default.svc.cluster.local')).toContain(two);
      expect(await dig(host, '_http._tcp.direct.default.svc.cluster.local', 'SRV', '+tcp')).toContain(
        '0 33 8080 two.direct.default.svc.cluster.local.',
      );
      const [address = ''] = await dig(host, 'echo.default.svc.cluster.local');
      const reversed = `${address.split('.').reverse().join('.')}.in-addr.arpa`;
      expect(await dig(host, reversed, 'PTR')).toEqual(['echo.default.svc.cluster.local.']);
      expect((await dig(host, 'elsewhere.default.svc.cluster.local')).sort()).toEqual([
        address,
        'echo.default.svc.cluster.local.',
      ]);
    }
  });

  it("of the cluster's own map are answered as soon as it is there", async () => {
    await lab.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'capstan-dns', namespace: 'kube-system' },
      data: { hosts: '192.0.2.77 printer.corp\n' },
    });
    for (const host of [1, 2])
      await eventually(
        () => dig(host, 'printer.corp'),
        (found) => found.join() === '192.0.2.77',
        { timeoutMs: 5_000, everyMs: 100, what: 'the name of the map' },
      );
  });

  it('change within a second of the endpoint', async () => {
    await lab.kubectl(['delete', 'pod', 'outsider', '--wait=true']);
    const start = Date.now();
    await eventually(
      () => dig(2, 'direct.default.svc.cluster.local'),
      (found) => found.length === 2,
      { timeoutMs: 10_000, everyMs: 50, what: 'two addresses' },
    );
    expect(Date.now() - start).toBeLessThan(1_000);
  });
});

describe('a network policy', () => {
  const deny = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny', namespace: 'default' },
    spec: { podSelector: { matchLabels: { name: 'one' } } },
  };
  const isReached = async (): Promise<boolean> =>
    (await inPod('two', `echo | nc -w 2 ${await podIP('one')} 8080 && echo reached || true`)).includes(
      'reached',
    );

  it('closes a pod to those of another machine, and leaves its probes alone', async () => {
    expect(await isReached()).toBe(true);
    await lab.apply(deny);
    await eventually(isReached, (reached) => !reached, { what: 'the closed pod' });
    expect(
      (await lab.get<Pod>('pod', 'one')).status?.conditions?.find(({ type }) => type === 'Ready')?.status,
    ).toBe('True');
    // Names go on.
    expect(await inPod('one', 'nslookup echo.default.svc.cluster.local')).toMatch(/Address.*: 10\.96\./);
  });

  it('lets through whom it names, and everyone when it is gone', async () => {
    await lab.apply({
      ...deny,
      spec: { ...deny.spec, ingress: [{ from: [{ podSelector: { matchLabels: { name: 'two' } } }] }] },
    });
    await eventually(isReached, (reached) => reached, { what: 'the pod that is let through' });
    await lab.apply(deny);
    await eventually(isReached, (reached) => !reached, { what: 'the closed pod' });
    await lab.kubectl(['delete', 'networkpolicy', 'deny']);
    await eventually(isReached, (reached) => reached, { what: 'the open pod' });
  });
});

describe('an Ingress', () => {
  const ask = async (host: number): Promise<string> =>
    (
      await lab.on(2, 'curl', [...['-s', '-m', '3', '-H', 'Host: shop.test', `http://${lab.address(host)}/`]])
    ).stdout.trim();

  it('is served on every node, and says where', async () => {
    await lab.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop', namespace: 'default' },
      spec: {
        rules: [
          {
            host: 'shop.test',
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: 'echo', port: { name: 'http' } } },
                },
              ],
            },
          },
        ],
      },
    });
    for (const host of [1, 2])
      await eventually(
        () => ask(host),
        (answer) => answer === 'one' || answer === 'two',
        { what: `an answer of h${String(host)}` },
      );
    await eventually(
      () => lab.kubectl(['get', 'ingress', 'shop', '-o', 'jsonpath={.status.loadBalancer.ingress[*].ip}']),
      (text) => text === '10.77.0.1 10.77.0.2',
      { what: 'both addresses' },
    );
  });
});

describe('without a master', () => {
  it('the names of the cluster are answered on', async () => {
    await lab.capstan(1, ['down', '--data-dir', lab.dataDir(1), '--docker-host', lab.engine(1)]);
    expect(await dig(2, 'two.direct.default.svc.cluster.local')).toHaveLength(1);
  });
});
