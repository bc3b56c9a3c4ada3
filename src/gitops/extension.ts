// /capstan/v1: what the Git loop answers to commands.
import { ClusterError } from '../base/errors.js';
import type { Extension, HttpRequest, HttpResponse } from '../base/http.js';
import { isObject } from '../base/json.js';
import type { View } from '../client/view.js';
import { applications } from '../resources/kinds/applications.js';
import type { ApplicationState } from './application-state.js';
import { directoryReader } from './directory-reader.js';
import type { GitLoop } from './git-loop.js';
import type { Journal } from './journal.js';
import { planDocument, planLines, type Plan } from './plan-text.js';
import { problemsOf, type Revision } from './revision.js';
import type { ObjectReader, Source } from './source.js';

export interface ExtensionOptions {
  readonly view: View;
  readonly source: Source;
  readonly git: GitLoop;
  readonly journal: Journal;
  readonly states: ReadonlyMap<string, ApplicationState>;
  plan(revision: Revision, reader: ObjectReader, signal: AbortSignal): Promise<Plan>;
  nudge(application: string): void;
}

type Endpoint = (request: HttpRequest, options: ExtensionOptions) => Promise<unknown>;

const json = (value: unknown): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: [new TextEncoder().encode(JSON.stringify(value))],
});

const bodyOf = async (request: HttpRequest): Promise<Record<string, unknown>> => {
  const text = new TextDecoder().decode(await request.body());
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ClusterError('BadRequest', 'the body is not JSON', { cause: error });
  }
  if (!isObject(value)) throw new ClusterError('BadRequest', 'the body is not an object');
  return value;
};

/** What is to be looked at: `files` (path -> content), `ref`, or the head of the branch. */
const revisionOf = async (
  body: Record<string, unknown>,
  { source, git }: ExtensionOptions,
  signal: AbortSignal,
): Promise<{ readonly revision: Revision; readonly reader: ObjectReader }> => {
  const { files, ref } = body;
  if (isObject(files)) {
    const entries = Object.entries(files).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    const { reader, commit } = directoryReader(new Map(entries));
    return { reader, revision: await git.read(reader, commit, signal) };
  }
  const commit =
    typeof ref === 'string' && ref !== '' ? await source.resolve(ref, signal) : await source.head(signal);
  return { reader: source, revision: await git.read(source, commit, signal) };
};

const plan: Endpoint = async (request, options) => {
  const { revision, reader } = await revisionOf(await bodyOf(request), options, request.signal);
  const made = await options.plan(revision, reader, request.signal);
  return {
    ...planDocument(made),
    text: planLines(made, { coloured: request.query.get('coloured') === 'true' }),
  };
};

const validate: Endpoint = async (request, options) => {
  const { revision } = await revisionOf(await bodyOf(request), options, request.signal);
  return { revision: revision.commit.oid, problems: problemsOf(revision) };
};

/** What the next sync would do: drift, and what has not been carried out yet. */
const diff: Endpoint = async (request, options) => {
  const body = await bodyOf(request);
  const { revision, reader } = await revisionOf({}, options, request.signal);
  const made = await options.plan(revision, reader, request.signal);
  const wanted = body['application'];
  const chosen = made.applications.filter(
    ({ application }) => wanted === undefined || application === wanted,
  );
  if (typeof wanted === 'string' && chosen.length === 0)
    throw new ClusterError('NotFound', `there is no application ${wanted}`);
  const narrowed = { ...made, applications: chosen };
  return {
    ...planDocument(narrowed),
    text: planLines(narrowed, { coloured: request.query.get('coloured') === 'true' }),
  };
};

/** Reads the head again and tries everything that waits for a later attempt now. */
const sync: Endpoint = async (request, { git, states, nudge, journal }) => {
  const { application } = await bodyOf(request);
  if (typeof application === 'string' && !states.has(application))
    throw new ClusterError(
      'NotFound',
      `there is no application ${application}; there are ${[...states.keys()].join(', ') || 'none'}`,
    );
  await git.refresh(request.signal);
  for (const state of states.values()) {
    if (typeof application === 'string' && state.name !== application) continue;
    state.tryAgain();
    nudge(state.name);
  }
  return {
    head: journal.status.head,
    applications: typeof application === 'string' ? [application] : [...states.keys()],
  };
};

/** With `refresh=true` the head is read first; what prevents that is in the answer already. */
const status: Endpoint = async (request, { view, source, journal, git }) => {
  if (request.query.get('refresh') === 'true') await git.refresh(request.signal).catch(() => undefined);
  return {
    repository: {
      address: source.address,
      branch: source.branch,
      current: git.isReady,
      ...journal.status,
      history: undefined,
    },
    applications: view
      .list(applications)
      .map(({ metadata, spec, status: own }) => ({ name: metadata.name, ...spec, ...own }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
};

const history: Endpoint = (_request, { journal }) => Promise.resolve({ items: journal.status.history ?? [] });

const endpoints: Readonly<Record<string, Endpoint>> = {
  'POST plan': plan,
  'POST validate': validate,
  'POST diff': diff,
  'POST sync': sync,
  'GET status': status,
  'GET history': history,
};

const prefix = '/capstan/v1';

export const createExtension = (options: ExtensionOptions): Extension => ({
  prefix,
  handle: async (request) => {
    const name = request.path.slice(prefix.length + 1).replace(/\/$/, '');
    const endpoint = endpoints[`${request.method} ${name}`];
    if (endpoint === undefined)
      throw new ClusterError(
        'NotFound',
        `${request.method} ${request.path} is none of ${Object.keys(endpoints).join(', ')} below ${prefix}`,
      );
    return json(await endpoint(request, options));
  },
});
