// Values of Secrets go in by every way there is, right and wrong, and come out by none but reading the Secret itself: not in
// what commands and pushes print, not in logs, events, errors, plans, the audit log, nor on the status branch.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  capstanProgram,
  eventually,
  kubectlProgram,
  must,
  run,
  type Result,
  type RunOptions,
} from './command.js';
import { freePort } from './free-port.js';

/** Every value begins with it; so does its base64 with the other. */
const mark = 'zq7-mark';
const encodedMark = 'enE3LW1hcm';
const encoded = (text: string): string => Buffer.from(`${mark}-${text}`).toString('base64');

let folder: string;
let dataDir: string;
let clone: string;
/** What was printed, by the command that printed it. */
const printed = new Map<string, string>();

const note = async (what: string, result: Promise<Result>): Promise<Result> => {
  const { code, stdout, stderr } = await result;
  printed.set(`${String(printed.size)}: ${what}`, `${stdout}\n${stderr}`);
  return { code, stdout, stderr };
};
const capstan = (...args: readonly string[]): Promise<Result> =>
  note(`capstan ${args.join(' ')}`, run(capstanProgram, [...args, '--data-dir', dataDir]));
const kubectl = (args: readonly string[], options: RunOptions = {}): Promise<Result> =>
  note(
    `kubectl ${args.join(' ').replaceAll(mark, 'MARK').replaceAll(encodedMark, 'MARK')}`,
    run(kubectlProgram, ['--kubeconfig', join(dataDir, 'admin.kubeconfig'), '-n', 'shop', ...args], options),
  );
const git = (...args: readonly string[]): Promise<string> => must('git', ['-C', clone, ...args]);

const commit = async (secret: string, message: string): Promise<void> => {
  await writeFile(join(clone, 'shop', 'secret.yaml'), secret);
  await git('add', '-A');
  await git('commit', '-qm', message);
};
const push = (message: string): Promise<Result> =>
  note(`push: ${message}`, run('git', ['-C', clone, 'push', '-q', 'origin', 'HEAD:main']));

const secretYaml = (body: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata:\n  name: creds\n  namespace: shop\n${body}\n`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-secrets-'));
  [dataDir, clone] = [join(folder, 'data'), join(folder, 'clone')];
  const policy = join(folder, 'policy.yaml');
  // The audit log records as much as it ever does.
  await writeFile(policy, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n  - level: RequestResponse\n');
  const flags = ['--api-port', String(await freePort()), '--agent-port', String(await freePort())];
  const nodes = ['--runtime', 'hollow', '--hollow-nodes', '1', '--advertise-address', '127.0.0.1'];
  await must(
    capstanProgram,
    [
      'up',
      '--detach',
      '--data-dir',
      dataDir,
      ...flags,
      ...nodes,
      '--audit-policy-file',
      policy,
      '--log-level',
      'debug',
    ],
    { timeoutMs: 100_000 },
  );
  await must('git', ['clone', '-q', join(dataDir, 'repo.git'), clone]);
  await git('config', 'user.name', 'Ada');
  await git('config', 'user.email', 'ada@example.com');
  await git('rm', '-rq', '.');
  await mkdir(join(clone, 'shop'), { recursive: true });
  await writeFile(
    join(clone, 'shop', 'a-namespace.yaml'),
    'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n',
  );
  await writeFile(
    join(clone, 'capstan.yaml'),
    'apiVersion: capstan.dev/v1\nkind: ClusterConfig\nspec:\n  applications:\n    - {name: shop, path: shop}\n',
  );
});

afterAll(async () => {
  await run(capstanProgram, ['down', '--data-dir', dataDir]);
  await rm(folder, { recursive: true, force: true });
});

const data = async (): Promise<string> =>
  (
    await run(kubectlProgram, [
      '--kubeconfig',
      join(dataDir, 'admin.kubeconfig'),
      '-n',
      'shop',
      'get',
      'secret',
      'creds',
      '-o',
      'jsonpath={.data.a}',
    ])
  ).stdout;

it('Git: new, changed, planned, wrong in every way, and drifting', async () => {
  await commit(secretYaml(`data:\n  a: ${encoded('one')}\nstringData:\n  b: ${mark}-two`), 'Begin');
  expect((await push('valid')).code).toBe(0);
  await eventually(data, (found) => found === encoded('one'), { what: 'the Secret from Git' });
  await commit(secretYaml(`data:\n  a: ${encoded('changed')}\nstringData:\n  b: ${mark}-other`), 'Change');
  await capstan('plan', clone);
  expect((await push('changed')).code).toBe(0);
  await eventually(data, (found) => found === encoded('changed'), { what: 'the changed Secret' });
  const wrong: readonly string[] = [
    `data:\n  a: ${mark} is not base64!`,
    `data: ${mark}`,
    `data:\n  - ${mark}`,
    `data:\n  a: {b: ${mark}}`,
    `stringData:\n  a:\n    b: ${mark}`,
    `stringData:\n  a: ${mark}\n b: ${mark}-badly-indented`,
    `data:\n  a: "${encoded('unclosed')}`,
    `data:\n  "not a key": ${encoded('key')}`,
    `type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: ${encoded('not json')}`,
  ];
  for (const [index, body] of wrong.entries()) {
    await commit(secretYaml(body), `Wrong ${String(index)}`);
    expect((await push(`wrong ${String(index)}`)).code, body).not.toBe(0);
  }
  await note('validate', run(capstanProgram, ['validate', clone]));
  // Past the hook, so that the error is the cluster's to tell: in its log, events, status and status branch.
  await must('git', ['-C', join(dataDir, 'repo.git'), 'fetch', '-q', clone, '+HEAD:refs/heads/main']);
  await eventually(
    async () => (await capstan('status', '-o', 'yaml')).stdout,
    (status) => /redacted|base64|Failed|errors/.test(status),
    { what: 'the error in the status' },
  );
  await commit(secretYaml(`data:\n  a: ${encoded('healed')}`), 'Heal');
  await must('git', ['-C', join(dataDir, 'repo.git'), 'fetch', '-q', clone, '+HEAD:refs/heads/main']);
  await eventually(data, (found) => found === encoded('healed'), { what: 'the healed Secret' });
  await kubectl([
    'patch',
    'secret',
    'creds',
    '--type=merge',
    '-p',
    JSON.stringify({ data: { a: encoded('drift') } }),
  ]);
  await eventually(data, (found) => found === encoded('healed'), { what: 'the drift put back' });
  for (const command of [['diff'], ['history'], ['status'], ['why', 'secret/creds', '-n', 'shop']])
    await capstan(...command);
});

