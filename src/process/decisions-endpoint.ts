// GET /capstan/v1/decisions?kind=&namespace=&name=: what was last decided about an object, for `capstan why`.
import { toTimestamp } from '../base/clock.js';
import type { Extension } from '../base/http.js';
import type { DecisionLog } from '../reconcile/decision-log.js';
import { kinds } from '../resources/kinds.js';

export const decisionsEndpoint = (decisions: DecisionLog): Extension => ({
  prefix: '/capstan/v1/decisions',
  handle: ({ query }) => {
    const kind = kinds.find((candidate) => candidate.kind === query.get('kind'));
    const namespace = query.get('namespace') ?? '';
    const name = { name: query.get('name') ?? '', ...(namespace === '' ? {} : { namespace }) };
    const found = decisions.for(name, kind).map(({ controller, at, because, error }) => ({
      controller,
      at: toTimestamp(at),
      because,
      error,
    }));
    return Promise.resolve({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: [Buffer.from(JSON.stringify(found))],
    });
  },
});
