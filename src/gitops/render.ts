// One application of one commit -> the objects it wants, with the place of each, and all that is wrong with them.
import { messageOf } from '../base/errors.js';
import { storeKey } from '../resources/kind.js';
import type { Draft } from '../resources/resource.js';
import { CONFIG_FILE, type ApplicationSpec } from './cluster-config.js';
import { readManifests, type Manifest, type ManifestFile, type ManifestRules } from './manifest-file.js';
import { byPosition, type Problem } from './problem.js';
import { filesBelow, folderAt, type File, type Folder, type Snapshot } from './snapshot.js';
import type { ObjectId, ObjectReader, Renderer } from './source.js';

export interface DesiredObject {
  /** The object's key in the store: unique over all kinds. */
  readonly id: string;
  readonly manifest: Manifest;
  readonly namespace: string | undefined;
  /** With its namespace. */
  readonly object: Draft;
  readonly file: string;
  readonly blob: ObjectId;
}

export interface RenderedApplication {
  readonly spec: ApplicationSpec;
  /** Object id of the folder: equal content has equal ids. Undefined when there is no such folder. */
  readonly tree: ObjectId | undefined;
  readonly files: ReadonlyMap<string, RenderedFile>;
  readonly objects: readonly DesiredObject[];
  /** Nothing of an application with problems is applied. */
  readonly problems: readonly Problem[];
  /** Those that stand in the application's own files, whatever other applications hold. */
  readonly ownProblems: readonly Problem[];
}

interface RenderedFile {
  readonly oid: ObjectId;
  readonly objects: readonly DesiredObject[];
  readonly problems: readonly Problem[];
}

export interface RenderContext {
  readonly reader: ObjectReader;
  readonly rules: ManifestRules;
  readonly renderer: Renderer;
  readonly signal: AbortSignal;
  /** The branch that runs, where there is one: the status must stand on another. */
  readonly branch?: string | undefined;
}

const place = (
  { manifests, problems }: ManifestFile,
  spec: ApplicationSpec,
  at: { readonly file: string; readonly oid: ObjectId },
): RenderedFile => {
  const found: Problem[] = problems.map((problem) => ({ file: at.file, ...problem }));
  const objects = manifests.flatMap((manifest): DesiredObject[] => {
    const { kind, name, object } = manifest;
    const namespace = kind.namespaced ? (manifest.namespace ?? spec.namespace) : undefined;
    if (kind.namespaced && namespace === undefined) {
      found.push({
        file: at.file,
        ...manifest.position,
        message: `${kind.kind} ${name} has no namespace: set metadata.namespace, or namespace of application ${spec.name} in ${CONFIG_FILE}`,
      });
      return [];
    }
    return [
      {
        id: storeKey(kind, name, namespace),
        manifest,
        namespace,
        object: namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } },
        file: at.file,
        blob: at.oid,
      },
    ];
  });
  return { oid: at.oid, objects, problems: found };
};

/** The folder's own program: `kustomization.yaml` is kustomize's, `Chart.yaml` helm's. */
const toolOf = (folder: Folder): { tool: 'kustomize' | 'helm'; file: string } | undefined => {
  for (const file of ['kustomization.yaml', 'kustomization.yml', 'Kustomization'])
    if (folder.files.has(file)) return { tool: 'kustomize', file };
  return folder.files.has('Chart.yaml') ? { tool: 'helm', file: 'Chart.yaml' } : undefined;
};

/** Two documents that are one object: both places are told, each in its own error. */
export const duplicates = (objects: readonly DesiredObject[]): readonly Problem[] => {
  const first = new Map<string, DesiredObject>();
  const problems: Problem[] = [];
  const told = new Set<DesiredObject>();
  for (const desired of objects) {
    const other = first.get(desired.id);
    if (other === undefined) {
      first.set(desired.id, desired);
      continue;
    }
    for (const [one, another] of [
      [other, desired],
      [desired, other],
    ] as const) {
      if (told.has(one)) continue;
      told.add(one);
      problems.push({
        file: one.file,
        ...one.manifest.position,
        message: `${one.manifest.kind.kind} ${one.manifest.name} is also in ${another.file}:${String(another.manifest.position.line)}: an object stands in one place, remove one of the two`,
      });
    }
  }
  return problems;
};

