// A commit -> everything that it asks for: configuration, applications, objects, and all that is wrong with them.
import {
  applicationDefaults,
  CONFIG_FILE,
  defaultConfig,
  readClusterConfig,
  type ApplicationSpec,
  type ClusterConfig,
  type ConfigReading,
} from './cluster-config.js';
import { byPosition, type Problem } from './problem.js';
import {
  renderApplication,
  type DesiredObject,
  type RenderContext,
  type RenderedApplication,
} from './render.js';
import { filesBelow, type Folder, type Snapshot } from './snapshot.js';
import type { Commit } from './source.js';

export interface Revision {
  readonly commit: Commit;
  readonly snapshot: Snapshot;
  readonly config: ClusterConfig;
  /** What is wrong with capstan.yaml or the repository as a whole: then no application moves. */
  readonly problems: readonly Problem[];
  readonly applications: ReadonlyMap<string, RenderedApplication>;
  /** Id of each wanted object -> the application that holds it. */
  readonly owners: ReadonlyMap<string, string>;
  /** As it was read; undefined without a capstan.yaml. */
  readonly reading: ConfigReading | undefined;
}

/** All problems there are, by file and line. */
export const problemsOf = (revision: Revision): readonly Problem[] =>
  [...revision.problems, ...[...revision.applications.values()].flatMap(({ problems }) => problems)].sort(
    byPosition,
  );

const holdsManifests = (folder: Folder, path: string): boolean => {
  for (const [, { manifests }] of filesBelow(folder, path))
    if (manifests !== undefined && manifests.manifests.length + manifests.problems.length > 0) return true;
  return folder.files.has('kustomization.yaml') || folder.files.has('Chart.yaml');
};

const validName = (name: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);

/** Without a list of them, every top-level folder with manifests is an application. */
const detect = (root: Folder): readonly ApplicationSpec[] =>
  [...root.folders]
    .filter(([name, folder]) => validName(name) && holdsManifests(folder, name))
    .map(([name]) => applicationDefaults(name, name));

const readConfig = async (
  snapshot: Snapshot,
  { reader, signal }: RenderContext,
  previous: Revision | undefined,
): Promise<ConfigReading | undefined> => {
  const file = snapshot.root.files.get(CONFIG_FILE);
  if (file === undefined) return undefined;
  if (previous?.snapshot.root.files.get(CONFIG_FILE)?.oid === file.oid) return previous.reading;
  for await (const { content } of reader.blobs([file.oid], signal))
    return readClusterConfig(new TextDecoder().decode(content));
  return undefined;
};

/** An application whose folder is gone or holds nothing deletes everything it has: only when that is allowed. */
const emptiness = (
  application: RenderedApplication,
  config: ClusterConfig,
  reading: ConfigReading | undefined,
  index: number,
): readonly Problem[] => {
  if (application.objects.length > 0 || application.problems.length > 0 || config.allowEmpty) return [];
  const { name, path } = application.spec;
  const position = reading?.locate(`spec.applications[${String(index)}].path`) ?? { line: 1, column: 1 };
  const what = application.tree === undefined ? `there is no folder ${path}` : `${path} holds no manifest`;
  return [
    {
      file: CONFIG_FILE,
      ...position,
      message: `application ${name}: ${what}, and what runs is kept; remove the application here to delete it, or set spec.allowEmpty: true`,
      held: true,
    },
  ];
};

/** Id -> application, and what more than one application wants: an error in both. */
const claim = (
  applications: readonly RenderedApplication[],
): {
  readonly owners: ReadonlyMap<string, string>;
  readonly conflicts: ReadonlyMap<string, readonly Problem[]>;
} => {
  const owners = new Map<string, string>();
  const conflicts = new Map<string, Problem[]>();
  const add = (
    application: string,
    desired: DesiredObject,
    other: { name: string; desired: DesiredObject },
  ): void => {
    const { kind, name, position } = desired.manifest;
    const where = `${other.desired.file}:${String(other.desired.manifest.position.line)}`;
    const message = `${kind.kind} ${name} also belongs to application ${other.name} (${where}): one application owns an object, remove it from the other`;
    conflicts.set(application, [
      ...(conflicts.get(application) ?? []),
      { file: desired.file, ...position, message },
    ]);
  };
  for (const { spec, objects } of applications)
    for (const desired of objects) {
      const owner = owners.get(desired.id);
      if (owner === undefined) owners.set(desired.id, spec.name);
      else if (owner !== spec.name) {
        const first = applications
          .find((application) => application.spec.name === owner)
          ?.objects.find(({ id }) => id === desired.id);
        if (first === undefined) continue;
        add(spec.name, desired, { name: owner, desired: first });
        add(owner, first, { name: spec.name, desired });
      }
    }
  return { owners, conflicts };
};

const wholeRepository = (
  snapshot: Snapshot,
  reading: ConfigReading | undefined,
  { specs, branch }: { readonly specs: readonly ApplicationSpec[]; readonly branch: string | undefined },
): readonly Problem[] => {
  if (reading !== undefined && reading.problems.length > 0) return reading.problems;
  if (reading !== undefined && reading.config.status.branch === branch)
    return [
      {
        file: CONFIG_FILE,
        ...reading.locate('spec.status.branch'),
        message: `spec.status.branch: ${branch} is the branch that runs; the status needs one of its own, such as capstan/status`,
      },
    ];
  if (specs.length > 0 || reading?.config.allowEmpty === true) return [];
  const empty = snapshot.root.files.size === 0 && snapshot.root.folders.size === 0;
  return [
    {
      file: CONFIG_FILE,
      line: 1,
      column: 1,
      message: `the repository ${empty ? 'is empty' : 'has no application'}, and what runs is kept: push manifests, or delete everything with spec.allowEmpty: true in ${CONFIG_FILE}`,
      held: true,
    },
  ];
};

/** `previous` is whatever revision was read last; what both have is shared, down to the single object. */
export const readRevision = async (
  snapshot: Snapshot,
  context: RenderContext,
  previous?: Revision,
): Promise<Revision> => {
  const reading = await readConfig(snapshot, context, previous);
  const config = reading?.config ?? defaultConfig;
  const specs = config.applications ?? detect(snapshot.root);
  const problems = wholeRepository(snapshot, reading, { specs, branch: context.branch });
  const { commit } = snapshot;
  const common = { commit, snapshot, config, problems, reading };
  if (problems.length > 0) return { ...common, applications: new Map(), owners: new Map() };
  const rendered: RenderedApplication[] = [];
  for (const [index, spec] of specs.entries()) {
    const before = previous?.applications.get(spec.name);
    const known =
      before === undefined || previous === undefined
        ? undefined
        : { rendered: before, root: previous.snapshot.root.oid };
    const application = await renderApplication(spec, snapshot, context, known);
    rendered.push({
      ...application,
      problems: [...application.ownProblems, ...emptiness(application, config, reading, index)],
    });
  }
  const { owners, conflicts } = claim(rendered);
  return {
    ...common,
    owners,
    applications: new Map(
      rendered.map((application) => {
        const more = conflicts.get(application.spec.name);
        return [
          application.spec.name,
          more === undefined
            ? application
            : { ...application, problems: [...application.problems, ...more].sort(byPosition) },
        ];
      }),
    ),
  };
};
