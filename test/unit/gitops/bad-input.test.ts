// What goes wrong with repositories, on real ones: the sentence that says so, and that nothing which ran before stops.
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { eventually, git } from '../../contract/git-fixtures.js';
import { config, configMap, deployment, GitCluster } from './git-cluster.js';

let here: GitCluster;
let good: string;

const two = config(
  '{name: one, path: one, namespace: default}',
  '{name: two, path: two, namespace: default}',
);

beforeEach(async () => {
  here = new GitCluster();
  good = here.repository.publish({
    'capstan.yaml': two,
    'one/a.yaml': configMap('a'),
    'two/b.yaml': configMap('b'),
  });
  await here.start();
  await here.reaches('one', 'Healthy', good);
  await here.reaches('two', 'Healthy', good);
});
afterEach(async () => {
  await here.destroy();
});

const valueOf = async (name: string): Promise<string | undefined> =>
  (await here.cluster.get(configmaps, { name, namespace: 'default' })).data?.['value'];

const stillHeals = async (name: string): Promise<void> => {
  await here.cluster.delete(configmaps, { name, namespace: 'default' });
  await eventually(async () => expect(await valueOf(name)).toBe('1'), 5_000);
};

const errorsOf = (name: string): readonly string[] =>
  (here.application(name)?.status?.errors ?? []).map(
    ({ file, line, column, message }) => `${file ?? ''}:${String(line)}:${String(column)}: ${message}`,
  );

