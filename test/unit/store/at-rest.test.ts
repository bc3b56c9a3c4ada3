import { expect, test } from 'vitest';
import { EncryptingEngine } from '../../../src/store/at-rest/encrypting-engine.js';
import { KeyRing } from '../../../src/store/at-rest/key-ring.js';
import type { KeyFile } from '../../../src/store/at-rest/key-ring.js';
import { rewriteStale, rotateKey } from '../../../src/store/at-rest/rewrite.js';
import { isSealed, keyIdOf } from '../../../src/store/at-rest/sealed-value.js';
import type { Engine } from '../../../src/store/engine.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import { RevisionConflict } from '../../../src/store/store.js';
import { storeContract } from '../../contract/store.js';
import { GatedEngine } from './gated-engine.js';

const prefix = 'core/secrets/';

class MemoryKeyFile implements KeyFile {
  readonly location = '/data/keys/secrets.json';
  content: string | undefined;
  /** Every content that the file ever had. */
  readonly history: string[] = [];
  failing = false;

  read(): Promise<string | undefined> {
    return Promise.resolve(this.content);
  }

  write(content: string): Promise<void> {
    if (this.failing) return Promise.reject(new Error('no space left'));
    this.content = content;
    this.history.push(content);
    return Promise.resolve();
  }
}

const openEngine = async (engine: Engine, file: KeyFile): Promise<EncryptingEngine> =>
  new EncryptingEngine({ engine, ring: await KeyRing.open(file), prefixes: [prefix] });

const onDisk = (engine: Engine): ReadonlyMap<string, string> =>
  new Map(
    Array.from(engine.load().entries, ({ key, value }) => [key, Buffer.from(value).toString('latin1')]),
  );

const put = (store: MvccStore, key: string, value: string): Promise<number> =>
  store.commit({ key, value: Buffer.from(value) }, store.get(key)?.modified ?? 0);

const text = (store: MvccStore, key: string): string | undefined => {
  const entry = store.get(key);
  return entry === undefined ? undefined : Buffer.from(entry.value).toString();
};

storeContract('an encrypting engine', () => {
  const disk = new MemoryEngine();
  const file = new MemoryKeyFile();
  return Promise.resolve({
    open: async (options) =>
      new MvccStore(
        new EncryptingEngine({ engine: disk, ring: await KeyRing.open(file), prefixes: [''] }),
        options,
      ),
    dispose: () => Promise.resolve(),
  });
});

test('what lies under the prefix is sealed on the disk, what does not is not, and a restart reads both', async () => {
  const disk = new MemoryEngine();
  const file = new MemoryKeyFile();
  const store = new MvccStore(await openEngine(disk, file));
  expect(file.content).toBeUndefined();
  await put(store, 'core/configmaps/a/c', '{"plain":true}');
  expect(file.content, 'nothing had to be sealed yet').toBeUndefined();
  await put(store, `${prefix}a/s`, '{"data":"hunter2"}');
  const lying = onDisk(disk);
  expect(lying.get('core/configmaps/a/c')).toBe('{"plain":true}');
  expect(lying.get(`${prefix}a/s`)).not.toContain('hunter2');
  const again = new MvccStore(await openEngine(disk, file));
  expect(text(again, `${prefix}a/s`)).toBe('{"data":"hunter2"}');
  expect(again.revision).toBe(store.revision);
});

test('a sealed value that is moved to another object, or altered, is refused', async () => {
  const disk = new MemoryEngine();
  const file = new MemoryKeyFile();
  const store = new MvccStore(await openEngine(disk, file));
  await put(store, `${prefix}a/s`, '{"data":"hunter2"}');
  const [entry] = disk.load().entries;
  const revision = entry!.modified + 1;
  const moved = { ...entry!, key: `${prefix}b/s`, created: revision, modified: revision };
  await disk.append([{ revision, key: moved.key, entry: moved, previous: undefined }]);
  const engine = await openEngine(disk, file);
  expect(() => engine.load()).toThrow(
    /core\/secrets\/b\/s cannot be decrypted: key [0-9a-f]+ in key file \/data/,
  );
});

test('a lost key file, a foreign one and a damaged one are each an error that names the file, and nothing is written', async () => {
  const disk = new MemoryEngine();
  const file = new MemoryKeyFile();
  await put(new MvccStore(await openEngine(disk, file)), `${prefix}a/s`, '{"data":"hunter2"}');
  const lost = new MemoryKeyFile();
  const withoutFile = await openEngine(disk, lost);
  expect(() => withoutFile.load()).toThrow(
    /is encrypted with key [0-9a-f]+, which was in key file .*secrets\.json, and that file is gone/,
  );
  expect(lost.content).toBeUndefined();
  const foreign = new MemoryKeyFile();
  await put(new MvccStore(await openEngine(new MemoryEngine(), foreign)), `${prefix}x/y`, '{}');
  const withForeign = await openEngine(disk, foreign);
  expect(() => withForeign.load()).toThrow(/is not in key file/);
  for (const content of [
    '',
    '{',
    '{"version":2}',
    '{"version":1,"keys":[]}',
    '{"version":1,"keys":[{"id":"a","secret":"AA=="}]}',
  ]) {
    const damaged = new MemoryKeyFile();
    damaged.content = content;
    await expect(KeyRing.open(damaged)).rejects.toThrow(/secrets\.json .*put the right file back/);
  }
  expect([...onDisk(disk).values()].every((value) => isSealed(Buffer.from(value, 'latin1')))).toBe(true);
});