const finish = (
  spec: ApplicationSpec,
  tree: ObjectId | undefined,
  files: ReadonlyMap<string, RenderedFile>,
): RenderedApplication => {
  const objects = [...files.values()].flatMap((file) => file.objects);
  const problems = [...files.values()].flatMap((file) => file.problems);
  const own = [...problems, ...duplicates(objects)].sort(byPosition);
  return { spec, tree, files, objects, problems: own, ownProblems: own };
};

const renderPlain = (
  spec: ApplicationSpec,
  folder: Folder,
  previous: RenderedApplication | undefined,
): RenderedApplication => {
  const reusable = previous?.spec.name === spec.name && previous.spec.namespace === spec.namespace;
  const files = new Map<string, RenderedFile>();
  for (const [path, file] of filesBelow(folder, spec.path)) {
    if (file.manifests === undefined || path === CONFIG_FILE) continue;
    const before = reusable ? previous.files.get(path) : undefined;
    files.set(
      path,
      before?.oid === file.oid ? before : place(file.manifests, spec, { file: path, oid: file.oid }),
    );
  }
  return finish(spec, folder.oid, files);
};

const contentOf = async (
  files: Iterable<readonly [string, File]>,
  { reader, signal }: RenderContext,
): Promise<Map<string, Uint8Array>> => {
  const paths = new Map<ObjectId, string[]>();
  for (const [path, { oid }] of files) paths.set(oid, [...(paths.get(oid) ?? []), path]);
  const content = new Map<string, Uint8Array>();
  for await (const blob of reader.blobs([...paths.keys()], signal))
    for (const path of paths.get(blob.oid) ?? []) content.set(path, blob.content);
  return content;
};

const renderByTool = async (
  spec: ApplicationSpec,
  snapshot: Snapshot,
  folder: Folder,
  context: RenderContext,
): Promise<RenderedApplication> => {
  const found = toolOf(folder);
  if (found === undefined) return renderPlain(spec, folder, undefined);
  const file = spec.path === '' ? found.file : `${spec.path}/${found.file}`;
  const fail = (message: string): RenderedApplication =>
    finish(
      spec,
      folder.oid,
      new Map([[file, { oid: folder.oid, objects: [], problems: [{ file, line: 1, column: 1, message }] }]]),
    );
  try {
    // A kustomization may refer to folders beside its own; a chart is complete in itself.
    const files =
      found.tool === 'helm'
        ? await contentOf(filesBelow(folder, spec.path), context)
        : await contentOf(filesBelow(snapshot.root, ''), context);
    const text = await context.renderer.render(
      { tool: found.tool, files, path: spec.path, name: spec.name, namespace: spec.namespace },
      context.signal,
    );
    const rendered = readManifests(new TextEncoder().encode(text), context.rules);
    // Lines of what a program made are nobody's lines: its own file stands for them all.
    const manifests = rendered.manifests.map((manifest) => ({
      ...manifest,
      position: { line: 1, column: 1 },
    }));
    const problems = rendered.problems.map(({ message }) => ({ line: 1, column: 1, message }));
    return finish(
      spec,
      folder.oid,
      new Map([[file, place({ manifests, problems }, spec, { file, oid: folder.oid })]]),
    );
  } catch (error) {
    context.signal.throwIfAborted();
    return fail(messageOf(error));
  }
};

/** `previous` is the application as last rendered; what has not changed since is shared with it. */
export const renderApplication = async (
  spec: ApplicationSpec,
  snapshot: Snapshot,
  context: RenderContext,
  previous: { readonly rendered: RenderedApplication; readonly root: ObjectId } | undefined,
): Promise<RenderedApplication> => {
  const folder = folderAt(snapshot.root, spec.path);
  if (folder === undefined) return finish(spec, undefined, new Map());
  const tool = toolOf(folder);
  const before = previous?.rendered;
  const same =
    before?.tree === folder.oid && before.spec.namespace === spec.namespace && before.spec.name === spec.name;
  // What a program made is kept as long as it went well and nothing that it may have read has changed.
  const keep =
    tool === undefined ||
    (before?.ownProblems.length === 0 && (tool.tool === 'helm' || previous?.root === snapshot.root.oid));
  if (same && keep) return { ...before, spec, problems: before.ownProblems };
  return tool === undefined
    ? renderPlain(spec, folder, before)
    : renderByTool(spec, snapshot, folder, context);
};
