// A request for a certificate as approver and signer look at it: parsed, and with what has been said of it.
import { messageOf } from '../../base/errors.js';
import { parseRequest, type RequestFacts } from '../../pki/request.js';
import { isConditionTrue } from '../../resources/conditions.js';
import type { CertificateSigningRequest } from '../../resources/generated/types.js';
import type { Asked } from './profile.js';

export interface Parsed {
  readonly request: CertificateSigningRequest;
  readonly facts: RequestFacts | undefined;
  /** Why there are no facts. */
  readonly problem: string;
}

export const parsed = (request: CertificateSigningRequest): Parsed => {
  try {
    const text = Buffer.from(request.spec.request, 'base64').toString('latin1');
    return { request, facts: parseRequest(text), problem: '' };
  } catch (error) {
    return { request, facts: undefined, problem: messageOf(error) };
  }
};

export const askedOf = ({ spec }: CertificateSigningRequest, facts: RequestFacts): Asked => ({
  ...facts,
  signerName: spec.signerName,
  usages: spec.usages,
});

export const isDecided = ({ status }: CertificateSigningRequest): boolean =>
  ['Approved', 'Denied', 'Failed'].some((type) => isConditionTrue(status?.conditions, type));

export const awaitsSignature = ({ status }: CertificateSigningRequest): boolean =>
  isConditionTrue(status?.conditions, 'Approved') &&
  !['Denied', 'Failed'].some((type) => isConditionTrue(status?.conditions, type)) &&
  (status?.certificate ?? '') === '';
