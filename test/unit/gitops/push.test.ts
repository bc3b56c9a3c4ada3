// Real pushes through the hooks of a bare repository, with and without a daemon.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../../../src/base/log.js';
import { hookNames, hookScript } from '../../../src/gitops/hooks.js';
import { serveHooks } from '../../../src/host/git/hook-socket.js';
import { writeHooks } from '../../../src/host/git/own-repository.js';
import { hookSocket } from '../../../src/process/hook-socket-path.js';
import { eventually, git } from '../../contract/git-fixtures.js';
import { config, configMap, deployment, GitCluster } from './git-cluster.js';

const checkout = new URL('../../..', import.meta.url).pathname;

let here: GitCluster;
let served: Promise<void> | undefined;

const push = (refspec = 'HEAD:main'): Promise<{ code: number | null; said: string }> =>
  new Promise((resolve) => {
    // Not synchronous: the daemon that the hooks ask runs in this very process.
    const child = spawn('git', ['-C', here.repository.clone, 'push', '--porcelain', 'origin', refspec]);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    child.on('close', (code) => {
      const lines = said.split('\n').map((line) => line.replace(/^remote: ?/, '').trimEnd());
      resolve({ code, said: lines.join('\n') });
    });
  });

beforeEach(async () => {
  here = new GitCluster();
  here.repository.publish({
    'capstan.yaml': config(
      '{name: web, path: web, namespace: default}',
      '{name: other, path: other, namespace: default}',
    ),
    'web/web.yaml': deployment('web'),
    'web/secret.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hunter2\n',
    'other/c.yaml': configMap('c'),
  });
  // The program as it stands in the checkout, without a build.
  const script = join(here.root.path, 'capstan.mjs');
  writeFileSync(
    script,
    `import { register } from ${JSON.stringify(join(checkout, 'node_modules/tsx/dist/esm/api/index.mjs'))};\nregister();\nawait import(${JSON.stringify(join(checkout, 'src/main.ts'))});\n`,
  );
  const program = { node: process.execPath, script, dataDir: here.root.path };
  await writeHooks(here.repository.bare, new Map(hookNames.map((name) => [name, hookScript(name, program)])));
  writeFileSync(join(here.root.path, 'settings.yaml'), `data-dir: ${here.root.path}\nbranch: main\n`);
});
afterEach(async () => {
  await here.stop();
  await served;
  served = undefined;
  here.root.remove();
});

const startDaemon = async (): Promise<void> => {
  await here.start();
  await here.reaches('other', 'Healthy');
  const socket = hookSocket(here.root.path);
  served = serveHooks(socket, here.gitOps.pushGate, { log: silent, signal: here.signal });
  await eventually(() => expect(existsSync(socket)).toBe(true));
};

describe('a push to the branch that runs', () => {
  it('is refused with file, line and column when it has errors, and nothing changes', async () => {
    await startDaemon();
    const before = git(here.repository.bare, 'rev-parse', 'main');
    here.repository.commit({
      'web/web.yaml': deployment('web').replace('replicas: 2', 'replicas: two'),
      'other/c.yaml': 'a: [',
    });
    const { code, said } = await push();
    expect(code).not.toBe(0);
    expect(said).toContain('Refused, and nothing was changed: 2 errors');
    expect(said).toMatch(/^ {2}web\/web\.yaml:6:3: Deployment web: spec\.replicas/m);
    expect(said).toMatch(/^ {2}other\/c\.yaml:1:5: this is not valid YAML/m);
    expect(git(here.repository.bare, 'rev-parse', 'main')).toBe(before);
  });

  it('is refused for what only the API server knows', async () => {
    await startDaemon();
    await here.reaches('web', 'Progressing');
    here.repository.commit({
      'web/web.yaml': deployment('web').replaceAll('{app: web}', '{app: web, tier: x}'),
    });
    const { code, said } = await push();
    expect(code).not.toBe(0);
    expect(said).toMatch(/web\/web\.yaml:7:3: Deployment web: spec\.selector.*immutable/);
  });

  it('hears its plan when it is accepted: what changes, which pods roll, and no secret', async () => {
    await startDaemon();
    await here.reaches('web', 'Progressing');
    const oid = here.repository.commit({
      'web/web.yaml': deployment('web', 'web:2'),
      'web/secret.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: correct horse\n',
      'other/c.yaml': undefined,
      'other/d.yaml': configMap('d'),
    });
    const { code, said } = await push();
    expect(code).toBe(0);
    expect(said).toContain(
      [
        `Plan of ${oid.slice(0, 8)}`,
        'web: 2 to update',
        '  ~ update Secret default/s',
        '      data.password: (hidden) -> (hidden)',
        '  ~ update Deployment default/web   (rolls 2 pods)',
        '      spec.template.spec.containers[main].image: web:1 -> web:2',
        'other: 1 to create, 1 to delete',
        '  + create ConfigMap default/d',
        '  - delete ConfigMap default/c',
      ].join('\n'),
    );
    await here.reaches('other', 'Healthy', oid);
  });

  it('is refused when it deletes the branch', async () => {
    git(here.repository.bare, 'symbolic-ref', 'HEAD', 'refs/heads/elsewhere');
    await startDaemon();
    const { code, said } = await push(':main');
    expect(code).not.toBe(0);
    expect(said).toContain('Refused: main is the branch that runs, and is not deleted');
  });

  it('may empty the repository, and hears that what runs is kept', async () => {
    await startDaemon();
    git(here.repository.clone, 'rm', '-rq', '.');
    here.repository.commit({}, 'Delete everything');
    const { code, said } = await push();
    expect(code).toBe(0);
    expect(said).toContain('the repository is empty, and what runs is kept');
  });

  it('may leave an error that was there before as it is', async () => {
    const hooks = join(here.repository.bare, 'hooks', 'pre-receive');
    git(here.repository.bare, 'config', 'core.hooksPath', '/nonexistent');
    here.repository.publish({ 'other/c.yaml': 'a: [' });
    git(here.repository.bare, 'config', '--unset', 'core.hooksPath');
    expect(existsSync(hooks)).toBe(true);
    await here.start();
    await here.reaches('other', 'Failed');
    served = serveHooks(hookSocket(here.root.path), here.gitOps.pushGate, {
      log: silent,
      signal: here.signal,
    });
    await eventually(() => expect(existsSync(hookSocket(here.root.path))).toBe(true));
    here.repository.commit({ 'web/web.yaml': deployment('web', 'web:2') });
    expect((await push()).code).toBe(0);
  });
});

describe('a push to another branch', () => {
  it('hears what a merge would change, and changes nothing', async () => {
    await startDaemon();
    const oid = here.repository.commit({ 'other/c.yaml': configMap('c', '2') });
    const { code, said } = await push('HEAD:feature');
    expect(code).toBe(0);
    expect(said).toContain(`feature, if it were merged:\nPlan of ${oid.slice(0, 8)}`);
    expect(said).toContain('      data.value: 1 -> 2');
  });
});

describe('a push while the daemon is down', () => {
  it('is checked by the hook itself, and told that the plan follows', async () => {
    here.repository.commit({ 'other/c.yaml': 'a: [' });
    const refused = await push();
    expect(refused.code).not.toBe(0);
    expect(refused.said).toMatch(/other\/c\.yaml:1:5: this is not valid YAML/);
    here.repository.commit({ 'other/c.yaml': configMap('c', '2') });
    const accepted = await push();
    expect(accepted.code).toBe(0);
    expect(accepted.said).toContain(
      'Capstan does not run: the plan follows, and is carried out, when it starts',
    );
  });
});