test('what older data holds in the clear stays readable, and is sealed by a rewrite', async () => {
  const disk = new MemoryEngine();
  await put(new MvccStore(disk), `${prefix}a/old`, '{"data":"plain"}');
  const engine = await openEngine(disk, new MemoryKeyFile());
  const store = new MvccStore(engine);
  expect(text(store, `${prefix}a/old`)).toBe('{"data":"plain"}');
  expect(engine.stale()).toEqual([`${prefix}a/old`]);
  expect(await rewriteStale(store, engine)).toEqual({ values: 1, dropped: [] });
  expect(onDisk(disk).get(`${prefix}a/old`)).not.toContain('plain');
  expect(text(store, `${prefix}a/old`)).toBe('{"data":"plain"}');
});

test('a rotation writes everything under the new key and drops the old one, while others write', async () => {
  const disk = new MemoryEngine();
  const file = new MemoryKeyFile();
  const engine = await openEngine(disk, file);
  const store = new MvccStore(engine);
  for (let n = 0; n < 200; n += 1) await put(store, `${prefix}a/${String(n)}`, `{"n":${String(n)}}`);
  const old = engine.ring.current.id;
  const over = new AbortController();
  // A writer that reads again when the rotation was faster, as every client does.
  const writer = (async () => {
    for (let n = 0; !over.signal.aborted; n += 1)
      await put(store, `${prefix}busy/${String(n % 7)}`, `{"busy":${String(n)}}`).catch((error: unknown) => {
        if (!(error instanceof RevisionConflict)) throw error;
      });
  })();
  const { key, values, dropped } = await rotateKey(store, engine);
  over.abort();
  await writer;
  expect(values).toBeGreaterThan(150);
  expect(dropped).toEqual([old]);
  expect(engine.ring.ids).toEqual([key]);
  expect(new Set([...onDisk(disk).values()].map((value) => keyIdOf(Buffer.from(value, 'latin1'))))).toEqual(
    new Set([key]),
  );
  expect(file.content).not.toContain(old);
  const again = new MvccStore(await openEngine(disk, file));
  expect(text(again, `${prefix}a/199`)).toBe('{"n":199}');
});

test('a rotation that crashes at any step leaves everything readable, and the next start finishes it', async () => {
  const disk = new MemoryEngine();
  const file = new MemoryKeyFile();
  const store = new MvccStore(await openEngine(disk, file));
  for (let n = 0; n < 5; n += 1) await put(store, `${prefix}a/${String(n)}`, `{"n":${String(n)}}`);
  // The crash: the new key is in the file, and only some values are under it.
  const crashing = await openEngine(disk, file);
  const half = new MvccStore(crashing);
  await crashing.ring.add();
  await put(half, `${prefix}a/0`, '{"n":0}');
  const restarted = await openEngine(disk, file);
  const after = new MvccStore(restarted);
  expect(restarted.stale()).toHaveLength(4);
  for (let n = 0; n < 5; n += 1) expect(text(after, `${prefix}a/${String(n)}`)).toBe(`{"n":${String(n)}}`);
  const { values, dropped } = await rewriteStale(after, restarted);
  expect([values, dropped.length]).toEqual([4, 1]);
  expect(restarted.ring.ids).toEqual([crashing.ring.current.id]);
});

test('a key file that cannot be written fails the write and leaves no sealed value behind it', async () => {
  const disk = new MemoryEngine();
  const file = new MemoryKeyFile();
  file.failing = true;
  const store = new MvccStore(await openEngine(disk, file));
  await expect(put(store, `${prefix}a/s`, '{}')).rejects.toThrow('no space left');
  expect([...onDisk(disk)]).toEqual([]);
});

test('a key is not dropped while a batch under it is on its way', async () => {
  const gate = new GatedEngine();
  const file = new MemoryKeyFile();
  const engine = await openEngine(gate, file);
  const store = new MvccStore(engine);
  const written = put(store, `${prefix}a/s`, '{"late":true}');
  const first = await gate.flush();
  const old = engine.ring.current.id;
  const rotation = rotateKey(store, engine);
  await new Promise((resolve) => setImmediate(resolve));
  expect(engine.ring.ids).toContain(old);
  first.succeed();
  await written;
  (await gate.flush()).succeed();
  expect((await rotation).dropped).toEqual([old]);
  expect(engine.used()).toEqual(new Set([engine.ring.current.id]));
});
