// Definitions of Capstan's own kinds, written by hand in the form in which Kubernetes' own ones are generated.
import type { Definition, Property } from './definitions.js';
import { flag, integer, list, record, ref, text, time, topLevel as shape } from './shapes.js';

const own = (name: string): Property => ref(`io.capstan.v1.${name}`);
const topLevel = (kind: string, description: string, fields: Record<string, Property>): Definition =>
  shape({ group: 'capstan.dev', version: 'v1', kind, description }, fields);

export const capstanDefinitions: Readonly<Record<string, Definition>> = {
  'io.capstan.v1.Application': topLevel(
    'Application',
    'A folder of the cluster repository that is synced, judged and rolled back as one. Written by Capstan.',
    { spec: own('ApplicationSpec'), status: own('ApplicationStatus') },
  ),
  'io.capstan.v1.ApplicationSpec': record(
    'What capstan.yaml says of the application.',
    {
      path: text('Folder in the repository.'),
      namespace: text('Namespace of objects that name none.'),
      dependsOn: list({ type: 'string' }, 'Applications that must be healthy first.'),
      prune: flag('Whether objects that left the folder are deleted.'),
      selfHeal: flag('Whether drift is put back.'),
      onFailure: text('rollback or hold.'),
    },
    ['path'],
  ),
  'io.capstan.v1.ApplicationStatus': record('Where the application stands.', {
    phase: text('Synced, Progressing, Healthy, Degraded, Failed or Held.'),
    message: text('Why.'),
    revision: text('Commit that runs.'),
    targetRevision: text('Commit that is wanted.'),
    syncedAt: time('When objects were last brought to the revision.'),
    healthyRevision: text('Last commit with which every object was healthy.'),
    resourceCount: integer('Number of objects.'),
    resources: list(own('ApplicationResource'), 'Objects, those that are not healthy first; at most 500.'),
    drift: list(own('ApplicationDrift'), 'Objects that differ from the revision.'),
    errors: list(own('ApplicationProblem'), 'What is wrong in the manifests.'),
    rolledBack: own('ApplicationRollback'),
  }),
  'io.capstan.v1.ApplicationResource': record(
    'One object of the application.',
    {
      group: text('API group.'),
      kind: text('Kind.'),
      namespace: text('Namespace.'),
      name: text('Name.'),
      health: text('Healthy, Progressing, Degraded or Missing.'),
      message: text('Why.'),
    },
    ['kind', 'name'],
  ),
  'io.capstan.v1.ApplicationDrift': record(
    'A live object that differs from the revision.',
    {
      group: text('API group.'),
      kind: text('Kind.'),
      namespace: text('Namespace.'),
      name: text('Name.'),
      fields: list({ type: 'string' }, 'Fields that differ.'),
      message: text('What differs.'),
    },
    ['kind', 'name'],
  ),
  'io.capstan.v1.ApplicationProblem': record(
    'An error in a manifest.',
    {
      file: text('Path in the repository.'),
      line: integer('Line, from 1.'),
      column: integer('Column, from 1.'),
      message: text('What is wrong, and the way out.'),
    },
    ['message'],
  ),
  'io.capstan.v1.ApplicationRollback': record('The last rollback.', {
    revision: text('Commit that failed.'),
    to: text('Commit whose manifests were put back.'),
    commit: text('The commit or branch that puts them back.'),
    at: time('When.'),
    reason: text('Why.'),
  }),
  'io.capstan.v1.Repository': topLevel(
    'Repository',
    'What Capstan knows of the cluster repository. Written by Capstan.',
    { spec: own('RepositorySpec'), status: own('RepositoryStatus') },
  ),
  'io.capstan.v1.RepositorySpec': record('Where the repository is.', {
    address: text('Path or URL, without credentials.'),
    branch: text('The branch that runs.'),
  }),
  'io.capstan.v1.RepositoryStatus': record('What was seen there last.', {
    head: text('Commit at the head of the branch.'),
    subject: text('First line of its message.'),
    observedAt: time('When the head was last seen to change.'),
    error: text('Why the repository cannot be used now; empty when it can.'),
    errors: list(own('ApplicationProblem'), 'What is wrong in capstan.yaml.'),
    history: list(own('RepositorySync'), 'Newest first; at most 50.'),
  }),
  'io.capstan.v1.RepositorySync': record(
    'Something that the Git loop did.',
    {
      at: time('When.'),
      application: text('Application.'),
      revision: text('Commit.'),
      outcome: text('Synced, Failed, Healed or RolledBack.'),
      message: text('What was done, and why.'),
    },
    ['at', 'application', 'revision', 'outcome'],
  ),
};
