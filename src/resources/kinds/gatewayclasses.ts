// GatewayClasses: which controller looks after Gateways of the class.
import { ageColumn, nameColumn, text } from '../columns.js';
import { conditionOf } from '../conditions.js';
import type { GatewayClass } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { immutable } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors } from '../validation/names.js';

export const gatewayclasses = defineKind<GatewayClass>({
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  shortNames: ['gc'],
  categories: ['gateway-api'],
  namespaced: false,
  definition: 'io.k8s.gateway.v1.GatewayClass',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text('Controller', 'Who looks after Gateways of the class.', ({ spec }) => spec.controllerName),
    text(
      'Accepted',
      'Whether someone looks after the class.',
      ({ status }) => conditionOf(status?.conditions, 'Accepted')?.status ?? 'Unknown',
    ),
    ageColumn,
  ],
  validate: ({ metadata, spec }, old) => [
    ...nameErrors(metadata, dnsSubdomainErrors),
    ...(old !== undefined && old.spec.controllerName !== spec.controllerName
      ? [immutable('spec.controllerName', spec.controllerName)]
      : []),
  ],
});
