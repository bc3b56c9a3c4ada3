// The Git loop on a repository behind http, as it stands at a forge.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { eventually, git, serveGit } from '../../contract/git-fixtures.js';
import { config, configMap, GitCluster } from './git-cluster.js';

let here: GitCluster;
let server: Awaited<ReturnType<typeof serveGit>>;

beforeEach(async () => {
  here = new GitCluster();
  git(here.repository.bare, 'config', 'http.receivepack', 'true');
  server = await serveGit(here.root.path, { username: 'capstan', password: 's3cret' });
});
afterEach(async () => {
  await server.close();
  await here.destroy();
});

describe('a repository at a forge', () => {
  it('is fetched, carried out, and gets its status branch pushed, with no credential in sight', async () => {
    const oid = here.repository.publish({
      'capstan.yaml': config('{name: web, path: web, namespace: default}'),
      'web/a.yaml': configMap('a'),
    });
    await here.start({ address: `${server.url.replace('http://', 'http://capstan:s3cret@')}/repo.git` });
    await here.reaches('web', 'Healthy', oid);
    await eventually(() =>
      expect(here.statusFile('status/applications/web.yaml')).toContain(`revision: ${oid}`),
    );
    expect(JSON.stringify(here.repositoryObject)).not.toContain('s3cret');
    const next = here.repository.publish({ 'web/a.yaml': configMap('a', '2') });
    await here.reaches('web', 'Healthy', next);
    expect((await here.cluster.get(configmaps, { name: 'a', namespace: 'default' })).data?.['value']).toBe(
      '2',
    );
  });

  it('may go away and come back', async () => {
    const oid = here.repository.publish({
      'capstan.yaml': config('{name: web, path: web, namespace: default}'),
      'web/a.yaml': configMap('a'),
    });
    const url = server.url.replace('http://', 'http://capstan:s3cret@');
    await here.start({ address: `${url}/repo.git` });
    await here.reaches('web', 'Healthy', oid);
    const port = Number(new URL(server.url).port);
    await server.close();
    await eventually(() => expect(here.repositoryObject?.status?.error).toMatch(/cannot be reached/));
    expect(here.application('web')?.status?.phase).toBe('Healthy');
    server = await serveGit(here.root.path, { username: 'capstan', password: 's3cret' }, port);
    const next = here.repository.publish({ 'web/a.yaml': configMap('a', '3') });
    await here.reaches('web', 'Healthy', next);
    expect(here.repositoryObject?.status?.error).toBeUndefined();
  });
});
