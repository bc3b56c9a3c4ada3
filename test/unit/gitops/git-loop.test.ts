import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { eventually, git } from '../../contract/git-fixtures.js';
import { config, configMap, deployment, GitCluster, namespace } from './git-cluster.js';

let here: GitCluster;

beforeEach(() => {
  here = new GitCluster();
});
afterEach(async () => {
  await here.destroy();
});

const valueOf = async (name: string, ns = 'web'): Promise<string | undefined> =>
  (await here.cluster.get(configmaps, { name, namespace: ns })).data?.['value'];

const base = {
  'capstan.yaml': config(
    '{name: infra, path: infra, prune: false}',
    '{name: web, path: web, namespace: web, dependsOn: [infra]}',
  ),
  'infra/namespaces.yaml': namespace('web'),
  'web/a.yaml': configMap('a'),
};

describe('the Git loop', () => {
  it('brings a pushed repository to life, application after application', async () => {
    const oid = here.repository.publish(base);
    await here.start();
    const web = await here.reaches('web', 'Healthy', oid);
    expect(web.status?.message).toBe(`runs ${oid.slice(0, 8)}`);
    expect(await valueOf('a')).toBe('1');
    const live = await here.cluster.get(configmaps, { name: 'a', namespace: 'web' });
    expect(live.metadata.labels).toEqual({ 'capstan.dev/application': 'web' });
    expect(live.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
      'capstan Apply',
    ]);
  });

  it('carries out what a push changes, and deletes what has left', async () => {
    here.repository.publish({ ...base, 'web/b.yaml': configMap('b') });
    await here.start();
    await here.reaches('web', 'Healthy');
    const oid = here.repository.publish({ 'web/a.yaml': configMap('a', '2'), 'web/b.yaml': undefined });
    await here.reaches('web', 'Healthy', oid);
    expect(await valueOf('a')).toBe('2');
    await expect(valueOf('b')).rejects.toMatchObject({ code: 'NotFound' });
    expect(here.repositoryObject?.status?.history?.[0]).toMatchObject({
      application: 'web',
      revision: oid,
      outcome: 'Synced',
    });
  });

  it('keeps an object whose annotation says so', async () => {
    const kept = configMap('b').replace(
      '  name: b\n',
      '  name: b\n  annotations: {capstan.dev/prune: "false"}\n',
    );
    here.repository.publish({ ...base, 'web/b.yaml': kept });
    await here.start();
    await here.reaches('web', 'Healthy');
    const oid = here.repository.publish({ 'web/b.yaml': undefined });
    await here.reaches('web', 'Healthy', oid);
    expect(await valueOf('b')).toBe('1');
  });

  it('puts drift back within 5 s, be it a change or a deletion', async () => {
    here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy');
    await here.cluster.patch(
      configmaps,
      { name: 'a', namespace: 'web' },
      { type: 'merge', patch: { data: { value: 'by hand' } } },
    );
    await eventually(async () => expect(await valueOf('a')).toBe('1'), 5_000);
    await here.cluster.delete(configmaps, { name: 'a', namespace: 'web' });
    await eventually(async () => expect(await valueOf('a')).toBe('1'), 5_000);
    await eventually(() => expect(here.repositoryObject?.status?.history?.[0]?.outcome).toBe('Healed'));
  });

  it('leaves alone what others add to an object', async () => {
    here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy');
    await here.cluster.patch(
      configmaps,
      { name: 'a', namespace: 'web' },
      { type: 'merge', patch: { metadata: { annotations: { note: 'mine' } } } },
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const live = await here.cluster.get(configmaps, { name: 'a', namespace: 'web' });
    expect(live.metadata.annotations?.['note']).toBe('mine');
    expect(here.application('web')?.status?.phase).toBe('Healthy');
  });

  it('reports drift and leaves it where selfHeal is off, until the next revision', async () => {
    here.repository.publish({
      ...base,
      'capstan.yaml': config(
        '{name: infra, path: infra}',
        '{name: web, path: web, namespace: web, selfHeal: false}',
      ),
    });
    await here.start();
    await here.reaches('web', 'Healthy');
    await here.cluster.patch(
      configmaps,
      { name: 'a', namespace: 'web' },
      { type: 'merge', patch: { data: { value: 'by hand' } } },
    );
    await eventually(() =>
      expect(here.application('web')?.status?.drift).toEqual([
        expect.objectContaining({
          kind: 'ConfigMap',
          name: 'a',
          fields: ['data.value'],
          message: 'differs in data.value',
        }),
      ]),
    );
    expect(await valueOf('a')).toBe('by hand');
    const oid = here.repository.publish({ 'web/c.yaml': configMap('c') });
    await here.reaches('web', 'Healthy', oid);
    expect(await valueOf('a')).toBe('1');
  });

  it('starts an application only when those it depends on are healthy', async () => {
    here.repository.publish({
      'capstan.yaml': config(
        '{name: back, path: back, namespace: default}',
        '{name: front, path: front, namespace: default, dependsOn: [back]}',
      ),
      'back/back.yaml': deployment('back'),
      'front/front.yaml': deployment('front'),
    });
    await here.start();
    await eventually(() =>
      expect(here.application('front')?.status?.message).toMatch(/^waits for back \(is Progressing\)$/),
    );
    await expect(
      here.cluster.get(deployments, { name: 'front', namespace: 'default' }),
    ).rejects.toMatchObject({ code: 'NotFound' });
    await here.report('back', 'default', 'available');
    await eventually(() => here.cluster.get(deployments, { name: 'front', namespace: 'default' }));
  });

  it('is not held up by errors in an application that it depends on, while that runs well', async () => {
    here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy');
    const oid = here.repository.publish({ 'infra/bad.yaml': 'a: [', 'web/a.yaml': configMap('a', '2') });
    await here.reaches('infra', 'Failed');
    await here.reaches('web', 'Healthy', oid);
    expect(await valueOf('a')).toBe('2');
  });

  it('deletes an application that has left capstan.yaml, and keeps the others', async () => {
    here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy');
    here.repository.publish({ 'capstan.yaml': config('{name: infra, path: infra}') });
    await eventually(async () => {
      expect(here.application('web')).toBeUndefined();
      await expect(valueOf('a')).rejects.toMatchObject({ code: 'NotFound' });
    });
    expect(here.application('infra')?.status?.phase).toBe('Healthy');
  });

  it('moves an object from one application to another without deleting it', async () => {
    const two = config(
      '{name: one, path: one, namespace: default}',
      '{name: two, path: two, namespace: default}',
    );
    here.repository.publish({
      'capstan.yaml': two,
      'one/a.yaml': configMap('a'),
      'one/x.yaml': configMap('x'),
      'two/z.yaml': configMap('z'),
    });
    await here.start();
    await here.reaches('one', 'Healthy');
    const { uid } = (await here.cluster.get(configmaps, { name: 'a', namespace: 'default' })).metadata;
    const oid = here.repository.publish({ 'one/a.yaml': undefined, 'two/a.yaml': configMap('a') });
    await here.reaches('one', 'Healthy', oid);
    await here.reaches('two', 'Healthy', oid);
    const moved = await here.cluster.get(configmaps, { name: 'a', namespace: 'default' });
    expect(moved.metadata.uid).toBe(uid);
    expect(moved.metadata.labels?.['capstan.dev/application']).toBe('two');
  });

  it('goes on where it was after a restart, without touching what runs', async () => {
    const oid = here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy', oid);
    const before = await here.cluster.get(configmaps, { name: 'a', namespace: 'web' });
    await here.stop();
    here.repository.publish({ 'web/a.yaml': 'kind: [' });
    await here.start();
    const web = await here.reaches('web', 'Failed', oid);
    expect(web.status?.message).toContain(`${oid.slice(0, 8)} keeps running`);
    await here.cluster.patch(
      configmaps,
      { name: 'a', namespace: 'web' },
      { type: 'merge', patch: { data: { value: 'x' } } },
    );
    await eventually(async () => expect(await valueOf('a')).toBe('1'), 5_000);
    expect((await here.cluster.get(configmaps, { name: 'a', namespace: 'web' })).metadata.uid).toBe(
      before.metadata.uid,
    );
  });

  it('shows with diff what is live otherwise, and what drift is left alone', async () => {
    here.repository.publish({
      ...base,
      'capstan.yaml': config(
        '{name: infra, path: infra}',
        '{name: web, path: web, namespace: web, selfHeal: false}',
      ),
    });
    await here.start();
    await here.reaches('web', 'Healthy');
    await here.cluster.patch(
      configmaps,
      { name: 'a', namespace: 'web' },
      { type: 'merge', patch: { data: { value: 'by hand' } } },
    );
    await eventually(() => expect(here.application('web')?.status?.drift).toHaveLength(1));
    const { text } = await here.ask<{ text: readonly string[] }>('POST', 'diff', { application: 'web' });
    expect(text.slice(1)).toEqual([
      'web: 1 to update',
      '  ~ update ConfigMap web/a',
      '      data.value: by hand -> 1',
    ]);
    await expect(here.ask('POST', 'diff', { application: 'nope' })).rejects.toThrow(
      'there is no application nope',
    );
  });

  it('takes over an object that somebody made by hand', async () => {
    here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy');
    await here.cluster.create(configmaps, {
      metadata: { name: 'mine', namespace: 'web' },
      data: { value: 'old' },
    });
    const oid = here.repository.publish({ 'web/mine.yaml': configMap('mine', 'new') });
    await here.reaches('web', 'Healthy', oid);
    expect(await valueOf('mine')).toBe('new');
  });

  it('leaves fields alone whose differences are ignored', async () => {
    here.repository.publish({
      'capstan.yaml': config(
        '{name: web, path: web, namespace: default, ignoreDifferences: [{kind: Deployment, jsonPointers: [/spec/replicas]}]}',
      ),
      'web/web.yaml': deployment('web'),
    });
    await here.start();
    await here.reaches('web', 'Progressing');
    await here.cluster.patch(
      deployments,
      { name: 'web', namespace: 'default' },
      { type: 'merge', patch: { spec: { replicas: 7 } } },
    );
    here.repository.publish({ 'web/web.yaml': deployment('web', 'web:2') });
    await eventually(async () => {
      const { spec } = await here.cluster.get(deployments, { name: 'web', namespace: 'default' });
      expect(spec.template.spec?.containers[0]?.image).toBe('web:2');
      expect(spec.replicas).toBe(7);
    });
  });
});

