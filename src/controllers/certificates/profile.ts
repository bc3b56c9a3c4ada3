// What each of Kubernetes' signers signs, and nothing else: the rules that a request must keep to.
// https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
import type { RequestFacts } from '../../pki/request.js';
import type { CertificateSigningRequestSpec } from '../../resources/generated/types.js';

export const signers = {
  client: 'kubernetes.io/kube-apiserver-client',
  agentClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  agentServer: 'kubernetes.io/kubelet-serving',
} as const;

export const nodePrefix = 'system:node:';
export const nodesGroup = 'system:nodes';

/** What a request asks for, beside its key. */
export type Asked = Pick<CertificateSigningRequestSpec, 'signerName' | 'usages'> &
  Pick<RequestFacts, 'commonName' | 'organizations' | 'dnsNames' | 'addresses' | 'otherNames'>;

/** `needed` must be among the usages; beside it only what signing and exchanging keys takes. */
const usagesProblem = ({ usages = [] }: Asked, needed: 'client auth' | 'server auth'): string | undefined => {
  const optional = ['key encipherment', 'digital signature'];
  if (!usages.includes(needed)) return `its usages must include "${needed}"`;
  const others = usages.filter((usage) => usage !== needed && !optional.includes(usage));
  return others.length === 0
    ? undefined
    : `usages ${others.map((one) => `"${one}"`).join(', ')} are not signed`;
};

const nodeProblem = ({ commonName, organizations, usages = [] }: Asked): string | undefined => {
  if (organizations.length !== 1 || organizations[0] !== nodesGroup)
    return `its organization must be exactly ${nodesGroup}`;
  if (!commonName.startsWith(nodePrefix) || commonName === nodePrefix)
    return `its common name must be ${nodePrefix}<name of the node>`;
  return usages.includes('digital signature') ? undefined : 'its usages must include "digital signature"';
};

/** Undefined when the signer may sign it; else why not. */
export const profileProblem = (asked: Asked): string | undefined => {
  const names = [...asked.dnsNames, ...asked.addresses, ...asked.otherNames];
  switch (asked.signerName) {
    case signers.client:
      return asked.commonName === ''
        ? 'its common name, the user, is empty'
        : usagesProblem(asked, 'client auth');
    case signers.agentClient:
      return (
        nodeProblem(asked) ??
        (names.length > 0
          ? "an agent's client certificate has no alternative names"
          : usagesProblem(asked, 'client auth'))
      );
    case signers.agentServer:
      if (asked.otherNames.length > 0) return 'only DNS names and IP addresses are signed';
      if (names.length === 0) return 'it must have at least one DNS name or IP address';
      return nodeProblem(asked) ?? usagesProblem(asked, 'server auth');
    default:
      return `nobody here signs for ${asked.signerName}`;
  }
};

export const isOurs = (signerName: string): boolean =>
  (Object.values(signers) as readonly string[]).includes(signerName);
