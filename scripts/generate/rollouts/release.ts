// Definitions of Release: rollouts that advance together.
import type { Definition, Property } from '../definitions.js';
import { integer, list, listBy, record, ref, text, topLevel } from '../shapes.js';

const release = (name: string): Property => ref(`io.capstan.v1.${name}`);

export const releases: Readonly<Record<string, Definition>> = {
  'io.capstan.v1.Release': topLevel(
    {
      group: 'capstan.dev',
      version: 'v1',
      kind: 'Release',
      description: 'Rollouts that advance step by step together; one that fails takes all of them back.',
    },
    { spec: release('ReleaseSpec'), status: release('ReleaseStatus') },
  ),
  'io.capstan.v1.ReleaseSpec': record(
    'Which rollouts.',
    { rollouts: list({ type: 'string' }, 'Names of rollouts of the namespace.') },
    ['rollouts'],
  ),
  'io.capstan.v1.ReleaseStatus': record('Where the release stands.', {
    phase: text('Healthy, Progressing, Paused or Degraded.'),
    message: text('Why.'),
    step: integer('The step that every member may do.'),
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      description: 'Generation that was last looked at.',
    },
    members: listBy('name', release('ReleaseMember'), 'By rollout.'),
  }),
  'io.capstan.v1.ReleaseMember': record('Where a member stands.', {
    name: text('Of the rollout.'),
    phase: text('Of the rollout.'),
    step: integer('The step that it is at.'),
    hash: text('Its version.'),
    message: text('Why.'),
  }),
};
