// What a TLS connection says of the client at its other end.
import type { TLSSocket } from 'node:tls';
import type { HttpRequest } from '../base/http.js';

export interface PeerCertificate {
  readonly certificate?: HttpRequest['clientCertificate'];
  /** Why the certificate that the client sent counts as none. */
  readonly error?: string;
}

/** OpenSSL's codes in words; Node gives the code where it has no Error. */
const reasons: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'it was signed by another authority',
  UNABLE_TO_GET_ISSUER_CERT: 'it was signed by another authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'it was signed by another authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'it was signed by another authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  CERT_SIGNATURE_FAILURE: 'it was signed by another authority',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet: compare the clocks of both machines',
  INVALID_PURPOSE: 'it is not a client certificate',
};

const texts = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

export const peerCertificate = (socket: TLSSocket): PeerCertificate => {
  const peer = socket.getPeerCertificate();
  // Node answers with an empty object when the client sent none.
  const subject = peer.subject as typeof peer.subject | undefined;
  if (subject === undefined) return {};
  if (!socket.authorized) {
    const why = socket.authorizationError as Error | string | undefined;
    const code =
      why instanceof Error ? ((why as NodeJS.ErrnoException).code ?? why.message) : (why ?? 'unknown reason');
    return { error: reasons[code] ?? code };
  }
  return {
    certificate: {
      commonName: texts(subject.CN)[0] ?? '',
      organizations: texts(subject.O),
      notAfter: Date.parse(peer.valid_to),
    },
  };
};
