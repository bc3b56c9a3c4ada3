// A machine joins by a token, or is refused with the reason; its certificates, and the master's, rotate in use.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseKubeconfig } from '../../src/client/kubeconfig.js';
import { parseCertificate } from '../../src/pki/certificate.js';
import type { CertificateSigningRequest, Node, Pod } from '../../src/resources/generated/types.js';
import { capstanProgram, eventually, kubectlProgram, type Result } from './command.js';
import { isNodeReady, LabCluster, type Items } from './lab.js';

let lab: LabCluster;
/** Certificates are renewed after 63 to 81 s. */
const lifetime = '90s';
let server = '';
let token = '';
let hash = '';

const capstan = (
  host: number,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Result> =>
  lab.on(host, capstanProgram, args, {
    environment: { CAPSTAN_DATA_DIR: lab.dataDir(host), ...environment },
    timeoutMs: 240_000,
  });
const kubectl = (...args: readonly string[]): Promise<Result> =>
  lab.on(1, kubectlProgram, ['--kubeconfig', `${lab.dataDir(1)}/admin.kubeconfig`, ...args], {
    timeoutMs: 240_000,
  });
const kubectlJson = async <T>(...args: readonly string[]): Promise<T> => {
  const { stdout, stderr } = await kubectl(...args, '-o', 'json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as T;
};
/** Of a daemon on the host. */
const flags = (host: number): readonly string[] => [
  ...['--docker-host', lab.engine(host), '--advertise-address', lab.address(host)],
];
const masterLog = (): Promise<string> => readFile(`${lab.dataDir(1)}/capstan.log`, 'utf8');

interface Attempt {
  readonly token?: string;
  readonly hash?: string;
  readonly nodeName?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const join = ({ nodeName = 'h2', environment, ...with_ }: Attempt = {}): Promise<Result> =>
  capstan(
    2,
    [
      ...['join', server, '--token', with_.token ?? token, '--ca-hash', with_.hash ?? hash],
      ...['--node-name', nodeName, ...flags(2)],
    ],
    environment,
  );

const createToken = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await capstan(1, ['token', 'create', '-o', 'json', ...args]);
  return (JSON.parse(stdout) as { token: string }).token;
};

beforeAll(async () => {
  lab = await LabCluster.make(2);
}, 240_000);
afterAll(async () => {
  await lab.destroy();
}, 60_000);

describe('a first machine', () => {
  it('becomes a master by capstan init, which prints how others join', async () => {
    const { code, stdout, stderr } = await capstan(1, [
      ...['init', '--certificate-lifetime', lifetime, '--node-name', 'h1'],
      ...flags(1),
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const command = /capstan join (\S+) --token (\S+) --ca-hash (\S+)/.exec(stdout);
    [, server = '', token = '', hash = ''] = command ?? [];
    expect(server).toBe('10.77.0.1:6443');
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('refuses to become one again, and says what stands in the way', async () => {
    const { code, stderr } = await capstan(1, ['init', ...flags(1)]);
    expect(code).toBe(3);
    expect(stderr).toContain('is used already');
    expect(stderr).toContain(
      'port 6443 is in use by another program: stop it, or choose another port with --api-port',
    );
  });

  it('shows strangers its cluster-info and its health, and nothing else', async () => {
    const status = async (path: string): Promise<string> =>
      (await lab.on(2, 'curl', ['-sk', '-o', '/dev/null', '-w', '%{http_code}', `https://${server}${path}`]))
        .stdout;
    expect(await status('/readyz')).toBe('200');
    expect(await status('/version')).toBe('200');
    expect(await status('/api/v1/namespaces/kube-public/configmaps/cluster-info')).toBe('200');
    expect(await status('/api/v1/namespaces/kube-public/configmaps/kube-root-ca.crt')).toBe('401');
    expect(await status('/api/v1/namespaces/kube-public/configmaps')).toBe('401');
    expect(await status('/api')).toBe('401');
    expect(await status('/metrics')).toBe('401');
  });
});

describe('a machine that may not join', () => {
  it('is told that its token is unknown', async () => {
    const { code, stderr } = await join({ token: 'zzzzzz.0123456789abcdef' });
    expect(code).not.toBe(0);
    expect(stderr).toContain('there is no bootstrap token zzzzzz');
    expect(await masterLog()).toContain('there is no bootstrap token zzzzzz');
  });

  it("is told that its token's secret is wrong", async () => {
    const { stderr } = await join({ token: `${token.split('.')[0] ?? ''}.0000000000000000` });
    expect(stderr).toContain(`the secret of bootstrap token ${token.split('.')[0] ?? ''} is wrong`);
    expect(await masterLog()).toContain('the secret of bootstrap token');
  });

  it('is told that its token has expired, and the token is gone', async () => {
    const short = await createToken('--ttl', '2s');
    const id = short.split('.')[0] ?? '';
    await eventually(
      async () => (await capstan(1, ['token', 'list'])).stdout,
      (tokens) => !tokens.includes(id),
      { what: 'the token to be removed' },
    );
    const { code, stderr } = await join({ token: short });
    expect(code).not.toBe(0);
    expect(stderr).toContain(`bootstrap token ${id} expired at`);
    expect(await masterLog()).toContain(`bootstrap token ${id} expired at`);
  });

  it('does not trust a master whose authority has another hash, and the master hears of it', async () => {
    const other = `sha256:${'0'.repeat(64)}`;
    const { code, stderr } = await join({ hash: other });
    expect(code).toBe(3);
    expect(stderr).toContain('is not the one that was expected');
    expect(stderr).toContain(hash);
    expect(await masterLog()).toContain(`it expects another authority (${other}`);
  });

  it('is told that its clock is off by a day, and the master hears of it', async () => {
    const shift = `${lab.folder}/tomorrow.mjs`;
    await writeFile(shift, 'const now = Date.now;\nDate.now = () => now() + 86_400_000;\n');
    const { code, stderr } = await join({ environment: { NODE_OPTIONS: `--import ${shift}` } });
    expect(code).toBe(3);
    expect(stderr).toMatch(/this machine's clock is 24h ahead of the clock of https:\/\/10\.77\.0\.1:6443/);
    expect(await masterLog()).toMatch(/its clock is 24h ahead/);
  });

  it('is told that its name is taken by a live node of another machine', async () => {
    await eventually(() => kubectlJson<Node>('get', 'node', 'h1'), isNodeReady, { what: 'h1 to be ready' });
    const { code, stderr } = await join({ nodeName: 'h1' });
    expect(code).toBe(3);
    expect(stderr).toContain('the name h1 is taken by a node that is alive, on another machine (10.77.0.1)');
    const { items } = await kubectlJson<Items<CertificateSigningRequest>>('get', 'csr');
    const denied = items.filter(({ status }) => status?.conditions?.some(({ type }) => type === 'Denied'));
    expect(denied.map(({ status }) => status?.conditions?.[0]?.reason)).toContain('NodeNameTaken');
  });
});

describe('a machine that may join', () => {
  it('gets its certificates, and its node becomes ready', async () => {
    const { code, stderr, stdout } = await join();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('The cluster has signed the certificate of node h2.');
    await eventually(
      async () => (await kubectlJson<Items<Node>>('get', 'nodes')).items,
      (nodes) => nodes.length === 2 && nodes.every(isNodeReady),
      { what: 'two ready nodes' },
    );
  });

  it('answers for its logs with a serving certificate that names what it is', async () => {
    await kubectl(
      ...['run', 'web', '--image=capstan-example/web:1', '--image-pull-policy=Never', '-n', 'default'],
      ...['--overrides', '{"spec":{"nodeName":"h2"}}'],
    );
    await eventually(
      () => kubectl('logs', 'web', '-n', 'default'),
      ({ code }) => code === 0,
      { timeoutMs: 60_000, what: 'logs of the pod on h2' },
    );
    const serving = parseCertificate(await readFile(`${lab.dataDir(2)}/pki/agent-server.crt`, 'utf8'));
    expect(serving).toMatchObject({
      commonName: 'system:node:h2',
      dnsNames: ['h2'],
      addresses: ['10.77.0.2'],
    });
  });

  it('gives a pod a token of its account, with which the pod is known to the API server', async () => {
    const mounts = [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }];
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'robot', namespace: 'default' },
      spec: {
        nodeName: 'h2',
        containers: [
          { name: 'c', image: 'capstan-example/web:1', imagePullPolicy: 'Never', volumeMounts: mounts },
        ],
        volumes: [
          {
            name: 'token',
            projected: {
              sources: [
                { serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
                { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
                {
                  downwardAPI: {
                    items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }],
                  },
                },
              ],
            },
          },
        ],
      },
    };
    await writeFile(`${lab.folder}/robot.json`, JSON.stringify(pod));
    await kubectl('apply', '-f', `${lab.folder}/robot.json`);
    const { metadata } = await eventually(
      () => kubectlJson<Pod>('get', 'pod', 'robot', '-n', 'default'),
      ({ status }) => status?.phase === 'Running',
      { timeoutMs: 60_000, what: 'the pod to run' },
    );
    const folder = `${lab.dataDir(2)}/node/pods/${metadata.uid}/volumes/files/token`;
    const mounted = await readFile(`${folder}/token`, 'utf8');
    expect(await readFile(`${folder}/namespace`, 'utf8')).toBe('default');
    expect(await readFile(`${folder}/ca.crt`, 'utf8')).toContain('BEGIN CERTIFICATE');
    const who = await lab.on(2, 'curl', [
      ...['-s', '--cacert', `${folder}/ca.crt`, '-H', `Authorization: Bearer ${mounted}`],
      ...[
        '-H',
        'Content-Type: application/json',
        '-d',
        '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}',
      ],
      `https://${server}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
    ]);
    expect(JSON.parse(who.stdout)).toMatchObject({
      status: {
        userInfo: {
          username: 'system:serviceaccount:default:default',
          extra: { 'authentication.kubernetes.io/pod-uid': [metadata.uid] },
        },
      },
    });
  });

  it('keeps its identity when its agent starts again', async () => {
    const before = await kubectlJson<Node>('get', 'node', 'h2');
    const { cert } = parseKubeconfig(await readFile(`${lab.dataDir(2)}/agent.kubeconfig`, 'utf8'), 'it');
    const pid = (await readFile(`${lab.dataDir(2)}/capstan.pid`, 'utf8')).trim();
    await lab.on(2, 'kill', ['-9', pid]);
    const again = await capstan(2, ['agent', '--detach', ...flags(2)]);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    const after = await kubectlJson<Node>('get', 'node', 'h2');
    expect(after.metadata.uid).toBe(before.metadata.uid);
    const { commonName } = parseCertificate(cert);
    expect(commonName).toBe('system:node:h2');
  });

  it('cannot join twice', async () => {
    const { code, stderr } = await join();
    expect(code).toBe(3);
    expect(stderr).toContain('by a node that has joined');
  });
});

const fingerprints = async (): Promise<Readonly<Record<string, string>>> => {
  const file = (host: number, name: string): Promise<string> =>
    readFile(`${lab.dataDir(host)}/${name}`, 'utf8');
  const kubeconfig = async (host: number, name: string): Promise<string> =>
    parseKubeconfig(await file(host, name), name).cert;
  const all = {
    apiServer: await file(1, 'pki/apiserver.crt'),
    apiServerToAgents: await file(1, 'pki/apiserver-kubelet-client.crt'),
    administrator: await kubeconfig(1, 'admin.kubeconfig'),
    agentClient: await kubeconfig(2, 'agent.kubeconfig'),
    agentServer: await file(2, 'pki/agent-server.crt'),
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, pem]) => [name, parseCertificate(pem).fingerprint]),
  );
};

describe('certificates in use', () => {
  it('are all renewed while requests, a watch and a log go on, and nothing is dropped', async () => {
    const before = await fingerprints();
    const authority = await readFile(`${lab.dataDir(1)}/pki/ca.crt`, 'utf8');
    await kubectl('create', 'configmap', 'last', '-n', 'default');
    const watch = lab.on(
      1,
      'timeout',
      [
        ...['130', kubectlProgram, '--kubeconfig', `${lab.dataDir(1)}/admin.kubeconfig`],
        ...[
          'get',
          'configmaps',
          '-n',
          'default',
          '-w',
          '-o',
          'name',
          '--field-selector',
          'metadata.name=last',
        ],
      ],
      { timeoutMs: 200_000 },
    );
    const logs = kubectl('logs', '-f', 'web', '-n', 'default');
    const failures: string[] = [];
    const end = Date.now() + 110_000;
    let requests = 0;
    let notReady = 0;
    while (Date.now() < end) {
      const { code, stderr } = await kubectl('get', 'nodes', '-o', 'name');
      requests += 1;
      if (code !== 0) failures.push(stderr);
      const { items } = await kubectlJson<Items<Node>>('get', 'nodes');
      if (!items.every(isNodeReady)) notReady += 1;
    }
    expect(failures).toEqual([]);
    expect(notReady).toBe(0);
    expect(requests).toBeGreaterThan(20);
    const after = await fingerprints();
    for (const [name, fingerprint] of Object.entries(before)) expect(after[name], name).not.toBe(fingerprint);
    expect(await readFile(`${lab.dataDir(1)}/pki/ca.crt`, 'utf8')).toBe(authority);

    // Both streams were opened before the certificates that they began with ran out, and still carry news.
    await kubectl('label', 'configmap', 'last', '-n', 'default', 'seen=yes');
    await kubectl('delete', 'pod', 'web', '-n', 'default', '--grace-period=1');
    expect((await logs).code).toBe(0);
    const { stdout } = await watch;
    expect(stdout.trim().split('\n')).toEqual(['configmap/last', 'configmap/last']);
  }, 240_000);
});
