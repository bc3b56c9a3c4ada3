import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import type { HttpHandler } from '../../../src/base/http.js';
import { silent } from '../../../src/base/log.js';
import { kinds } from '../../../src/resources/kinds.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import type { Change } from '../../../src/store/store.js';
import { createRandom, seeds } from '../../contract/random.js';
import type { Random } from '../../contract/random.js';
import { jsonOf, makeRequest } from './front-request.js';
import { options, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const path = '/api/v1/namespaces/default/configmaps';
const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const rounds = 40;

interface Seen {
  readonly type: string;
  readonly name: string;
  readonly revision: number;
}

let under: TestRegistry;
let handler: HttpHandler;
/** Everything that happened, as the store itself says it. */
let truth: Change[];
let over: AbortController;

beforeEach(async () => {
  under = await setup();
  const { registry, clock, store } = under;
  handler = createApiHandler({ registry, kinds, clock, log: silent, version: '1' });
  truth = [];
  over = new AbortController();
  const changes = store.watch('core/configmaps/default/', store.revision, over.signal);
  void (async () => {
    for await (const change of changes) truth.push(change);
  })().catch(() => undefined);
});
afterEach(async () => {
  over.abort();
  await under.close();
});

const isChosen = (entry: Change['entry']): boolean => {
  if (entry === undefined) return false;
  const { metadata } = JSON.parse(Buffer.from(entry.value).toString()) as {
    metadata: { labels?: Record<string, string> };
  };
  return metadata.labels?.['chosen'] === 'yes';
};

/** What a watch of the chosen ones has to show of what happened after a revision. */
const expectedAfter = (revision: number): readonly Seen[] =>
  truth
    .filter((change) => change.revision > revision)
    .flatMap((change) => {
      const [was, is] = [isChosen(change.previous), isChosen(change.entry)];
      const type = is ? (was ? 'MODIFIED' : 'ADDED') : was ? 'DELETED' : undefined;
      const name = change.key.split('/').at(-1) ?? '';
      return type === undefined ? [] : [{ type, name, revision: change.revision }];
    });

/** A client that watches, breaks off, comes back where it was, and lists again when that is gone. */
class Client {
  position = 0;
  relists = 0;
  #lines: AsyncIterator<Uint8Array> | undefined;
  #end = new AbortController();
  #rest = '';

  async list(): Promise<void> {
    const body = await jsonOf(await handler(makeRequest(`${path}?labelSelector=chosen%3Dyes`)));
    this.position = Number((body['metadata'] as { resourceVersion: string }).resourceVersion);
  }

  /** False when the revision is gone. */
  async connect(): Promise<boolean> {
    const query = `watch=1&resourceVersion=${String(this.position)}&labelSelector=chosen%3Dyes&allowWatchBookmarks=true`;
    const response = await handler(makeRequest(`${path}?${query}`, { signal: this.#end.signal }));
    if (response.status === 410) return false;
    expect(response.status).toBe(200);
    this.#lines = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    return true;
  }

  async disconnect(): Promise<void> {
    this.#end.abort();
    await this.#lines?.return?.();
    this.#lines = undefined;
    this.#rest = '';
    this.#end = new AbortController();
  }

  /** The next events, as many as there must be; what is missing lets the test run into its time. */
  async read(count: number): Promise<readonly Seen[]> {
    const seen: Seen[] = [];
    if (this.#lines === undefined && !(await this.connect())) {
      this.relists += 1;
      await this.list();
      return seen;
    }
    while (seen.length < count) {
      const next = await this.#lines?.next();
      if (next === undefined || next.done === true) throw new Error('the watch ended by itself');
      const lines = (this.#rest + Buffer.from(next.value).toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const { type, object } = JSON.parse(line) as {
          type: string;
          object: { metadata: { name: string; resourceVersion: string } };
        };
        if (type === 'ERROR') throw new Error(line);
        const revision = Number(object.metadata.resourceVersion);
        seen.push({ type, name: object.metadata.name, revision });
        this.position = revision;
      }
    }
    return seen;
  }
}

/** One of several writers that do not know of each other: whoever comes too late has nothing to do. */
const write = async (random: Random): Promise<void> => {
  const { registry } = under;
  const name = { name: random.pick(names), namespace: 'default' };
  const labels = { chosen: random.chance(0.6) ? 'yes' : 'no' };
  const draft = { metadata: { ...name, labels }, data: { n: String(random.integer(1000)) } };
  const what = random.integer(3);
  try {
    if (what === 0) await registry.create(configmaps, draft, options);
    else if (what === 1) await registry.update(configmaps, name, draft, options);
    else await registry.delete(configmaps, name, {}, options);
  } catch (error) {
    expect(String(error)).toMatch(/not found|already exists/);
  }
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a watch over HTTP', () => {
  it.each(seeds([1, 2, 3, 4, 5]))(
    'misses, repeats and reorders nothing, whoever writes, compacts and reconnects (seed %i)',
    async (seed) => {
      const random = createRandom(seed);
      const clients = [new Client(), new Client(), new Client()];
      for (const client of clients) await client.list();
      for (let round = 0; round < rounds; round++) {
        await Promise.all(Array.from({ length: 1 + random.integer(8) }, () => write(random)));
        await settled();
        for (const client of clients) {
          // Some fall behind for a while.
          if (random.chance(0.3)) continue;
          const relists = client.relists;
          const expected = expectedAfter(client.position);
          const seen = await client.read(expected.length);
          if (client.relists === relists) expect(seen).toEqual(expected);
          if (random.chance(0.3)) await client.disconnect();
        }
        if (random.chance(0.15)) {
          const { store } = under;
          await store.compact(store.revision - random.integer(10));
        }
      }
      for (const client of clients) await client.disconnect();
    },
  );
});