describe('manifests with errors', () => {
  it.each<[string, Record<string, string>, readonly (string | RegExp)[]]>([
    [
      'YAML that does not parse',
      { 'one/x.yaml': 'a: b\n c: d\n' },
      [/^one\/x\.yaml:2:2: this is not valid YAML: a key is not allowed here/],
    ],
    [
      'a field of the wrong type',
      { 'one/x.yaml': deployment('x').replace('replicas: 2', 'replicas: two') },
      [/^one\/x\.yaml:6:3: Deployment x: spec\.replicas/],
    ],
    [
      'a field that does not exist',
      { 'one/x.yaml': `${configMap('x')}dta: {}\n` },
      [/^one\/x\.yaml:7:1: ConfigMap x: dta/],
    ],
    [
      'an unknown kind',
      { 'one/x.yaml': configMap('x').replace('ConfigMap', 'ConfigMpa') },
      ['one/x.yaml:2:1: there is no kind ConfigMpa in v1; did you mean ConfigMap?'],
    ],
    [
      'two files with one object',
      { 'one/x.yaml': configMap('same'), 'one/y.yaml': configMap('same') },
      [
        'one/x.yaml:4:3: ConfigMap same is also in one/y.yaml:4: an object stands in one place, remove one of the two',
        'one/y.yaml:4:3: ConfigMap same is also in one/x.yaml:4: an object stands in one place, remove one of the two',
      ],
    ],
    [
      'a manifest without a namespace',
      {
        'capstan.yaml': two.replace('path: one, namespace: default', 'path: one'),
        'one/a.yaml': configMap('a', '1', 'default'),
        'one/x.yaml': configMap('x'),
      },
      [
        'one/x.yaml:4:3: ConfigMap x has no namespace: set metadata.namespace, or namespace of application one in capstan.yaml',
      ],
    ],
    [
      'what the API server refuses',
      {
        'one/x.yaml': `apiVersion: v1\nkind: Service\nmetadata:\n  name: x\nspec:\n  clusterIP: 1.2.3.4\n  ports: [{port: 80}]\n`,
      },
      [/^one\/x\.yaml:5:1: Service x: spec\.clusterIPs/],
    ],
  ])(
    '%s: nothing of that revision is applied to that application, others go on',
    async (_, files, expected) => {
      const oid = here.repository.publish({
        ...files,
        'one/a.yaml': files['one/a.yaml'] ?? configMap('a', '2'),
        'two/b.yaml': configMap('b', '2'),
      });
      const one = await here.reaches('one', 'Failed');
      expect(one.status?.revision).toBe(good);
      expect(one.status?.targetRevision).toBe(oid);
      expect(errorsOf('one')).toHaveLength(expected.length);
      for (const [index, text] of expected.entries())
        expect(errorsOf('one')[index]).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
      await here.reaches('two', 'Healthy', oid);
      expect([await valueOf('a'), await valueOf('b')]).toEqual(['1', '2']);
      await expect(valueOf('x')).rejects.toMatchObject({ code: 'NotFound' });
      await stillHeals('a');
      await eventually(() => expect(here.statusFile('STATUS.md')).toContain(errorsOf('one')[0]));
      expect(
        here.events.some(
          ({ type, message }) => type === 'Warning' && message.includes(errorsOf('one')[0] ?? '-'),
        ),
      ).toBe(true);
    },
  );

  it('a field that may not change is named at its place', async () => {
    here.repository.publish({ 'one/d.yaml': deployment('d') });
    await here.reaches('one', 'Progressing');
    const changed = deployment('d').replaceAll('{app: d}', '{app: e}');
    here.repository.publish({ 'one/d.yaml': changed, 'one/a.yaml': configMap('a', '2') });
    await here.reaches('one', 'Failed');
    expect(errorsOf('one')).toEqual([
      expect.stringMatching(/^one\/d\.yaml:7:3: Deployment d: spec\.selector.*immutable/),
    ]);
    expect(await valueOf('a')).toBe('1');
  });

  it('an object in a namespace that nobody makes is refused, until somebody makes it', async () => {
    const oid = here.repository.publish({
      'one/n.yaml': configMap('new', '1', 'nowhere'),
      'one/a.yaml': configMap('a', '2'),
    });
    await here.reaches('one', 'Failed', good);
    expect(errorsOf('one')).toEqual([
      'one/n.yaml:4:3: ConfigMap new is to be in namespace nowhere, which does not exist: add a Namespace manifest to the repository',
    ]);
    expect(await valueOf('a')).toBe('1');
    await here.cluster.create(namespaces, { metadata: { name: 'nowhere' } });
    await here.reaches('one', 'Healthy', oid);
  });

  it('two applications with one object: both say where, neither moves', async () => {
    here.repository.publish({ 'one/s.yaml': configMap('s'), 'two/s.yaml': configMap('s') });
    await here.reaches('one', 'Failed');
    await here.reaches('two', 'Failed');
    expect(errorsOf('one')).toEqual([
      'one/s.yaml:4:3: ConfigMap s also belongs to application two (two/s.yaml:4): one application owns an object, remove it from the other',
    ]);
    expect(errorsOf('two')[0]).toMatch(/^two\/s\.yaml:4:3: ConfigMap s also belongs to application one/);
  });

  it('an object that another application owns and cannot let go is a conflict, not a fight', async () => {
    here.repository.publish({
      'one/a.yaml': undefined,
      'one/bad.yaml': 'a: [',
      'two/a.yaml': configMap('a', '2'),
    });
    const twoNow = await eventually(() => {
      const application = here.application('two');
      if (application?.status?.phase !== 'Failed') throw new Error(application?.status?.phase);
      return application;
    });
    expect(twoNow.status?.message).toMatch(
      /ConfigMap a is owned by application one: remove it there first, or here/,
    );
    expect(await valueOf('a')).toBe('1');
  });

  it('an error in capstan.yaml holds every application where it is', async () => {
    here.repository.publish({
      'capstan.yaml': two.replace('path: two', 'paht: two'),
      'one/a.yaml': configMap('a', '2'),
    });
    await here.reaches('one', 'Failed', good);
    expect(errorsOf('one')).toContain(
      'capstan.yaml:7:19: spec.applications[1].paht is not a setting; did you mean path?',
    );
    expect(here.repositoryObject?.status?.errors?.map(({ line }) => line)).toContain(7);
    expect(await valueOf('a')).toBe('1');
    await stillHeals('b');
  });

  it('a newer commit supersedes the failing one', async () => {
    here.repository.publish({ 'one/x.yaml': 'a: [' });
    await here.reaches('one', 'Failed');
    const oid = here.repository.publish({ 'one/x.yaml': undefined, 'one/a.yaml': configMap('a', '3') });
    await here.reaches('one', 'Healthy', oid);
    expect(errorsOf('one')).toEqual([]);
    expect(await valueOf('a')).toBe('3');
  });
});

