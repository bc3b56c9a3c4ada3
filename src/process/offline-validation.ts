// Validation without a cluster: of a directory, and of a push while the daemon is down.
import { directoryReader } from '../gitops/directory-reader.js';
import { newProblems, refusal, type PushAnswer, type PushRequest } from '../gitops/push-gate.js';
import type { Problem } from '../gitops/problem.js';
import { problemsOf, readRevision, type Revision } from '../gitops/revision.js';
import { SnapshotLoader } from '../gitops/snapshot.js';
import type { Commit, ObjectReader } from '../gitops/source.js';
import { openLocalSource } from '../host/git/local-source.js';
import { toolRenderer } from '../host/git/tool-renderer.js';
import { kinds } from '../resources/kinds.js';

const read = async (reader: ObjectReader, commit: Commit, signal: AbortSignal): Promise<Revision> => {
  const rules = { kinds };
  const loader = new SnapshotLoader(rules);
  const snapshot = await loader.load(reader, commit, { signal });
  return readRevision(snapshot, { reader, rules: loader.rulesOf(snapshot), renderer: toolRenderer, signal });
};

export const validateDirectory = async (
  files: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<readonly Problem[]> => {
  const { reader, commit } = directoryReader(files);
  return problemsOf(await read(reader, commit, signal));
};

const isNothing = (oid: string): boolean => /^0+$/.test(oid);

/** As the daemon would answer, but for the plan and for what only the cluster can know. */
export const checkPush = async (
  request: PushRequest,
  repository: { readonly path: string; readonly branch: string },
  signal: AbortSignal,
): Promise<PushAnswer> => {
  const { path, branch } = repository;
  const update = request.updates.find(({ ref }) => ref === `refs/heads/${branch}`);
  if (update === undefined) return { accepted: true, lines: [] };
  if (request.hook === 'post-receive')
    return {
      accepted: true,
      lines: ['Capstan does not run: the plan follows, and is carried out, when it starts'],
    };
  if (isNothing(update.after))
    return { accepted: false, lines: [`Refused: ${branch} is the branch that runs, and is not deleted`] };
  const source = openLocalSource({ path, branch, hasGit: true, own: false });
  const reader = request.quarantine === undefined ? undefined : source.quarantined(request.quarantine);
  try {
    const objects = reader ?? source;
    const after = problemsOf(await read(objects, await objects.commit(update.after, signal), signal));
    if (after.every(({ held }) => held === true)) return { accepted: true, lines: [] };
    const before = isNothing(update.before)
      ? []
      : problemsOf(await read(objects, await objects.commit(update.before, signal), signal));
    const fresh = newProblems(before, after);
    return fresh.length > 0 ? { accepted: false, lines: refusal(fresh) } : { accepted: true, lines: [] };
  } finally {
    reader?.close();
  }
};
