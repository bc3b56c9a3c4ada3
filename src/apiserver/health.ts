// `/healthz`, `/livez`, `/readyz`: plain text, open to everyone, with one line a check when asked `?verbose`.
import type { HttpRequest, HttpResponse } from '../base/http.js';
import { text } from './respond.js';

/** One thing that must be well before the server counts as ready. */
export interface HealthCheck {
  readonly name: string;
  /** Undefined when well; else what is wrong. Must not wait. */
  failure(): string | undefined;
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

const ping: HealthCheck = { name: 'ping', failure: () => undefined };

export const healthResponse = (
  request: HttpRequest,
  { endpoint, check }: { readonly endpoint: HealthEndpoint; readonly check: string },
  checks: readonly HealthCheck[],
): HttpResponse => {
  // Being alive does not depend on what this server waits for: a restart would not help there.
  const all = [ping, ...(endpoint === 'livez' ? [] : checks)];
  const excluded = new Set(request.query.getAll('exclude'));
  const chosen =
    check === '' ? all.filter(({ name }) => !excluded.has(name)) : all.filter(({ name }) => name === check);
  if (chosen.length === 0) return text(404, '404 page not found\n');
  const results = chosen.map((item) => ({ name: item.name, failed: item.failure() }));
  const failed = results.some((result) => result.failed !== undefined);
  const lines = results.map(({ name, failed: reason }) =>
    reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`,
  );
  const verbose = request.query.has('verbose');
  if (failed) return text(503, `${lines.join('\n')}\n${endpoint} check failed\n`);
  return text(200, verbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok');
};
