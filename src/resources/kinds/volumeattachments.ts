// VolumeAttachments: the wish that a volume is attached to a node.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import type { VolumeAttachment } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { csiDriverNameErrors } from '../storage/driver-name.js';
import { volumeSpecErrors } from '../storage/validate-volume.js';
import { immutable, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

const sourceErrors = ({ source }: VolumeAttachment['spec']): readonly FieldError[] => {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source;
  const field = 'spec.source';
  if (inline !== undefined && name !== undefined)
    return [required(field, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')];
  if (inline !== undefined) return volumeSpecErrors(`${field}.inlineVolumeSpec`, inline);
  if (name === undefined)
    return [required(field, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')];
  return name === ''
    ? [required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName')]
    : [];
};

const validate = (
  { metadata, spec }: VolumeAttachment,
  old: VolumeAttachment | undefined,
): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...csiDriverNameErrors('spec.attacher', spec.attacher),
  ...sourceErrors(spec),
  ...(spec.nodeName === '' ? [required('spec.nodeName')] : []),
  ...(old !== undefined && !equal(spec, old.spec) ? [immutable('spec', spec)] : []),
];

export const volumeattachments = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  namespaced: false,
  definition: 'io.k8s.api.storage.v1.VolumeAttachment',
  subresources: ['status'],
  columns: [
    nameColumn,
    text('Attacher', 'The driver that attaches.', ({ spec }) => spec.attacher),
    text('PV', 'The volume.', ({ spec }) => spec.source.persistentVolumeName ?? ''),
    text('Node', 'The node.', ({ spec }) => spec.nodeName),
    {
      name: 'Attached',
      type: 'boolean',
      description: 'Whether the volume is attached.',
      priority: 0,
      cell: ({ status }) => status?.attached ?? false,
    },
    ageColumn,
  ],
  validate,
});
