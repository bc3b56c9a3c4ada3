import { MemoryEngine } from '../../src/store/memory-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { storeContract } from './store.js';

storeContract('memory', () => {
  const engine = new MemoryEngine();
  return Promise.resolve({
    open: (options) => Promise.resolve(new MvccStore(engine, options)),
    dispose: () => Promise.resolve(),
  });
});
