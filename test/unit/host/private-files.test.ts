import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { privateFiles } from '../../../src/host/private-files.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'capstan-private-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('private files', () => {
  it('can be read by their owner only, and so can their folder', async () => {
    const folder = join(root, 'a', 'pki');
    const files = await privateFiles(folder);
    await files.write('ca.key', 'secret');
    expect(await files.read('ca.key')).toBe('secret');
    expect(await modeOf(folder)).toBe('700');
    expect(await modeOf(join(folder, 'ca.key'))).toBe('600');
  });

  it('close a folder that others could read', async () => {
    const folder = join(root, 'pki');
    await mkdir(folder);
    await chmod(folder, 0o755);
    await privateFiles(folder);
    expect(await modeOf(folder)).toBe('700');
  });

  it('replace a file in one step, make it private, and leave nothing beside it', async () => {
    const files = await privateFiles(root);
    await writeFile(join(root, 'ca.key'), 'old', { mode: 0o644 });
    await files.write('ca.key', 'new');
    expect(await files.read('ca.key')).toBe('new');
    expect(await modeOf(join(root, 'ca.key'))).toBe('600');
    expect(await readdir(root)).toEqual(['ca.key']);
  });

  it('leave nothing beside a file that could not be replaced', async () => {
    const files = await privateFiles(root);
    await mkdir(join(root, 'ca.key', 'in-the-way'), { recursive: true });
    await expect(files.write('ca.key', 'x')).rejects.toThrow();
    expect(await readdir(root)).toEqual(['ca.key']);
  });

  it('are undefined where there are none', async () => {
    expect(await (await privateFiles(root)).read('absent')).toBeUndefined();
  });
});
