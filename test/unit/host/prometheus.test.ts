import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { queryPrometheus } from '../../../src/host/prometheus.js';

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

const serve = async (status: number, body: string): Promise<{ address: string; asked: string[] }> => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status).end(body);
  });
  endings.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`, asked };
};

const never = new AbortController().signal;
const vector = (result: unknown) =>
  JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });

describe('a query of a Prometheus', () => {
  it('answers with the samples of a vector, without those that are no number', async () => {
    const result = [
      { metric: { pod: 'a' }, value: [1, '2.5'] },
      { metric: { pod: 'b' }, value: [1, 'NaN'] },
    ];
    const { address, asked } = await serve(200, vector(result));
    expect(await queryPrometheus(address, 'sum(rate(x[1m]))', never)).toEqual([
      { labels: { pod: 'a' }, value: 2.5 },
    ]);
    expect(asked).toEqual(['/api/v1/query?query=sum%28rate%28x%5B1m%5D%29%29']);
  });

  it.each([
    [500, 'oops', /answers 500: oops/],
    [200, 'no json', /what is no JSON/],
    [200, '{"status":"error"}', /neither a vector nor a scalar/],
    [200, vector('x'), /neither a vector nor a scalar/],
  ])('refuses %i %j', async (status, body, why) => {
    const { address } = await serve(status, body);
    await expect(queryPrometheus(address, 'x', never)).rejects.toThrow(why);
  });

  it('says that nobody answers', async () => {
    await expect(queryPrometheus('http://127.0.0.1:1', 'x', never)).rejects.toThrow(/does not answer/);
  });
});
