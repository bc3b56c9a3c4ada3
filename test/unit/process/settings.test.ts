import { describe, expect, it } from 'vitest';
import { readSettings, toFile, toFlags, type SettingSources } from '../../../src/process/settings.js';

const read = (sources: Partial<SettingSources>) =>
  readSettings({ options: {}, environment: {}, files: [], ...sources });

describe('settings', () => {
  it('have a default for everything that is not said', () => {
    const settings = read({});
    expect(settings.dataDir).toBe('/var/lib/capstan');
    expect(settings.apiPort).toBe(6443);
    expect(settings.runtime).toBe('docker');
    expect(settings.repo).toBeUndefined();
  });

  it('are read from the command line before the environment before the file', () => {
    const file = { name: 'config.yaml', content: 'data-dir: /from/file\nbranch: release\napi-port: 1\n' };
    const settings = read({
      options: { apiPort: '7000' },
      environment: { CAPSTAN_DATA_DIR: '/from/environment' },
      files: [file],
    });
    expect(settings).toMatchObject({ dataDir: '/from/environment', branch: 'release', apiPort: 7000 });
  });

  it('take a key from the first file that has it', () => {
    const settings = read({
      files: [
        { name: 'config.yaml', content: 'branch: release' },
        { name: 'settings.yaml', content: 'branch: old\nruntime: hollow' },
      ],
    });
    expect(settings).toMatchObject({ branch: 'release', runtime: 'hollow' });
  });

  it.each([
    [{ options: { apiPort: 'x' } }, '--api-port: x is not a whole number from 0 to 65535'],
    [{ options: { apiPort: '70000' } }, '--api-port: 70000 is not a whole number from 0 to 65535'],
    [{ options: { runtime: 'rkt' } }, '--runtime: rkt is none of docker, podman, hollow'],
    [{ options: { podCidr: '10.0.0.0' } }, '--pod-cidr: 10.0.0.0 is not an IPv4 network'],
    [{ options: { podCidr: '10.0.300.0/16' } }, '--pod-cidr: 10.0.300.0/16 is not an IPv4 network'],
    [
      { files: [{ name: 'c.yaml', content: 'api-prot: 1' }] },
      'c.yaml: unknown key api-prot; known keys are data-dir',
    ],
    [{ files: [{ name: 'c.yaml', content: 'branch: [a]' }] }, '--branch: must be a single value'],
    [{ files: [{ name: 'c.yaml', content: '- a' }] }, 'c.yaml: not a map of settings'],
  ])('refuse %j with a sentence that names the setting', (sources, message) => {
    expect(() => read(sources)).toThrow(message);
  });

  it('come back the same from the flags and the file that hand them on', () => {
    const settings = read({
      options: { runtime: 'hollow', repo: '/srv/git/x', hollowNodes: '7', apiPort: '7000' },
    });
    const flags = toFlags(settings);
    const options = Object.fromEntries(
      flags.flatMap((flag, index) =>
        flag.startsWith('--')
          ? [[flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), flags[index + 1]]]
          : [],
      ),
    );
    expect(read({ options })).toEqual(settings);
    expect(read({ files: [{ name: 'f', content: toFile(settings) }] })).toEqual(settings);
  });
});