describe('a repository that misbehaves', () => {
  it('disappears: it is said, what runs is kept and healed; it returns: pushes count again', async () => {
    const { bare } = here.repository;
    renameSync(bare, `${bare}.away`);
    await eventually(() =>
      expect(here.repositoryObject?.status?.error).toBe(
        `there is no Git repository at ${bare}: put it back, or name another with --repo`,
      ),
    );
    await stillHeals('a');
    renameSync(`${bare}.away`, bare);
    const oid = here.repository.publish({ 'one/a.yaml': configMap('a', '4') });
    await here.reaches('one', 'Healthy', oid);
    expect(here.repositoryObject?.status?.error).toBeUndefined();
    expect(await valueOf('a')).toBe('4');
  });

  it('is force-pushed to an unrelated history: that history runs, and what is the same is not touched', async () => {
    const { uid } = (await here.cluster.get(configmaps, { name: 'a', namespace: 'default' })).metadata;
    git(here.repository.clone, 'checkout', '--quiet', '--orphan', 'other');
    const oid = here.repository.commit({ 'two/b.yaml': configMap('b', '9') });
    here.repository.push('--force');
    await here.reaches('two', 'Healthy', oid);
    await here.reaches('one', 'Healthy', oid);
    expect(await valueOf('b')).toBe('9');
    expect((await here.cluster.get(configmaps, { name: 'a', namespace: 'default' })).metadata.uid).toBe(uid);
  });

  it('is emptied: nothing is deleted, and it is said how that would be ordered', async () => {
    git(here.repository.clone, 'rm', '-rq', '.');
    here.repository.publish({});
    await here.reaches('one', 'Failed', good);
    expect(errorsOf('one')[0]).toBe(
      'capstan.yaml:1:1: the repository is empty, and what runs is kept: push manifests, or delete everything with spec.allowEmpty: true in capstan.yaml',
    );
    await stillHeals('b');
  });

  it('has an emptied folder: the application is kept, and it is said how it would be deleted', async () => {
    here.repository.publish({ 'one/a.yaml': undefined });
    await here.reaches('one', 'Failed', good);
    expect(errorsOf('one')[0]).toMatch(
      /^capstan\.yaml:6:19: application one: there is no folder one, and what runs is kept/,
    );
    await stillHeals('a');
  });

  it('is emptied on purpose: everything is deleted', async () => {
    git(here.repository.clone, 'rm', '-rq', '.');
    here.repository.publish({
      'capstan.yaml':
        'apiVersion: capstan.dev/v1\nkind: ClusterConfig\nspec: {allowEmpty: true, applications: []}\n',
    });
    await eventually(async () => {
      await expect(valueOf('a')).rejects.toMatchObject({ code: 'NotFound' });
      await expect(valueOf('b')).rejects.toMatchObject({ code: 'NotFound' });
      expect(here.application('one')).toBeUndefined();
    });
  });

  it('is damaged: the object is named, and what runs goes on', async () => {
    const { bare } = here.repository;
    const oid = here.repository.commit({ 'one/a.yaml': configMap('a', '5') });
    here.repository.push();
    await here.reaches('one', 'Healthy', oid);
    const next = here.repository.commit({ 'one/a.yaml': configMap('a', '6') });
    git(here.repository.clone, 'push', '--quiet', 'origin', `${next}:refs/heads/side`);
    rmSync(join(bare, 'objects', next.slice(0, 2), next.slice(2)));
    writeFileSync(join(bare, 'refs', 'heads', 'main'), `${next}\n`);
    await eventually(() =>
      expect(here.repositoryObject?.status?.error).toContain(`object ${next} is missing`),
    );
    expect(await valueOf('a')).toBe('5');
    expect(readdirSync(bare)).toContain('HEAD');
  });

  it('loses its branch: it is said which one is missing', async () => {
    git(here.repository.bare, 'update-ref', '-d', 'refs/heads/main');
    await eventually(() =>
      expect(here.repositoryObject?.status?.error).toMatch(/has no branch main: push one/),
    );
    await stillHeals('a');
  });
});
