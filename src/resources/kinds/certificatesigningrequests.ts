// CertificateSigningRequests: whoever holds a key asks for a certificate; someone approves, a signer signs.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { isConditionTrue } from '../conditions.js';
import { humanDuration } from '../duration.js';
import { item } from '../field-path.js';
import type { CertificateSigningRequest } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { duplicate, forbidden, invalid, notSupported, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

/** Kubernetes' `KeyUsage`. */
const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

const shortestSeconds = 600;

const signerShape =
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\/[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

const decisions: ReadonlySet<string> = new Set(['Approved', 'Denied']);

const usageErrors = (asked: readonly string[] | undefined): readonly FieldError[] => {
  if (asked === undefined || asked.length === 0)
    return [required('spec.usages', 'specify the usages that the certificate is for')];
  return asked.flatMap((usage, at) => [
    ...(usages.includes(usage) ? [] : [notSupported(item('spec.usages', at), usage, usages)]),
    ...(asked.indexOf(usage) < at ? [duplicate(item('spec.usages', at), usage)] : []),
  ]);
};

const specErrors = ({ spec }: CertificateSigningRequest): readonly FieldError[] => [
  ...(spec.request === '' ? [required('spec.request')] : []),
  ...usageErrors(spec.usages),
  ...(signerShape.test(spec.signerName)
    ? []
    : [invalid('spec.signerName', spec.signerName, 'must be a name such as example.com/clients')]),
  ...(spec.expirationSeconds !== undefined && spec.expirationSeconds < shortestSeconds
    ? [
        invalid(
          'spec.expirationSeconds',
          spec.expirationSeconds,
          'may not specify a duration less than 600 seconds (10 minutes)',
        ),
      ]
    : []),
];

const conditionErrors = (
  { status }: CertificateSigningRequest,
  old: CertificateSigningRequest | undefined,
): readonly FieldError[] => {
  const conditions = status?.conditions ?? [];
  const field = (at: number): string => item('status.conditions', at);
  const types = conditions.map(({ type }) => type);
  const errors = conditions.flatMap((condition, at): readonly FieldError[] => [
    ...(condition.type === '' ? [required(`${field(at)}.type`)] : []),
    ...(types.indexOf(condition.type) < at ? [duplicate(`${field(at)}.type`, condition.type)] : []),
    // What has been decided is not undone by a second word.
    ...((decisions.has(condition.type) || condition.type === 'Failed') && condition.status !== 'True'
      ? [notSupported(`${field(at)}.status`, condition.status, ['True'])]
      : []),
  ]);
  const both = types.includes('Approved') && types.includes('Denied');
  const removed = (old?.status?.conditions ?? []).filter(
    ({ type }) => (decisions.has(type) || type === 'Failed') && !types.includes(type),
  );
  return [
    ...errors,
    ...(both
      ? [invalid('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive')]
      : []),
    ...removed.map(({ type }) =>
      forbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`),
    ),
  ];
};

const validate = (
  request: CertificateSigningRequest,
  old: CertificateSigningRequest | undefined,
): readonly FieldError[] => {
  const issued = old?.status?.certificate;
  return [
    ...nameErrors(request.metadata),
    ...(old === undefined || !equal(request.spec, old.spec) ? specErrors(request) : []),
    ...conditionErrors(request, old),
    ...(issued !== undefined && issued !== request.status?.certificate
      ? [forbidden('status.certificate', 'updates may not change a certificate that has been issued')]
      : []),
  ];
};

const stateOf = ({ status }: CertificateSigningRequest): string => {
  const is = (type: string): boolean => isConditionTrue(status?.conditions, type);
  const words = [
    ...(is('Approved') ? ['Approved'] : []),
    ...(is('Denied') ? ['Denied'] : []),
    ...(is('Failed') ? ['Failed'] : []),
  ];
  if (words.length === 0) words.push('Pending');
  if ((status?.certificate ?? '') !== '') words.push('Issued');
  return words.join(',');
};

export const certificatesigningrequests = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  definition: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  subresources: ['status', 'approval'],
  columns: [
    nameColumn,
    ageColumn,
    text('SignerName', 'The signer that is asked.', ({ spec }) => spec.signerName),
    text('Requestor', 'Who asked.', ({ spec }) => spec.username ?? ''),
    text('RequestedDuration', 'How long the certificate is to be valid.', ({ spec }) =>
      spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    ),
    text('Condition', 'What has become of it.', stateOf),
  ],
  validate,
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec.signerName }),
});
