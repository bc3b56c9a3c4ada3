// `capstan backup`, `restore` and `secrets rotate-key`, as a user calls them, on a cluster of simulated nodes.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capstanProgram, kubectlProgram, must, run, type Result } from './command.js';
import { freePort } from './free-port.js';

const value = 'a value that nobody may find';
const encoded = Buffer.from(value).toString('base64');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-backup-'));
});

const started: string[] = [];
const at = (name: string): string => join(folder, name);
const capstan = (...args: readonly string[]): Promise<Result> => run(capstanProgram, args);
const kubectl = (dataDir: string, ...args: readonly string[]): Promise<string> =>
  must(kubectlProgram, ['--kubeconfig', join(dataDir, 'admin.kubeconfig'), ...args]);

const up = async (dataDir: string): Promise<void> => {
  const ports = ['--api-port', String(await freePort()), '--agent-port', String(await freePort())];
  const nodes = ['--runtime', 'hollow', '--hollow-nodes', '1', '--advertise-address', '127.0.0.1'];
  await must(capstanProgram, ['up', '--detach', '--data-dir', dataDir, ...ports, ...nodes], {
    timeoutMs: 100_000,
  });
  started.push(dataDir);
};
const down = async (dataDir: string): Promise<void> => {
  await must(capstanProgram, ['down', '--data-dir', dataDir]);
};

afterAll(async () => {
  for (const dataDir of started) await run(capstanProgram, ['down', '--data-dir', dataDir]);
  await rm(folder, { recursive: true, force: true });
});

const secretOf = (dataDir: string): Promise<string> =>
  kubectl(dataDir, 'get', 'secret', 'token', '-o', 'jsonpath={.data.a}');

const database = (dataDir: string): Promise<Buffer> => readFile(join(dataDir, 'store', 'store.mdb'));

describe('a cluster with a Secret', () => {
  it('has it nowhere on the disk in the clear', async () => {
    await up(at('first'));
    await kubectl(at('first'), 'create', 'secret', 'generic', 'token', `--from-literal=a=${value}`);
    await kubectl(at('first'), 'create', 'configmap', 'plain', '--from-literal=a=visible-in-the-store');
    const bytes = await database(at('first'));
    expect(bytes.includes('visible-in-the-store')).toBe(true);
    expect(bytes.includes(encoded) || bytes.includes(value)).toBe(false);
    expect((await stat(join(at('first'), 'keys', 'secrets.json'))).mode & 0o777).toBe(0o600);
  });

  it('gets a new key while it runs', async () => {
    const before = await readFile(join(at('first'), 'keys', 'secrets.json'), 'utf8');
    const { code, stdout, stderr } = await capstan('secrets', 'rotate-key', '--data-dir', at('first'));
    expect(code, stderr).toBe(0);
    const old = (JSON.parse(before) as { keys: { id: string }[] }).keys[0]?.id ?? '';
    expect(stdout).toMatch(new RegExp(`new key [0-9a-f]{12}: [1-9]\\d* rewritten, dropped ${old}\\.`));
    expect(await readFile(join(at('first'), 'keys', 'secrets.json'), 'utf8')).not.toContain(old);
    expect(await secretOf(at('first'))).toBe(encoded);
  });

  it('is backed up while it runs, with the Secret encrypted, for its owner only', async () => {
    const { code, stderr } = await capstan('backup', at('online.gz'), '--data-dir', at('first'));
    expect(code, stderr).toBe(0);
    expect((await stat(at('online.gz'))).mode & 0o777).toBe(0o600);
    const text = gunzipSync(await readFile(at('online.gz'))).toString();
    expect(text).toContain('"core/secrets/default/token"');
    const all = text.replaceAll(/"(?:value|content)":"([^"]*)"/g, (_, base64: string) =>
      Buffer.from(base64, 'base64').toString('latin1'),
    );
    expect(all).toContain('visible-in-the-store');
    expect(all.includes(encoded) || all.includes(value)).toBe(false);
  });

  it('is backed up while it does not run', async () => {
    await down(at('first'));
    const { code, stderr } = await capstan('backup', at('offline.gz'), '--data-dir', at('first'));
    expect(code, stderr).toBe(0);
  });
});

describe('a backup', () => {
  it.each(['online', 'offline'])('that was made %s becomes the same cluster', async (name) => {
    const { code, stdout, stderr } = await capstan('restore', at(`${name}.gz`), '--data-dir', at(name));
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Restored \d+ objects as of \d{4}-/);
    await up(at(name));
    expect(await secretOf(at(name))).toBe(encoded);
    expect(await kubectl(at(name), 'get', 'configmap', 'plain', '-o', 'jsonpath={.data.a}')).toBe(
      'visible-in-the-store',
    );
    const authorities = await Promise.all(
      ['first', name].map((each) => readFile(join(at(each), 'pki', 'ca.crt'), 'utf8')),
    );
    expect(authorities[1], 'credentials that were given out stay good').toBe(authorities[0]);
    const heads = await Promise.all(
      ['first', name].map((each) => must('git', ['-C', join(at(each), 'repo.git'), 'rev-parse', 'main'])),
    );
    expect(heads[1]).toBe(heads[0]);
    await kubectl(at(name), 'create', 'configmap', 'later');
    const later = Number(
      await kubectl(at(name), 'get', 'cm', 'later', '-o', 'jsonpath={.metadata.resourceVersion}'),
    );
    expect(later, 'no revision comes back with another meaning').toBeGreaterThan(1_000_000);
    await down(at(name));
  });

  it('replaces nothing', async () => {
    const before = await readdir(at('first'));
    const refused = await capstan('restore', at('online.gz'), '--data-dir', at('first'));
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringContaining('is not empty, and a restore replaces nothing'),
    ]);
    expect(await readdir(at('first'))).toEqual(before);
  });

  it.each([
    ['cut short', (whole: Buffer) => whole.subarray(0, whole.length / 2), 'unexpected end of file'],
    [
      'without its end',
      (whole: Buffer) =>
        gzipSync(
          gunzipSync(whole)
            .toString()
            .replace(/\{"end".*\n$/, ''),
        ),
      'its end is missing',
    ],
    [
      'altered',
      (whole: Buffer) => gzipSync(gunzipSync(whole).toString().replace('"created":', '"created":1')),
      'its sum does not match',
    ],
    ['something else', () => Buffer.from('hello'), 'incorrect header check'],
  ])('that is %s restores nothing', async (_, spoil, why) => {
    await writeFile(at('spoilt.gz'), spoil(await readFile(at('online.gz'))));
    const refused = await capstan('restore', at('spoilt.gz'), '--data-dir', at('none'));
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining(why)]);
    expect(await readdir(folder)).not.toContain('none');
  });
});

it('a data directory without its key says so, and loses nothing', async () => {
  await capstan('restore', at('online.gz'), '--data-dir', at('keyless'));
  const key = join(at('keyless'), 'keys', 'secrets.json');
  const content = await readFile(key);
  await rm(key);
  const flags = [
    '--runtime',
    'hollow',
    '--api-port',
    String(await freePort()),
    '--agent-port',
    String(await freePort()),
  ];
  const refused = await capstan('up', '--detach', '--data-dir', at('keyless'), ...flags);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /core\/secrets\/\S+ is encrypted with key [0-9a-f]+, which was in key file .*, and that file is gone/,
  );
  await writeFile(key, content, { mode: 0o600 });
  await up(at('keyless'));
  expect(await secretOf(at('keyless'))).toBe(encoded);
});
