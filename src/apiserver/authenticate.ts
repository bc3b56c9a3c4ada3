// Who asks: the client certificate that the TLS layer verified (CN is the user, each O a group), or a bearer token.
import type { Clock } from '../base/clock.js';
import { ClusterError, messageOf } from '../base/errors.js';
import type { HttpRequest, Identity } from '../base/http.js';
import type { Logger } from '../base/log.js';

/** Everyone whom the cluster knows is in this group, as in Kubernetes. */
export const authenticated = 'system:authenticated';

export const anonymous: Identity = { user: 'system:anonymous', groups: ['system:unauthenticated'] };

/** One kind of token: undefined when it is not of that kind; throws Unauthorized when it is, and is not good. */
export type TokenAuthenticator = (token: string) => Promise<Identity | undefined>;

/** Who asks; `anonymous` when nothing was presented. Throws Unauthorized, with the reason. */
export type Authenticator = (request: HttpRequest) => Promise<Identity>;

export interface AuthenticatorOptions {
  /** In the order in which they are asked. */
  readonly tokens: readonly TokenAuthenticator[];
  readonly clock: Clock;
  readonly log: Logger;
}

export const unauthorized = (why: string): ClusterError =>
  new ClusterError('Unauthorized', `Unauthorized: ${why}`);

/** What whoever came with empty hands is told. */
export const nothingPresented = (): ClusterError =>
  unauthorized(
    'neither a client certificate signed by this cluster nor a token was sent: use the kubeconfig that the cluster wrote',
  );

const ofCertificate = (certificate: NonNullable<HttpRequest['clientCertificate']>, now: number): Identity => {
  const { commonName, organizations, notAfter } = certificate;
  if (commonName === '') throw unauthorized('the client certificate names no user (its CN is empty)');
  // The handshake may have been long ago.
  if (notAfter !== undefined && notAfter < now)
    throw unauthorized('the client certificate has expired since the connection was opened: connect again');
  return { user: commonName, groups: [...organizations, authenticated] };
};

const bearerOf = ({ headers }: HttpRequest): string | undefined => {
  const match = /^Bearer +(\S+)$/i.exec(headers['authorization'] ?? '');
  return match?.[1];
};

const rejectedCertificate = (reason: string): ClusterError =>
  unauthorized(
    `the client certificate was not accepted (${reason}): it must be signed by this cluster's own authority and be in date; use the kubeconfig that the cluster wrote`,
  );

const repeatMs = 60_000;
const remembered = 500;

/** Each refusal is logged once in a while, however often it is repeated. */
class RefusalLog {
  readonly #options: Pick<AuthenticatorOptions, 'clock' | 'log'>;
  readonly #seen = new Map<string, number>();

  constructor(options: Pick<AuthenticatorOptions, 'clock' | 'log'>) {
    this.#options = options;
  }

  note({ remoteAddress, path }: HttpRequest, error: unknown): void {
    const { clock, log } = this.#options;
    const now = clock.now();
    const why = messageOf(error);
    const key = `${remoteAddress} ${why}`;
    if (now < (this.#seen.get(key) ?? 0)) return;
    if (this.#seen.size >= remembered) this.#seen.clear();
    this.#seen.set(key, now + repeatMs);
    log.warn({ from: remoteAddress, path, why }, 'a client was refused');
  }
}

export const createAuthenticator = (options: AuthenticatorOptions): Authenticator => {
  const { tokens, clock } = options;
  const refusals = new RefusalLog(options);
  const find = async (request: HttpRequest): Promise<Identity> => {
    const { clientCertificate, clientCertificateError } = request;
    if (clientCertificate !== undefined) return ofCertificate(clientCertificate, clock.now());
    const token = bearerOf(request);
    if (token !== undefined) {
      for (const authenticate of tokens) {
        const identity = await authenticate(token);
        if (identity !== undefined) return identity;
      }
      throw unauthorized('the token is of no kind that is known here, or was signed by someone else');
    }
    if (clientCertificateError !== undefined) throw rejectedCertificate(clientCertificateError);
    if (request.headers['authorization'] !== undefined)
      throw unauthorized('only bearer tokens and client certificates are accepted');
    return anonymous;
  };
  return async (request) => {
    try {
      return await find(request);
    } catch (error) {
      refusals.note(request, error);
      throw error;
    }
  };
};
