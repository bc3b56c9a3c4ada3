// Three machines: what runs on them reaches services and pods of all, as the daemons set the network up.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod, Service } from '../../src/resources/generated/types.js';
import type { NetworkPath } from '../../src/resources/network-path.js';
import { askFromHost, askFromOutside, askFromPod } from './answers.js';
import { capstanProgram, eventually, type Result } from './command.js';
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
  lab = await LabCluster.make(3);
  await lab.start(3, '--load-balancer-pool', '10.77.0.200-10.77.0.205');
  await lab.apply(
    pod('echo-1', 1),
    pod('echo-2', 2, { app: 'echo', far: 'yes' }),
    pod('echo-3', 3, { app: 'echo', far: 'yes' }),
    service('echo', {}),
    service('echo-port', { type: 'NodePort' }),
    service('echo-balanced', { type: 'LoadBalancer' }),
    service('echo-local', {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      selector: { app: 'echo', far: 'yes' },
    }),
    service('echo-sticky', { sessionAffinity: 'ClientIP' }),
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

describe('pods of several machines', () => {
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
    for (const host of [1, 2, 3]) {
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

describe('a service with affinity', () => {
  it('leads one client to one pod', async () => {
    const address = await addressOf('echo-sticky');
    for (const host of [1, 2])
      expect(Object.values(await askFromHost(lab, host, { address, port: 80, times: 30 }))).toEqual([30]);
  });
});

describe('weights of a service', () => {
  it('split 10,000 new connections exactly (chi-square)', async () => {
    const shares = { 'far=yes': 70, '!far': 30 };
    await lab.kubectl(['annotate', 'service', 'echo', `capstan.dev/weights=${JSON.stringify(shares)}`]);
    const address = await addressOf('echo');
    await eventually(
      () => askFromHost(lab, 1, { address, port: 80, times: 300 }),
      (found) => (found['echo-1'] ?? 0) < 130 && (found['echo-1'] ?? 0) > 50,
      { what: 'the new shares' },
    );
    const counts = await askFromHost(lab, 1, { address, port: 80, times: 10_000 });
    const expected: Readonly<Record<string, number>> = { 'echo-1': 3_000, 'echo-2': 3_500, 'echo-3': 3_500 };
    const chiSquare = Object.entries(expected).reduce(
      (sum, [name, count]) => sum + ((counts[name] ?? 0) - count) ** 2 / count,
      0,
    );
    console.log(`10,000 connections: ${JSON.stringify(counts)}, chi-square ${chiSquare.toFixed(2)}`);
    expect(Object.keys(counts).sort()).toEqual(all);
    // Two degrees of freedom: a right split fails one time in 100,000.
    expect(chiSquare).toBeLessThan(23);
    await lab.kubectl(['annotate', 'service', 'echo', 'capstan.dev/weights-']);
  }, 240_000);
});

describe('a load balancer', () => {
  const announcedBy = async (name: string): Promise<string> =>
    (await serviceNamed(name)).metadata.annotations?.['capstan.dev/announced-by'] ?? '';

  it('has an address of the pool at which every machine of the network reaches it', async () => {
    const balanced = await serviceNamed('echo-balanced');
    const address = balanced.status?.loadBalancer?.ingress?.[0]?.ip ?? '';
    expect(address).toMatch(/^10\.77\.0\.20[0-5]$/);
    for (const host of [1, 2, 3])
      expect(Object.keys(await askFromHost(lab, host, { address, port: 80, times: 60 })).sort()).toEqual(all);
    expect(Object.keys(await askFromOutside(lab, { address, port: 80, times: 60 })).sort()).toEqual(all);
  });

  it('with local traffic tells at its health-check port which nodes have endpoints', async () => {
    const { spec } = await serviceNamed('echo-local');
    const port = spec.healthCheckNodePort ?? 0;
    const counts = await Promise.all(
      [1, 2, 3].map((host) => askFromHost(lab, 1, { address: lab.address(host), port })),
    );
    expect(
      counts.map(
        (answers) =>
          (JSON.parse(Object.keys(answers)[0] ?? '{}') as { localEndpoints: number }).localEndpoints,
      ),
    ).toEqual([0, 1, 1]);
  });

  it('moves to another node when its own dies', async () => {
    const address = (await serviceNamed('echo-local')).status?.loadBalancer?.ingress?.[0]?.ip ?? '';
    const before = await announcedBy('echo-local');
    const own = before === 'h2' ? 'echo-2' : 'echo-3';
    expect(await askFromOutside(lab, { address, port: 80, times: 5 })).toEqual({ [own]: 5 });
    await lab.lab('cut', before);
    const start = Date.now();
    const other = own === 'echo-2' ? 'echo-3' : 'echo-2';
    await eventually(
      () => askFromOutside(lab, { address, port: 80 }),
      (answers) => answers[other] === 1,
      { timeoutMs: 40_000, what: 'an answer of the other node' },
    );
    console.log(`the address moved in ${((Date.now() - start) / 1000).toFixed(1)} s`);
    expect(await announcedBy('echo-local')).not.toBe(before);
    await lab.lab('join', before);
    await lab.nodesReady(3);
    expect(Object.keys(await askFromOutside(lab, { address, port: 80, times: 20 }))).toEqual([other]);
  });
});

describe('looking inside', () => {
  const capstan = (...args: readonly string[]): Promise<Result> =>
    lab.on(1, capstanProgram, args, { environment: { CAPSTAN_DATA_DIR: lab.dataDir(1) } });

  it('finds every path working, and names those that are broken', async () => {
    const good = await capstan('network', 'check', '-o', 'json');
    const { paths } = JSON.parse(good.stdout) as { readonly paths: readonly NetworkPath[] };
    expect(paths.length).toBeGreaterThan(20);
    // The names of the cluster are another test's matter.
    const broken = paths.filter(({ to, problem }) => problem !== undefined && !to.endsWith('/kube-dns'));
    expect(broken).toEqual([]);
    await lab.must(3, 'nft', ['add', 'table', 'ip', 'broken']);
    await lab.must(3, 'nft', [
      'add',
      'chain',
      'ip',
      'broken',
      'in',
      '{ type filter hook input priority 0; }',
    ]);
    await lab.must(3, 'nft', ['add', 'rule', 'ip', 'broken', 'in', 'ip', 'saddr', '10.244.0.0/16', 'drop']);
    const bad = await capstan('network', 'check');
    await lab.must(3, 'nft', ['delete', 'table', 'ip', 'broken']);
    expect(bad.stdout).toMatch(/h1\s+node h3\s+pod-network\s+\S+\s+no answer within 3 s/);
    expect(bad.stdout).not.toMatch(/h1\s+node h2\s+pod-network/);
    expect(bad.code).toBe(1);
  });

  it('says which pods of a service get what share', async () => {
    const why = await capstan('why', 'service/echo-balanced');
    expect(why.stdout).toMatch(
      /^Service default\/echo-balanced answers at .* and sends to \d of \d endpoints: echo-1 at \S+ on node h1 gets \d+/,
    );
  });

  it('shows figures of the proxy and the overlay at the agent', async () => {
    const text = await lab.kubectl(['get', '--raw', '/api/v1/nodes/h1/proxy/metrics']);
    expect(text).toMatch(/^capstan_overlay_peers\{backend="vxlan"\} 2$/m);
    expect(Number(/^capstan_proxy_frontends (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(5);
    expect(text).toContain('capstan_proxy_sync_duration_seconds_count');
  });
});

describe('another backend', () => {
  const reached = async (): Promise<boolean> => {
    // A node that was cut off may have lost its pod to another one.
    const [one] = (await lab.get<Items<Pod>>('pods', '-l', 'far=yes')).items;
    const answers = await askFromPod(lab, 'echo-1', { address: one?.status?.podIP ?? '', port: 8080 });
    return answers[one?.metadata.name ?? ''] === 1;
  };
  it.each(['host-gw', 'vxlan'])('%s takes over without a restart of pods', async (backend) => {
    const containers = async (): Promise<unknown> =>
      (await lab.get<Items<Pod>>('pods', '-l', 'app=echo')).items.map(
        ({ status }) => status?.containerStatuses?.[0]?.containerID,
      );
    const before = await containers();
    const patch = JSON.stringify({ data: { backend } });
    await lab.kubectl(['patch', 'configmap', '-n', 'kube-system', 'capstan-network', '-p', patch]);
    await eventually(
      () => lab.must(1, 'ip', ['route']),
      (routes) => /10\.244\.\d\.0\/24 via 10\.77/.test(routes) === (backend === 'host-gw'),
      { what: 'routes of the other kind' },
    );
    await eventually(reached, (answer) => answer, { what: 'a pod of another machine' });
    expect(/capx-/.test(await lab.must(1, 'ip', ['link']))).toBe(backend === 'vxlan');
    expect(await containers()).toEqual(before);
  });
});

describe('the end', () => {
  it('`down` leaves no table, no device and no rule behind', async () => {
    await lab.must(1, 'nft', ['add', 'table', 'ip', 'of-somebody-else']);
    for (const host of [3, 2, 1]) {
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
