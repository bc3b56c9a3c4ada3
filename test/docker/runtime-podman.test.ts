// Podman, by its Docker-compatible socket, keeps the contract of the runtime.
import { randomBytes } from 'node:crypto';
import { silent } from '../../src/base/log.js';
import { createDockerRuntime } from '../../src/host/docker/docker-runtime.js';
import { removeOwnBridge } from '../../src/host/docker/own-bridge.js';
import { describeRuntime } from '../contract/runtime.js';
import { importBusybox } from './busybox-image.js';
import { startPodmanEngine } from './podman-engine.js';

const image = 'test/busybox:1';

describeRuntime('podman', async () => {
  const engine = await startPodmanEngine();
  await importBusybox(engine.host, image);
  const identity = { instance: `podman-${randomBytes(4).toString('hex')}`, node: 'n1' };
  const runtime = await createDockerRuntime({
    host: engine.host,
    ...identity,
    flavor: 'podman',
    log: silent,
  });
  const close = async (): Promise<void> => {
    await engine.stop();
    await removeOwnBridge(identity, new AbortController().signal);
  };
  return { runtime, image, network: '10.207.0', close };
});