describe('the status branch', () => {
  it('tells people and programs where things stand, with trailers, and starts no sync', async () => {
    const oid = here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy', oid);
    await eventually(() => {
      expect(here.statusFile('status/applications/web.yaml')).toContain(`revision: ${oid}\n`);
      expect(here.statusFile('status/applications/web.yaml')).toContain('phase: Healthy\n');
    });
    expect(here.statusFile('STATUS.md')).toContain(`| web | Healthy | \`${oid.slice(0, 8)}\` | 1/1 |`);
    expect(here.statusFile('status/cluster.yaml')).toContain(`head: ${oid}\n`);
    const message = git(here.repository.bare, 'log', '-1', '--format=%an <%ae>%n%B', 'capstan/status');
    expect(message).toMatch(/^Capstan <capstan@test.cluster>\n/);
    expect(message).toContain(`Capstan-Revision: ${oid}\nCapstan-Phase: Healthy\nCapstan-Reason: `);
    expect(here.repositoryObject?.status?.head).toBe(oid);
    const tip = git(here.repository.bare, 'rev-parse', 'capstan/status');
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(git(here.repository.bare, 'rev-parse', 'capstan/status')).toBe(tip);
    git(here.repository.bare, 'fsck', '--strict');
  });

  it('is made again on top of what somebody else has pushed there', async () => {
    here.repository.publish(base);
    await here.start();
    await here.reaches('web', 'Healthy');
    await eventually(() => here.statusFile('STATUS.md'));
    const { clone } = here.repository;
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'checkout', '--quiet', '-B', 'stranger', 'origin/capstan/status');
    here.repository.commit({ 'STATUS.md': 'nonsense\n', 'other.txt': 'x\n' }, 'Interfere');
    git(clone, 'push', '--quiet', '--force', 'origin', 'HEAD:capstan/status');
    const stranger = git(clone, 'rev-parse', 'HEAD');
    git(clone, 'checkout', '--quiet', 'main');
    const oid = here.repository.publish({ 'web/a.yaml': configMap('a', '2') });
    await eventually(() =>
      expect(here.statusFile('status/applications/web.yaml')).toContain(`revision: ${oid}`),
    );
    expect(here.statusFile('STATUS.md')).toContain('| web |');
    expect(git(here.repository.bare, 'merge-base', '--is-ancestor', stranger, 'capstan/status')).toBe('');
  });
});