it('kubectl: wrong types, patches that fail, conflicts, and what is immutable', async () => {
  const apply = (object: unknown, ...more: readonly string[]): Promise<Result> =>
    kubectl(['apply', '--validate=false', '-f', '-', ...more], { input: JSON.stringify(object) });
  const own = (name: string, body: object): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    ...body,
  });
  expect((await apply(own('mine', { data: { a: encoded('mine') } }))).code).toBe(0);
  for (const body of [
    { data: { a: `${mark} is not base64!` } },
    { data: mark },
    { data: [mark] },
    { stringData: { a: [mark] } },
    { stringData: { 'not a key': mark } },
    { type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': mark } },
  ]) {
    expect((await apply(own('wrong', body), '--server-side')).code, JSON.stringify(body)).not.toBe(0);
    await note(
      'create --raw',
      run(
        kubectlProgram,
        [
          '--kubeconfig',
          join(dataDir, 'admin.kubeconfig'),
          'create',
          '--raw',
          '/api/v1/namespaces/shop/secrets',
          '-f',
          '-',
        ],
        { input: JSON.stringify(own('wrong', body)) },
      ),
    );
  }
  await note(
    'malformed',
    run(
      kubectlProgram,
      [
        '--kubeconfig',
        join(dataDir, 'admin.kubeconfig'),
        'create',
        '--raw',
        '/api/v1/namespaces/shop/configmaps',
        '-f',
        '-',
      ],
      { input: `{"kind":"Secret","data":{"a": ${mark}}}` },
    ),
  );
  const failing: readonly (readonly [string, unknown])[] = [
    ['json', [{ op: 'test', path: '/data/a', value: mark }]],
    ['json', [{ op: 'add', path: '/data/a/b', value: mark }]],
    ['merge', { data: { a: { b: mark } } }],
    ['strategic', { data: { a: [mark] } }],
  ];
  for (const [type, patch] of failing)
    expect(
      (await kubectl(['patch', 'secret', 'mine', `--type=${type}`, '-p', JSON.stringify(patch)])).code,
    ).not.toBe(0);
  const conflict = await apply(
    own('mine', { data: { a: encoded('conflict') } }),
    '--server-side',
    '--field-manager=other',
  );
  expect(conflict.stderr).toContain('conflict');
  await apply(own('fixed', { immutable: true, data: { a: encoded('fixed') } }));
  expect((await apply(own('fixed', { immutable: true, data: { a: encoded('moved') } }))).code).not.toBe(0);
  await kubectl(['describe', 'secret', 'mine']);
});

it('pods that use Secrets, and why they wait', async () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'user' },
    spec: {
      containers: [
        {
          name: 'app',
          image: 'x',
          envFrom: [{ secretRef: { name: 'mine' } }],
          env: [{ name: 'MISSING', valueFrom: { secretKeyRef: { name: 'mine', key: 'none' } } }],
        },
      ],
    },
  };
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(pod) });
  await eventually(
    async () => (await kubectl(['describe', 'pod', 'user'])).stdout,
    (text) => /Secret|secret|Running/.test(text),
    { what: 'what became of the pod' },
  );
  await capstan('why', 'pod/user', '-n', 'shop');
});

it('and nowhere is a value to be found', async () => {
  await kubectl(['get', 'events', '-A', '-o', 'yaml']);
  await kubectl(['get', 'applications,repositories', '-A', '-o', 'yaml']);
  const places = new Map(printed);
  // Status is committed every ten seconds at most: what went before may be in the next commit.
  places.set(
    'status branch',
    await eventually(
      () => must('git', ['-C', join(dataDir, 'repo.git'), 'log', '-p', 'capstan/status']),
      (text) => text.includes('creds'),
      { what: 'the Secret in the status branch' },
    ),
  );
  for (const name of ['capstan.log', 'capstan.out'])
    places.set(name, await readFile(join(dataDir, name), 'utf8'));
  await must(capstanProgram, ['down', '--data-dir', dataDir]);
  for (const name of await readdir(join(dataDir, 'audit')))
    places.set(`audit/${name}`, await readFile(join(dataDir, 'audit', name), 'utf8'));
  expect(places.get('audit/audit.log')).toContain('"resource":"secrets"');
  const found = [...places].flatMap(([place, text]) =>
    text
      .split('\n')
      .flatMap((line) =>
        line.includes(mark) || line.includes(encodedMark) ? [`${place}: ${line.slice(0, 400)}`] : [],
      ),
  );
  expect(found).toEqual([]);
});
