// The master's side of machines that join: what they say of themselves when they read cluster-info is logged, and why
// they will be refused by their own checks, which the master would never hear of.
import type { Clock } from '../base/clock.js';
import type { HttpHandler, HttpRequest } from '../base/http.js';
import type { Logger } from '../base/log.js';
import { joinHeaders, largestSkewMs, skewText } from '../client/discovery.js';
import { clusterInfo } from '../resources/cluster-info.js';

export interface JoinRequestsOptions {
  /** `sha256:…` of the cluster's authority. */
  readonly hash: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}

const path = `/api/v1/namespaces/${clusterInfo.namespace}/configmaps/${clusterInfo.name}`;

/** Strangers write these: only what looks as it must is repeated in the log. */
const shapes = {
  node: /^[a-z0-9][a-z0-9.-]{0,252}$/,
  token: /^[a-z0-9]{6}$/,
  hashes: /^sha256:[0-9a-f]{64}(,sha256:[0-9a-f]{64}){0,3}$/,
} as const;

const header = ({ headers }: HttpRequest, name: keyof typeof shapes): string | undefined => {
  const value = headers[joinHeaders[name]];
  return value !== undefined && shapes[name].test(value) ? value : undefined;
};

/** Why the machine will refuse to join; undefined when nothing is known to be wrong. */
export const joinProblem = (
  request: HttpRequest,
  { hash, clock }: Pick<JoinRequestsOptions, 'hash' | 'clock'>,
): string | undefined => {
  const there = Date.parse(request.headers[joinHeaders.clock] ?? '');
  const skew = there - clock.now();
  if (Math.abs(skew) > largestSkewMs)
    return `its clock is ${skewText(skew)} ${skew > 0 ? 'ahead' : 'behind'}`;
  const hashes = header(request, 'hashes')?.split(',');
  return hashes === undefined || hashes.includes(hash())
    ? undefined
    : `it expects another authority (${hashes.join(', ')}; this cluster's is ${hash()})`;
};

export const watchJoins =
  (options: JoinRequestsOptions, handler: HttpHandler): HttpHandler =>
  (request) => {
    const node = request.path === path ? header(request, 'node') : undefined;
    if (node !== undefined) {
      const facts = { from: request.remoteAddress, node, token: header(request, 'token') };
      const why = joinProblem(request, options);
      if (why === undefined) options.log.info(facts, 'a machine asks to join');
      else options.log.warn({ ...facts, why }, 'a machine that asks to join will not');
    }
    return handler(request);
  };
