// kubectl, in every version that is at hand, against the API server alone: what each command asks of it.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pods } from '../../src/resources/kinds/pods.js';
import { deployments } from '../../src/resources/kinds/deployments.js';
import { startApiServer } from './api-server.js';
import type { TestApiServer } from './api-server.js';
import { eventually, kubectlVersions, run } from './command.js';
import type { Result } from './command.js';

const web = (image: string): string => `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "${image}", ports: [{containerPort: 8080, name: http}]}
        - {name: proxy, image: "proxy:1"}
`;

let server: TestApiServer;

beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server.close();
});

it('kubectl is at hand', () => {
  expect(kubectlVersions(), 'install kubectl and put it on PATH').not.toEqual([]);
});

describe.each(kubectlVersions())('kubectl $version', ({ version, program }) => {
  const namespace = `v${version.replace(/\W/g, '-')}`;
  const kubectlAs = (kubeconfig: string, args: readonly string[], input?: string): Promise<Result> =>
    run(program, ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args], {
      ...(input === undefined ? {} : { input }),
      environment: { HOME: join(server.directory, namespace), KUBE_EDITOR: `sh ${server.directory}/edit` },
    });
  const kubectl = (args: string, input?: string): Promise<Result> =>
    kubectlAs(server.kubeconfig, args.split(' '), input);
  const ok = async (args: string, input?: string): Promise<string> => {
    const result = await kubectl(args, input);
    expect(result.code, `kubectl ${args}\n${result.stdout}${result.stderr}`).toBe(0);
    expect(result.stderr).not.toMatch(/warning|error/i);
    return result.stdout;
  };
  const refused = async (args: string, input?: string): Promise<string> => {
    const result = await kubectl(args, input);
    expect(result.code, `kubectl ${args} succeeded: ${result.stdout}`).not.toBe(0);
    return result.stderr;
  };

  it('discovers what there is', async () => {
    expect(await ok('api-resources --no-headers')).toMatch(
      /^deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/m,
    );
    expect(await ok('api-resources --verbs=list,watch --namespaced=false -o name')).toContain('nodes');
    expect(await ok('api-versions')).toContain('apps/v1\n');
    // Older ones warn that the server is newer.
    expect((await kubectl('version')).stdout).toMatch(/Server Version: .*v1\.33\.0\+capstan-0\.1\.0/);
    expect(await ok('get --raw /readyz?verbose')).toContain('[+]ping ok');
    expect(await ok('cluster-info')).toContain(`https://127.0.0.1:${server.port}`);
  });

  it('creates one object of each common kind by name', async () => {
    expect(await ok(`create namespace ${namespace}`)).toBe(`namespace/${namespace} created\n`);
    await ok('create deployment made --image=web:1 --replicas=0 --port=8080');
    expect(
      await ok(
        'get deploy made -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].ports[0].containerPort}',
      ),
    ).toBe('0/8080');
    await ok('create configmap settings --from-literal=colour=blue');
    await ok('create secret generic token --from-literal=key=value');
    expect(await ok('get secret token -o jsonpath={.data.key}')).toBe('dmFsdWU=');
    await ok('create service clusterip made --tcp=80:8080');
    expect(await ok('get service made -o jsonpath={.spec.ports[0].targetPort}')).toBe('8080');
    await ok('create serviceaccount robot');
    expect(await ok('run lonely --image=web:1 --labels=app=lonely')).toBe('pod/lonely created\n');
  });

  it('prints every kind, narrow, wide and in all namespaces', async () => {
    expect(await ok('get pods')).toMatch(
      /^NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\nlonely\s+0\/1\s+Pending\s+0\s+\d+s\n$/,
    );
    expect(await ok('get pods -A -o wide')).toMatch(
      /^NAMESPACE\s+NAME\s+READY.*NODE.*\n(.*\n)*v\S+\s+lonely/,
    );
    expect(await ok('get deployments -o wide')).toMatch(/CONTAINERS\s+IMAGES\s+SELECTOR/);
    const all = 'ns,no,deploy,rs,po,svc,ep,endpointslices,cm,secrets,sa,leases,ev';
    expect(await ok(`get ${all} -A -o wide`)).toContain('configmap/settings');
    expect(await ok('get all')).toContain('service/made');
    expect(await ok('get pods --sort-by=.metadata.name --show-labels')).toContain('app=lonely');
    expect(await ok('get cm -o name')).toContain('configmap/settings\n');
    expect(await ok('get cm --chunk-size=1 --no-headers')).toContain('settings');
    expect(await ok('get cm -l none=such', undefined)).toBe('');
    expect(await ok('get po -o custom-columns=N:.metadata.name,I:.spec.containers[*].image')).toContain(
      'web:1',
    );
    expect(await ok('get cm settings -o yaml --show-managed-fields')).toContain('manager: kubectl');
  });

  it('applies, and applies again what has changed', async () => {
    expect(await ok('apply -f -', web('web:1'))).toBe('service/web created\ndeployment.apps/web created\n');
    expect(await ok('apply -f -', web('web:1'))).toBe(
      'service/web unchanged\ndeployment.apps/web unchanged\n',
    );
    const differences = await kubectl('diff -f -', web('web:2'));
    expect(differences.stdout).toMatch(/^\+ +(- )?image: web:2/m);
    expect(differences.code).toBe(1);
    expect(await ok('apply --dry-run=server -f -', web('web:2'))).toContain(
      'deployment.apps/web configured (server dry run)',
    );
    expect(await ok('apply -f -', web('web:2'))).toBe(
      'service/web unchanged\ndeployment.apps/web configured\n',
    );
    const images = 'get deploy web -o jsonpath={.spec.template.spec.containers[*].image}';
    expect(await ok(images)).toBe('web:2 proxy:1');
    expect(await refused('apply --server-side -f -', web('web:3'))).toContain(
      '.spec.template.spec.containers[name="web"].image',
    );
    await ok('apply --server-side --force-conflicts -f -', web('web:3'));
    expect(await ok(images)).toBe('web:3 proxy:1');
  });

  it('names the field of what is wrong', async () => {
    expect(await refused('apply -f -', web('web:1').replace('replicas:', 'replicsa:'))).toMatch(
      /unknown field "(spec\.)?replicsa"/,
    );
    expect(await refused('apply -f -', web('web:1').replace('replicas: 2', 'replicas: -2'))).toContain(
      'spec.replicas',
    );
    expect(await refused('create -f -', web('web:1'))).toContain('Error from server (AlreadyExists)');
    expect(await refused('get pod nowhere')).toBe('Error from server (NotFound): pods "nowhere" not found\n');
    expect(await refused('get robots')).toContain('the server doesn\'t have a resource type "robots"');
    expect(await refused('create configmap Wrong_Name')).toContain('metadata.name');
  });

  it('patches, labels, annotates, sets, replaces and edits', async () => {
    await ok(
      'patch deployment web -p {"spec":{"template":{"spec":{"containers":[{"name":"proxy","image":"proxy:2"}]}}}}',
    );
    await ok(
      'patch deployment web --type=json -p [{"op":"add","path":"/metadata/labels/tier","value":"front"}]',
    );
    await ok('patch deployment web --type=merge -p {"spec":{"minReadySeconds":3}}');
    await ok('set image deployment/web web=web:4');
    await ok('set env deployment/web --containers=web A=1');
    await ok('label deployment web owner=me');
    await ok('label deployment web owner=you --overwrite');
    await ok('annotate deployment web note=hello');
    await ok('patch deployment web --subresource=status --type=merge -p {"status":{"replicas":2}}');
    expect(
      await ok(
        'get deploy web -o jsonpath={.spec.template.spec.containers[*].image},{.metadata.labels},{.spec.minReadySeconds},{.status.replicas}',
      ),
    ).toBe('web:4 proxy:2,{"app":"web","owner":"you","tier":"front"},3,2');
    const yaml = await ok('get cm settings -o yaml');
    expect(await ok('replace -f -', yaml.replace('blue', 'red'))).toBe('configmap/settings replaced\n');
    expect(await refused('replace -f -', yaml.replace('blue', 'green'))).toContain(
      'the object has been modified',
    );
    writeFileSync(join(server.directory, 'edit'), 'sed -i s/red/yellow/ "$1"\n');
    expect(await ok('edit cm settings')).toBe('configmap/settings edited\n');
    expect(await ok('get cm settings -o jsonpath={.data.colour}')).toBe('yellow');
  });

  it('scales', async () => {
    await ok('scale deployment/web --replicas=3');
    expect(await ok('get deploy web -o jsonpath={.spec.replicas}')).toBe('3');
    expect(await refused('scale deployment/web --current-replicas=9 --replicas=1')).toContain(
      'Expected replicas to be 9, was 3',
    );
    expect(await ok('get deploy web --subresource=scale')).toMatch(
      /^NAME\s+DESIRED\s+AVAILABLE\s+AGE\nweb\s+3\s+2/,
    );
  });

  it('follows a rollout', async () => {
    await ok('rollout pause deployment/web');
    await ok('rollout resume deployment/web');
    await ok('rollout restart deployment/web');
    const live = await server.cluster.get(deployments, { name: 'web', namespace });
    const status = ok('rollout status deployment/web --timeout=20s');
    await server.cluster.updateStatus(deployments, {
      ...live,
      status: {
        observedGeneration: live.metadata.generation,
        replicas: 3,
        updatedReplicas: 3,
        readyReplicas: 3,
        availableReplicas: 3,
      },
    });
    expect(await status).toContain('deployment "web" successfully rolled out');
    expect(await ok('rollout history deployment/web')).toContain('deployment.apps/web');
  });

  it('explains fields and describes objects', async () => {
    expect(await ok('explain deployment.spec.strategy.rollingUpdate.maxSurge')).toContain('maxSurge');
    expect(await ok('explain pods --recursive')).toContain('livenessProbe');
    expect(await ok('describe deployment web')).toMatch(/Replicas:\s+3 desired/);
    expect(await ok('describe pod lonely')).toMatch(/Image:\s+web:1/);
    expect(await ok('describe service web')).toMatch(/Selector:\s+app=web/);
    expect(await ok('describe node n1')).toMatch(/Name:\s+n1/);
    expect(await ok(`describe namespace ${namespace}`)).toMatch(/Status:\s+Active/);
    expect(await ok('describe cm,secret,sa')).toContain('yellow');
    await ok('events');
  });

  it('watches objects come, change and go, in columns', async () => {
    const args = [
      '--kubeconfig',
      server.kubeconfig,
      '-n',
      namespace,
      'get',
      'cm',
      '-w',
      '--output-watch-events',
    ];
    const watch = spawn(program, args, { env: { ...process.env, HOME: server.directory } });
    let seen = '';
    watch.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const sees = (what: RegExp) =>
      eventually(
        () => seen,
        (text) => what.test(text),
        { everyMs: 20, what: String(what) },
      );
    try {
      await sees(/^ADDED\s+settings\s+1\s/m);
      await ok('create configmap late --from-literal=a=b');
      await sees(/^ADDED\s+late\s+1\s/m);
      await ok('patch configmap late -p {"data":{"c":"d"}}');
      await sees(/^MODIFIED\s+late\s+2\s/m);
      await ok('delete configmap late');
      await sees(/^DELETED\s+late\s+2\s/m);
    } finally {
      watch.kill();
    }
  });

  it('reads logs through the agent of the node', async () => {
    expect(await refused('logs lonely')).toMatch(/lonely.* (not scheduled|no logs)/);
    const pod = await server.cluster.create(pods, {
      metadata: { name: 'talker', namespace },
      spec: {
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'x' },
        ],
      },
    });
    await server.cluster.bind({ name: 'talker', namespace, uid: pod.metadata.uid }, 'n1');
    const at = `/containerLogs/${namespace}/talker/b?`;
    expect(await ok('logs talker -c b --tail=5 --timestamps')).toBe(`${at}timestamps=true&tailLines=5\n`);
    expect(await ok('logs -f talker -c b --since=10s')).toBe(`${at}follow=true&sinceSeconds=10\n`);
    expect(await refused('logs talker -c c')).toContain('container c is not valid for pod talker');
  });

  it('cordons, taints and drains a node, and waits', async () => {
    await ok('cordon n1');
    expect(await ok('get node n1')).toContain('SchedulingDisabled');
    await ok('taint node n1 a=b:NoSchedule');
    await ok('taint node n1 a-');
    const drain = kubectl('drain n1 --force --timeout=20s --grace-period=1 --pod-selector=!app');
    await eventually(
      async () => (await server.cluster.get(pods, { name: 'talker', namespace })).metadata.deletionTimestamp,
      (at) => at !== undefined,
      { what: 'the eviction' },
    );
    await server.cluster.delete(pods, { name: 'talker', namespace }, { gracePeriodSeconds: 0 });
    expect(await drain).toMatchObject({ code: 0 });
    await ok('uncordon n1');
    await ok('wait --for=jsonpath={.status.replicas}=3 deployment/web --timeout=10s');
  });

  it('deletes by name, by label and everything', async () => {
    await ok('delete pod lonely --now');
    await ok('delete deployment -l app=web --cascade=background');
    await ok('delete cm settings --dry-run=server');
    await ok('get cm settings');
    const waiting = kubectl('wait --for=delete cm/settings --timeout=20s');
    await ok('delete cm,secret,svc,deploy,sa --all --timeout=20s');
    expect(await waiting).toMatchObject({ code: 0 });
    expect(await ok('get cm,secret,svc,deploy,po -o name')).toBe('');
  });

  it('is told why a foreign certificate is not enough', async () => {
    const result = await kubectlAs(server.strangersKubeconfig, ['get', 'pods']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/You must be logged in to the server|Unauthorized/);
    const raw = await kubectlAs(server.strangersKubeconfig, ['get', '--raw', '/api/v1/pods']);
    expect(raw.code).toBe(1);
  });
});
