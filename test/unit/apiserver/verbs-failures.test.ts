import { describe, expect, it } from 'vitest';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { services } from '../../../src/resources/kinds/services.js';
import type { Draft } from '../../../src/resources/resource.js';
import type { Change } from '../../../src/store/store.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { options, setup } from './verbs-setup.js';

/** A disk that can fill up. */
class FillingEngine extends MemoryEngine {
  full = false;

  override append(batch: readonly Change[]): Promise<void> {
    return this.full ? Promise.reject(new Error('no space left on device')) : super.append(batch);
  }
}

const a = { name: 'a', namespace: 'default' };

describe('a store that cannot write', () => {
  it('makes writes fail in a sentence, keeps reads working, and recovers', async () => {
    const engine = new FillingEngine();
    const test = await setup({ engine });
    await test.registry.create(configmaps, { metadata: a, data: { n: '0' } } as Draft, options);
    engine.full = true;
    const patch = { type: 'merge', patch: { data: { n: '1' } } } as const;
    for (const write of [
      test.registry.create(configmaps, { metadata: { ...a, name: 'b' } }, options),
      test.registry.patch(configmaps, a, patch, options),
      test.registry.delete(configmaps, a, {}, options),
    ])
      await expect(write).rejects.toMatchObject({
        code: 'ServiceUnavailable',
        retry: true,
        message: expect.stringContaining('no space left on device') as string,
      });
    const { object } = await test.registry.get(configmaps, a);
    expect(object).toMatchObject({ data: { n: '0' } });
    engine.full = false;
    await expect(test.registry.patch(configmaps, a, patch, options)).resolves.toBeDefined();
    await test.close();
  });

  it('gives back the addresses of Services that it did not take', async () => {
    const engine = new FillingEngine();
    const test = await setup({ engine });
    const service = (name: string): Draft =>
      ({
        metadata: { name, namespace: 'default' },
        spec: { clusterIP: '10.96.0.77', selector: { a: 'b' }, ports: [{ port: 80 }] },
      }) as Draft;
    engine.full = true;
    await expect(test.registry.create(services, service('a'), options)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });
    engine.full = false;
    await expect(test.registry.create(services, service('b'), options)).resolves.toBeDefined();
    await test.close();
  });
});

describe('bytes in the store that are no object', () => {
  it('are an internal error of the one who reads them, and of nobody else', async () => {
    const test = await setup();
    const value = new TextEncoder().encode('{"metadata":{"name":"torn"');
    await test.store.commit({ key: 'core/configmaps/default/torn', value }, 0);
    await test.registry.create(configmaps, { metadata: a }, options);
    await expect(test.registry.list(configmaps, { labelSelector: 'a=b' })).rejects.toMatchObject({
      code: 'InternalError',
    });
    await expect(test.registry.get(configmaps, a)).resolves.toBeDefined();
    await test.close();
  });
});
