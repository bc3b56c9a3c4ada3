// ReferenceGrants: let objects of other namespaces refer to objects of this one.
import { ageColumn, nameColumn } from '../columns.js';
import type { ReferenceGrant } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors } from '../validation/names.js';

export const referencegrants = defineKind<ReferenceGrant>({
  group: 'gateway.networking.k8s.io',
  version: 'v1beta1',
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  shortNames: ['refgrant'],
  categories: ['gateway-api'],
  namespaced: true,
  definition: 'io.k8s.gateway.v1beta1.ReferenceGrant',
  subresources: [],
  generationFields: ['spec'],
  columns: [nameColumn, ageColumn],
  validate: ({ metadata }) => nameErrors(metadata, dnsSubdomainErrors),
});
