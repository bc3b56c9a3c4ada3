// Rules about ephemeral containers: added to a running pod, never changed or taken away (Kubernetes' validation of them).
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { child, item } from '../field-path.js';
import type { EphemeralContainer, PodSpec } from '../generated/types.js';
import { allInvalid, duplicate, forbidden, notFound, required } from '../validation/field-errors.js';
import { dnsLabelErrors } from '../validation/names.js';
import { environmentErrors } from './validate-environment.js';
import { mountsErrors } from './validate-volume.js';

const notTheirs = [
  ...['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resizePolicy'],
  'restartPolicy',
] as const;

const isSet = (container: EphemeralContainer, member: string): boolean => {
  const value = (container as unknown as Readonly<Record<string, unknown>>)[member];
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
};

const oneErrors = (field: string, container: EphemeralContainer, spec: PodSpec): readonly FieldError[] => {
  const { name, image = '', targetContainerName: target = '' } = container;
  const others = [...spec.containers, ...(spec.initContainers ?? [])].map((other) => other.name);
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  return [
    ...(name === ''
      ? [required(child(field, 'name'))]
      : allInvalid(child(field, 'name'), name, dnsLabelErrors(name))),
    ...(others.includes(name) ? [duplicate(child(field, 'name'), name)] : []),
    ...(image === '' ? [required(child(field, 'image'))] : []),
    ...(target !== '' && !others.includes(target)
      ? [notFound(child(field, 'targetContainerName'), target)]
      : []),
    ...notTheirs
      .filter((member) => isSet(container, member))
      .map((member) => forbidden(child(field, member), 'cannot be set for an Ephemeral Container')),
    ...(container.resources?.limits !== undefined || container.resources?.requests !== undefined
      ? [forbidden(child(field, 'resources'), 'cannot be set for an Ephemeral Container')]
      : []),
    ...environmentErrors(field, container),
    ...mountsErrors(child(field, 'volumeMounts'), container, volumes),
  ];
};

export const ephemeralErrors = (spec: PodSpec, old: PodSpec | undefined): readonly FieldError[] => {
  const field = 'spec.ephemeralContainers';
  const { ephemeralContainers: wanted = [] } = spec;
  if (old === undefined)
    return wanted.length === 0
      ? []
      : [forbidden(field, 'cannot be set on create: use the ephemeralcontainers subresource')];
  const before = new Map((old.ephemeralContainers ?? []).map((container) => [container.name, container]));
  const names = wanted.map(({ name }) => name);
  return [
    ...wanted.flatMap((container, index) => {
      const known = before.get(container.name);
      if (known !== undefined)
        return equal(known, container)
          ? []
          : [forbidden(field, `existing ephemeral containers "${container.name}" may not be changed`)];
      return [
        ...oneErrors(item(field, index), container, spec),
        ...(names.indexOf(container.name) === index
          ? []
          : [duplicate(child(item(field, index), 'name'), container.name)]),
      ];
    }),
    ...[...before.keys()]
      .filter((name) => !names.includes(name))
      .map((name) => forbidden(field, `existing ephemeral containers "${name}" may not be removed`)),
  ];
};
