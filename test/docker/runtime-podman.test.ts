// Podman, by its Docker-compatible socket, keeps the contract of the runtime.
import { silent } from '../../src/base/log.js';
import { createDockerRuntime } from '../../src/host/docker/docker-runtime.js';
import { describeRuntime } from '../contract/runtime.js';
import { importBusybox } from './busybox-image.js';
import { startPodmanEngine } from './podman-engine.js';

const image = 'test/busybox:1';

describeRuntime('podman', async () => {
  const engine = await startPodmanEngine();
  await importBusybox(engine.host, image);
  const runtime = await createDockerRuntime({
    host: engine.host,
    instance: 'contract',
    node: 'n1',
    flavor: 'podman',
    log: silent,
  });
  return { runtime, image, network: '10.207.0', close: () => engine.stop() };
});
