// How a machine that trusts nobody yet finds out whom to trust: by the hash of the authority, and by its token.
// https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/ (token-based discovery with CA pinning)
import type { Clock } from '../base/clock.js';
import { ClusterError, hasCode, messageOf } from '../base/errors.js';
import { humanDuration } from '../resources/duration.js';
import type { TokenParts } from '../resources/bootstrap-token.js';
import { clusterInfo, clusterInfoKey, readClusterInfo, signatureKey } from '../resources/cluster-info.js';
import type { ConfigMap } from '../resources/generated/types.js';
import { authorityHash } from '../pki/certificate.js';
import { verifyDetached } from '../pki/detached-signature.js';
import { errorOfStatus } from './status-error.js';
import type { Transport, TransportResponse } from './transport.js';

export interface DiscoveryOptions {
  /** `https://10.0.0.1:6443`, as typed. */
  readonly server: string;
  readonly token: TokenParts;
  /** `sha256:…`; one of them must be the authority's. */
  readonly hashes: readonly string[];
  /** How this machine will be called: for the log of the master. */
  readonly nodeName: string;
  readonly clock: Clock;
  /** A connection to the server: known by `ca`, or to whoever answers. */
  open(ca: string | undefined): Transport;
}

/** Headers that tell the master who fails, and why: what is wrong on this side, it cannot see. */
export const joinHeaders = {
  node: 'x-capstan-join-node',
  token: 'x-capstan-join-token',
  hashes: 'x-capstan-join-hashes',
  clock: 'x-capstan-join-clock',
} as const;

/** More than certificates allow for. */
export const largestSkewMs = 5 * 60 * 1000;
const idleMs = 15_000;
const signatureWaitMs = 15_000;
const pollMs = 500;

const path = `/api/v1/namespaces/${clusterInfo.namespace}/configmaps/${clusterInfo.name}`;

const readJson = async ({ body }: TransportResponse): Promise<unknown> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
};

/** To the minute: the answer itself has taken a while. */
export const skewText = (ms: number): string => humanDuration(Math.round(Math.abs(ms) / 60_000) * 60_000);

const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Throws when the clocks differ so much that neither side would accept the other's certificates. */
const checkClock = (date: string | undefined, { server, clock }: DiscoveryOptions): void => {
  const there = Date.parse(date ?? '');
  const here = clock.now();
  const skew = here - there;
  if (Number.isNaN(there) || Math.abs(skew) <= largestSkewMs) return;
  throw new ClusterError(
    'Forbidden',
    `this machine's clock is ${skewText(skew)} ${skew > 0 ? 'ahead of' : 'behind'} the clock of ${server} (${iso(here)} here, ${iso(there)} there), so certificates would not be valid: set the right one, and join again`,
    { retry: false },
  );
};

const readInfo = async (
  options: DiscoveryOptions,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> => {
  const { server, token, hashes, nodeName, clock } = options;
  const response = await options.open(ca).request(
    {
      method: 'GET',
      path,
      headers: {
        accept: 'application/json',
        [joinHeaders.node]: nodeName,
        [joinHeaders.token]: token.id,
        [joinHeaders.hashes]: hashes.join(','),
        [joinHeaders.clock]: iso(clock.now()),
      },
      idleMs,
    },
    signal,
  );
  checkClock(response.headers['date'], options);
  const body = await readJson(response);
  if (response.status !== 200)
    throw new ClusterError(
      'ServiceUnavailable',
      `${server} does not show its cluster-info (${messageOf(errorOfStatus(response.status, body))}): is it the API server of a cluster that machines may join?`,
    );
  return (body as ConfigMap).data ?? {};
};

/** The authority in what was read, when it is the one that was expected. */
const expectedAuthority = (content: string, { server, hashes }: DiscoveryOptions): string => {
  const found = readClusterInfo(content);
  if (found === undefined)
    throw new ClusterError('ServiceUnavailable', `the cluster-info of ${server} is damaged`);
  let hash: string;
  try {
    hash = authorityHash(found.ca);
  } catch (error) {
    if (!hasCode(error, 'BadRequest')) throw error;
    throw new ClusterError('ServiceUnavailable', `the cluster-info of ${server} is damaged`, {
      cause: error,
    });
  }
  if (hashes.includes(hash)) return found.ca;
  throw new ClusterError(
    'Forbidden',
    `the authority of ${server} is not the one that was expected: it is ${hash}, and --ca-hash says ${hashes.join(' or ')}. Either this is another cluster or someone stands in between, or the hash was mistyped: compare it with the command that the master printed`,
    { retry: false },
  );
};

/** Asks the server, which is known by its authority, what it thinks of the token. Throws its refusal. */
const checkToken = async (
  { open, token }: DiscoveryOptions,
  ca: string,
  signal: AbortSignal,
): Promise<void> => {
  const response = await open(ca).request(
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        authorization: `Bearer ${token.id}.${token.secret}`,
      },
      body: Buffer.from('{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'),
      idleMs,
    },
    signal,
  );
  const body = await readJson(response);
  if (response.status >= 300) throw errorOfStatus(response.status, body);
};

const isSigned = (data: Readonly<Record<string, string>>, token: TokenParts): boolean =>
  verifyDetached(data[signatureKey(token.id)] ?? '', data[clusterInfoKey] ?? '', token);

/**
 * PEM of the cluster's authority: read from whoever answers, proven by hash and by the token's signature, and read once
 * more from the server that this authority has signed. Throws Forbidden or Unauthorized with the reason.
 */
export const discoverAuthority = async (options: DiscoveryOptions, signal: AbortSignal): Promise<string> => {
  const { server, token, clock } = options;
  const end = clock.now() + signatureWaitMs;
  for (;;) {
    const untrusted = await readInfo(options, undefined, signal);
    const content = untrusted[clusterInfoKey] ?? '';
    const ca = expectedAuthority(content, options);
    if (isSigned(untrusted, token)) {
      const trusted = await readInfo(options, ca, signal);
      if (trusted[clusterInfoKey] === content && isSigned(trusted, token)) return ca;
      throw new ClusterError(
        'Forbidden',
        `what ${server} shows to strangers is not what it shows over a verified connection: someone stands in between`,
        { retry: false },
      );
    }
    await checkToken(options, ca, signal);
    // The token is good, and was made a moment ago: its signature is on its way.
    if (clock.now() > end)
      throw new ClusterError(
        'Unauthorized',
        `the cluster-info of ${server} carries no signature of token ${token.id}: the token must have the usage "signing"`,
      );
    await clock.sleep(pollMs, signal);
  }
};
