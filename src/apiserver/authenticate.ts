// Who asks: the client certificate that the TLS layer verified says so (CN is the user, each O a group).
import { ClusterError } from '../base/errors.js';
import type { HttpRequest, Identity } from '../base/http.js';

/** Every caller with a certificate of the cluster is in this group, as in Kubernetes. */
const authenticated = 'system:authenticated';

const refusal = (reason: string | undefined): string =>
  reason === undefined
    ? 'a client certificate signed by this cluster is required, and none was sent: use the kubeconfig that the cluster wrote'
    : `the client certificate was not accepted (${reason}): it must be signed by this cluster's own authority and be in date; use the kubeconfig that the cluster wrote`;

/** Throws Unauthorized, with the reason. */
export const authenticate = (request: HttpRequest): Identity => {
  const certificate = request.clientCertificate;
  if (certificate === undefined)
    throw new ClusterError('Unauthorized', `Unauthorized: ${refusal(request.clientCertificateError)}`);
  if (certificate.commonName === '')
    throw new ClusterError(
      'Unauthorized',
      'Unauthorized: the client certificate names no user (its CN is empty)',
    );
  return { user: certificate.commonName, groups: [...certificate.organizations, authenticated] };
};
