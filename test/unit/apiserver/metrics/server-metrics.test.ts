import { expect, it } from 'vitest';
import { Fairness } from '../../../../src/apiserver/fairness/fairness.js';
import { metricsEndpoint, ServerMetrics } from '../../../../src/apiserver/metrics/server-metrics.js';
import { resourceAttributes } from '../../../../src/apiserver/authorize/attributes.js';
import { routeOf } from '../../../../src/apiserver/routes.js';
import type { Trace } from '../../../../src/apiserver/trace.js';
import type { HttpResponse } from '../../../../src/base/http.js';
import { ManualClock } from '../../../../src/base/manual-clock.js';
import { turn } from '../../../../src/host/system-clock.js';
import { kinds } from '../../../../src/resources/kinds.js';
import { MemoryEngine } from '../../../../src/store/memory-engine.js';
import { MvccStore } from '../../../../src/store/mvcc-store.js';
import { bytesOf, makeRequest } from '../front-request.js';

const trace = (url: string, method = 'GET'): Trace => {
  const request = makeRequest(url, { method });
  const route = routeOf(request.path);
  const wanted = route.type === 'resource' ? resourceAttributes(request, route) : undefined;
  return { request, route, id: '', receivedAt: 0, startedAt: 0, ...(wanted === undefined ? {} : { wanted }) };
};
const answer = (status: number, body: HttpResponse['body'] = []): HttpResponse => ({
  status,
  headers: {},
  body,
});
// eslint-disable-next-line @typescript-eslint/require-await -- a stream that says nothing
async function* silence(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array();
}

it('tells requests, durations, streams, objects and seats under the names of Kubernetes', async () => {
  const store = new MvccStore(new MemoryEngine());
  await store.commit({ key: 'core/pods/default/a', value: Buffer.from('{}') }, 0);
  const metrics = new ServerMetrics({
    store,
    kinds,
    fairness: new Fairness({ clock: new ManualClock(), turn }),
    storeBytes: () => 4096,
    auditDropped: () => 3,
  });
  const create = trace('/api/v1/namespaces/default/pods', 'POST');
  metrics.answered({ trace: create, response: answer(201), tookMs: 0.4 });
  metrics.answered({ trace: create, response: answer(409), tookMs: 3 });
  const watch = trace('/api/v1/pods?watch=true');
  metrics.answered({ trace: watch, response: answer(200, silence()), tookMs: 1 });
  metrics.answered({ trace: watch, response: answer(200, silence()), tookMs: 1 });
  metrics.ended({ trace: watch, response: answer(200, silence()), tookMs: 1000 });
  for (let n = 0; n < 50; n += 1)
    metrics.answered({
      trace: trace(`/apis/g${String(n)}/v1/made-up-${String(n)}`),
      response: answer(404),
      tookMs: 1,
    });

  const response = await metricsEndpoint(metrics.registry).handle(makeRequest('/metrics'), {
    user: 'p',
    groups: [],
  });
  const lines = (await bytesOf(response)).toString().split('\n');
  const pods = 'component="apiserver",group="",version="v1",resource="pods",subresource=""';
  expect(lines).toContain(`apiserver_request_total{verb="POST",scope="namespace",${pods},code="201"} 1`);
  expect(lines).toContain(`apiserver_request_total{verb="POST",scope="namespace",${pods},code="409"} 1`);
  expect(lines).toContain(
    `apiserver_request_duration_seconds_bucket{le="0.0005",verb="POST",scope="namespace",${pods}} 1`,
  );
  expect(lines).toContain(
    `apiserver_request_duration_seconds_count{verb="POST",scope="namespace",${pods}} 2`,
  );
  expect(lines).toContain(`apiserver_longrunning_requests{verb="WATCH",scope="cluster",${pods}} 1`);
  expect(lines).toContain('apiserver_storage_objects{resource="pods"} 1');
  expect(lines).toContain('apiserver_storage_db_total_size_in_bytes 4096');
  expect(lines).toContain('apiserver_flowcontrol_current_executing_seats{priority_level="node-high"} 0');
  expect(lines).toContain('apiserver_audit_dropped_total 3');
  expect(
    lines.filter((line) => line.startsWith('apiserver_request_total') && line.includes('404')),
    'no client makes up series',
  ).toHaveLength(1);
});
