import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { eventually, git } from '../../contract/git-fixtures.js';
import { config, configMap, deployment, GitCluster } from './git-cluster.js';

let here: GitCluster;
let good: string;

const with2 = (more = ''): string =>
  config(
    `{name: web, path: apps/web, namespace: default${more}}`,
    '{name: other, path: apps/other, namespace: default}',
  );

const start = async (capstan = with2()): Promise<void> => {
  good = here.repository.publish({
    'capstan.yaml': capstan,
    'apps/web/web.yaml': deployment('web'),
    'apps/other/c.yaml': configMap('c'),
  });
  await here.start();
  await here.reaches('web', 'Progressing');
  await here.report('web', 'default', 'available');
  await here.reaches('web', 'Healthy', good);
};

const imageOf = async (): Promise<string | undefined> =>
  (await here.cluster.get(deployments, { name: 'web', namespace: 'default' })).spec.template.spec
    ?.containers[0]?.image;

/** Pushes an image that never gets ready, and lets its deadline pass. */
const breakIt = async (): Promise<string> => {
  const bad = here.repository.publish(
    { 'apps/web/web.yaml': deployment('web', 'web:broken'), 'apps/other/c.yaml': configMap('c', '2') },
    'Ship the broken one',
  );
  await eventually(async () => expect(await imageOf()).toBe('web:broken'));
  const pod = await here.cluster.create(pods, {
    metadata: { name: 'web-1', namespace: 'default', labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'web:broken' }] },
  });
  await here.cluster.updateStatus(pods, {
    ...pod,
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'main',
          image: 'web:broken',
          imageID: '',
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
        },
      ],
    },
  });
  await here.report('web', 'default', 'stuck');
  return bad;
};

const headOf = (): string => git(here.repository.bare, 'rev-parse', 'main');

beforeEach(() => {
  here = new GitCluster();
});
afterEach(async () => {
  await here.destroy();
});

describe('a Deployment that misses its progress deadline', () => {
  it('is rolled back by a commit that reverts exactly its application, with author, reason and trailers', async () => {
    await start();
    const bad = await breakIt();
    await eventually(() => expect(headOf()).not.toBe(bad));
    const revert = headOf();
    expect(git(here.repository.bare, 'log', '-1', '--format=%an <%ae>', 'main')).toBe(
      'Capstan <capstan@test.cluster>',
    );
    const message = git(here.repository.bare, 'log', '-1', '--format=%B', 'main');
    expect(message).toContain(`Roll web back to ${good.slice(0, 8)}`);
    expect(message).toContain(`"Ship the broken one" (${bad.slice(0, 8)}) did not become healthy`);
    expect(message).toMatch(
      /Deployment web made no progress within 600 s; pod web-1: container main: CrashLoopBackOff/,
    );
    expect(message).toContain(`\nCapstan-Revision: ${good}\nCapstan-Rolled-Back: ${bad}\n`);
    expect(git(here.repository.bare, 'diff', '--name-only', bad, revert)).toBe('apps/web/web.yaml');
    expect(git(here.repository.bare, 'rev-parse', `${revert}:apps/web`)).toBe(
      git(here.repository.bare, 'rev-parse', `${good}:apps/web`),
    );
    await eventually(async () => expect(await imageOf()).toBe('web:1'));
    await here.report('web', 'default', 'available');
    const web = await here.reaches('web', 'Healthy', revert);
    expect(web.status?.rolledBack).toMatchObject({ revision: bad, to: good, commit: revert });
    expect(here.repositoryObject?.status?.history?.some(({ outcome }) => outcome === 'RolledBack')).toBe(
      true,
    );
  });

  it('is not rolled back twice: if the old revision fails too, it is left as it is', async () => {
    await start();
    const bad = await breakIt();
    await eventually(() => expect(headOf()).not.toBe(bad));
    const revert = headOf();
    await eventually(async () => expect(await imageOf()).toBe('web:1'));
    await here.report('web', 'default', 'stuck');
    await eventually(() => expect(here.application('web')?.status?.message).toMatch(/nothing to take back/));
    expect(here.application('web')?.status?.phase).toBe('Degraded');
    expect(headOf()).toBe(revert);
  });

  it('is held where onFailure says so', async () => {
    await start(with2(', onFailure: hold'));
    const bad = await breakIt();
    const web = await here.reaches('web', 'Held', bad);
    expect(web.status?.message).toMatch(/it is held as it is: push a fix$/);
    expect(headOf()).toBe(bad);
  });

  it('is proposed as a branch where the configuration says so, once', async () => {
    await start(`${with2()}  rollback: {write: proposal}\n`);
    const bad = await breakIt();
    const branch = `capstan/rollback/${bad.slice(0, 8)}`;
    await eventually(() => expect(git(here.repository.bare, 'rev-parse', `${branch}^`)).toBe(bad));
    await eventually(() =>
      expect(here.application('web')?.status?.message).toContain(`is proposed as branch ${branch}`),
    );
    expect(headOf()).toBe(bad);
    expect(await imageOf()).toBe('web:broken');
  });

  it('is not rolled back over a newer commit of a person', async () => {
    await start();
    const bad = await breakIt();
    const fix = here.repository.commit({ 'apps/web/web.yaml': deployment('web', 'web:fixed') });
    // Whoever comes first: if the fix loses the race with the revert, it is pushed on top of it.
    try {
      here.repository.push();
    } catch {
      git(here.repository.clone, 'fetch', '--quiet', 'origin');
      git(here.repository.clone, 'rebase', '--quiet', '-X', 'theirs', 'origin/main');
      here.repository.push();
    }
    await eventually(async () => expect(await imageOf()).toBe('web:fixed'));
    await here.report('web', 'default', 'available');
    await here.reaches('web', 'Healthy', headOf());
    expect(git(here.repository.bare, 'show', 'main:apps/web/web.yaml')).toContain('web:fixed');
    expect([fix, bad]).toHaveLength(2);
  });
});
