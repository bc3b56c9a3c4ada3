// Many simulated nodes in one process share one source.
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { admissionPlugins } from '../../../src/apiserver/admission/plugins.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import { silent } from '../../../src/base/log.js';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { createInformers } from '../../../src/client/informers.js';
import { createHollowFiles } from '../../../src/host/hollow/hollow-files.js';
import { HollowEngine } from '../../../src/host/hollow/hollow-engine.js';
import { createFleet } from '../../../src/node/fleet.js';
import { viewPodSources } from '../../../src/node/view-pod-source.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { leases } from '../../../src/resources/kinds/leases.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { persistentvolumeclaims } from '../../../src/resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../../src/resources/kinds/persistentvolumes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { secrets } from '../../../src/resources/kinds/secrets.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import { machine } from './agent-harness.js';
import { turns } from './hollow-node.js';

it('a fleet registers its nodes, runs the pods of each and serves their logs', async () => {
  const clock = new ManualClock();
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const store = new MvccStore(new MemoryEngine(), {});
  const ids = { uid: () => randomUUID(), random: () => 0.5 };
  const admission = admissionPlugins({ store, serviceCidr: '10.96.0.0/16', lifetime: signal });
  const registry = createRegistry({ store, clock, ids, admission, log: silent });
  await bootstrap(registry, { serviceCidr: '10.96.0.0/16', apiPort: 6443 });
  const cluster = createLocalCluster(registry, { user: 'test', groups: ['system:masters'] });
  const informers = createInformers({
    cluster,
    kinds: [pods, nodes, configmaps, secrets, persistentvolumeclaims, persistentvolumes],
    clock,
    log: silent,
    random: () => 0.5,
  });
  const fleet = createFleet({
    count: 30,
    prefix: 'hollow',
    sources: viewPodSources(informers),
    member: () => {
      const engine = new HollowEngine({ clock });
      return { runtime: engine.runtime, prober: engine.prober, files: createHollowFiles(), cluster };
    },
    clock,
    log: silent,
    events: { record: () => undefined },
    machine,
    address: '127.0.0.1',
    agentPort: 10250,
    engine: { name: 'hollow', version: '1' },
    version: 'v0.1.0',
  });
  const running = Promise.all([informers.run(signal), fleet.run(signal)]);
  await clock.advance(2100, turns);
  const registered = (await cluster.list(nodes)).items;
  expect(registered.map(({ metadata }) => metadata.name).sort()).toEqual([...fleet.nodeNames].sort());
  expect((await cluster.list(leases, { namespace: 'kube-node-lease' })).items).toHaveLength(30);
  await Promise.all(
    registered.map(({ metadata: { name } }, index) =>
      cluster.patch(nodes, { name }, { type: 'merge', patch: { spec: { podCIDR: `10.244.${index}.0/24` } } }),
    ),
  );
  await Promise.all(
    fleet.nodeNames.map((nodeName) =>
      cluster.create(pods, {
        metadata: {
          name: `on-${nodeName}`,
          namespace: 'default',
          annotations: { 'hollow.capstan.dev/log': `here is ${nodeName}` },
        },
        spec: { nodeName, containers: [{ name: 'web', image: 'web:1' }] },
      }),
    ),
  );
  await clock.advance(2100, turns);
  const ran = (await cluster.list(pods, { namespace: 'default' })).items;
  expect(ran.map(({ status }) => status?.phase)).toEqual(ran.map(() => 'Running'));
  expect(new Set(ran.map(({ status }) => status?.podIP)).size).toBe(30);
  const response = await fleet.handler({
    method: 'GET',
    path: '/containerLogs/default/on-hollow-17/web',
    query: new URLSearchParams(),
    headers: {},
    body: () => Promise.resolve(new Uint8Array()),
    clientCertificate: { commonName: 'system:apiserver', organizations: [] },
    remoteAddress: '127.0.0.1',
    signal,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('here is hollow-17\n');
  lifetime.abort();
  await running;
  await store.close();
});
