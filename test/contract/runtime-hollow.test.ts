// The simulated engine keeps the contract.
import { HollowEngine } from '../../src/host/hollow/hollow-engine.js';
import { systemClock } from '../../src/host/system-clock.js';
import { describeRuntime } from './runtime.js';

describeRuntime('hollow', () => {
  const engine = new HollowEngine({ clock: systemClock, images: ['busybox:1'] });
  return Promise.resolve({
    runtime: engine.runtime,
    image: 'busybox:1',
    network: '10.201.0',
    close: () => Promise.resolve(),
  });
});
