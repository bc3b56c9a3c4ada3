// Which of a pod's pull secrets are for an image's registry.
import { describe, expect, it } from 'vitest';
import { pullCredentials, repositoryOf } from '../../../src/node/pull-credentials.js';
import { pod, references } from './pod-picture-setup.js';

const secretOf = (auths: Record<string, string>): Record<string, string> => {
  const entries = Object.entries(auths).map(([key, login]) => [
    key,
    { auth: Buffer.from(login).toString('base64') },
  ]);
  const text = JSON.stringify({ auths: Object.fromEntries(entries) as unknown });
  return { '.dockerconfigjson': Buffer.from(text).toString('base64') };
};

const found = (image: string, auths: Record<string, string>): readonly string[] =>
  pullCredentials(
    pod({ imagePullSecrets: [{ name: 'pull' }] }),
    image,
    references({ secrets: { pull: secretOf(auths) } }),
  ).credentials.map(({ username = '', password = '' }) => `${username}:${password}`);

describe('the repository of an image', () => {
  it.each([
    ['nginx', 'index.docker.io/library/nginx'],
    ['team/app:1', 'index.docker.io/team/app'],
    ['docker.io/team/app', 'index.docker.io/team/app'],
    ['registry:5000/team/app:1', 'registry:5000/team/app'],
    ['ghcr.io/team/app@sha256:abc', 'ghcr.io/team/app'],
    ['localhost/app:2', 'localhost/app'],
  ])('of %s is %s', (image, repository) => {
    expect(repositoryOf(image)).toBe(repository);
  });
});

describe('the credentials for an image', () => {
  it.each<[string, string, Record<string, string>, readonly string[]]>([
    ['of its registry', 'r.example/a:1', { 'r.example': 'u:p', 'other.example': 'x:y' }, ['u:p']],
    ['written as an address', 'r.example/a', { 'https://r.example/v2/': 'u:p' }, ['u:p']],
    ['of Docker Hub', 'team/app', { 'https://index.docker.io/v1/': 'u:p' }, ['u:p']],
    ['with a port', 'r.example:5000/a', { 'r.example': 'x:y', 'r.example:5000': 'u:p' }, ['u:p']],
    ['for every part of a host', 'a.r.example/x', { '*.r.example': 'u:p', 'r.example': 'x:y' }, ['u:p']],
    ['not for more parts', 'a.b.r.example/x', { '*.r.example': 'u:p' }, []],
    [
      'of its path first',
      'r.example/t/a',
      { 'r.example': 'all:1', 'r.example/t': 't:2', 'r.example/z': 'z:3' },
      ['t:2', 'all:1'],
    ],
    ['with a colon in the password', 'r.example/a', { 'r.example': 'u:p:q' }, ['u:p:q']],
  ])('are those %s', (_name, image, auths, expected) => {
    expect(found(image, auths)).toEqual(expected);
  });

  it('come from the old format of such secrets too', () => {
    const text = JSON.stringify({ 'r.example': { username: 'u', password: 'p' } });
    const secrets = { pull: { '.dockercfg': Buffer.from(text).toString('base64') } };
    const { credentials } = pullCredentials(
      pod({ imagePullSecrets: [{ name: 'pull' }] }),
      'r.example/a',
      references({ secrets }),
    );
    expect(credentials).toMatchObject([{ server: 'r.example', username: 'u', password: 'p' }]);
  });

  it('are none where a secret is malformed or absent, which is told', () => {
    const broken = { broken: { '.dockerconfigjson': Buffer.from('{').toString('base64') } };
    const result = pullCredentials(
      pod({ imagePullSecrets: [{ name: 'broken' }, { name: 'absent' }] }),
      'r.example/a',
      references({ secrets: broken }),
    );
    expect(result).toEqual({ credentials: [], missing: ['absent'], unknown: false });
  });

  it('are waited for while the secrets are not known', () => {
    const result = pullCredentials(
      pod({ imagePullSecrets: [{ name: 'pull' }] }),
      'r.example/a',
      references({ unknown: true }),
    );
    expect(result.unknown).toBe(true);
  });
});
