// capstan.yaml -> what it says, checked field by field with positions.
import { flag, duration, list, oneOf, record, text, textThat, type Report } from './config-shape.js';
import { byPosition, type Problem } from './problem.js';
import { cronError, timeZoneError, type SyncWindow } from './window.js';
import { parseYaml, type Position } from './yaml-source.js';

export const CONFIG_FILE = 'capstan.yaml';

export interface IgnoredDifference {
  readonly kind: string;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly jsonPointers: readonly string[];
}

export interface ApplicationSpec {
  readonly name: string;
  readonly path: string;
  readonly namespace: string | undefined;
  readonly dependsOn: readonly string[];
  readonly prune: boolean;
  readonly selfHeal: boolean;
  /** How long a change that somebody made past Git, with a reason, is left alone. */
  readonly breakGlassMs: number;
  readonly onFailure: 'rollback' | 'hold';
  readonly ignoreDifferences: readonly IgnoredDifference[];
  readonly windows: readonly SyncWindow[];
}

export interface ClusterConfig {
  /** Undefined: every top-level folder with manifests is one. */
  readonly applications: readonly ApplicationSpec[] | undefined;
  /** An empty repository, or one without a single manifest, is an order to delete. */
  readonly allowEmpty: boolean;
  readonly status: { readonly branch: string; readonly minIntervalMs: number };
  readonly rollback: { readonly write: 'commit' | 'proposal' | 'none' };
  readonly proposals: { readonly branches: readonly string[]; readonly comment: boolean };
  readonly verify: { readonly signatures: 'off' | 'warn' | 'require' };
}

export const defaultConfig: ClusterConfig = {
  applications: undefined,
  allowEmpty: false,
  status: { branch: 'capstan/status', minIntervalMs: 10_000 },
  rollback: { write: 'commit' },
  proposals: { branches: ['**'], comment: true },
  verify: { signatures: 'off' },
};

/** An application as it is when nothing is said about it. */
export const applicationDefaults = (name: string, path: string): ApplicationSpec => ({
  name,
  path,
  namespace: undefined,
  dependsOn: [],
  prune: true,
  selfHeal: true,
  breakGlassMs: 60 * 60 * 1000,
  onFailure: 'rollback',
  ignoreDifferences: [],
  windows: [],
});

const signatureModes = oneOf('off', 'warn', 'require');

const label = textThat((value) =>
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value)
    ? undefined
    : `"${value}" is not a name: use lower-case letters, digits and -, at most 63`,
);

const folder = textThat((value) =>
  value.startsWith('/') || value.split('/').includes('..')
    ? `"${value}" leaves the repository: name a folder in it, such as apps/web`
    : undefined,
);

/** Refused rather than taken for granted: a check that is asked for and not done is worse than none. */
const noSignatures: typeof signatureModes = (value, field, report) => {
  const mode = signatureModes(value, field, report);
  if (mode === undefined || mode === 'off') return mode;
  report(field, `${field}: this version does not verify signatures yet; leave it off`);
  return undefined;
};

const branchName = textThat((value) =>
  /^(?!\/|.*(\.\.|\/\/|@\{|\.lock$|[ ~^:?*[\\]))[^-].*[^/.]$/.test(value)
    ? undefined
    : `"${value}" is not a name that Git allows for a branch`,
);

const applicationShape = record(
  {
    name: label,
    path: folder,
    namespace: label,
    dependsOn: list(label),
    prune: flag,
    selfHeal: flag,
    breakGlass: duration,
    onFailure: oneOf('rollback', 'hold'),
    ignoreDifferences: list(
      record(
        {
          kind: text,
          group: text,
          name: text,
          namespace: text,
          jsonPointers: list(
            textThat((value) =>
              value.startsWith('/') ? undefined : `"${value}" is not a JSON pointer such as /spec/replicas`,
            ),
          ),
        },
        ['kind', 'jsonPointers'],
      ),
    ),
    windows: list(
      record({ allow: textThat(cronError), duration, timeZone: textThat(timeZoneError) }, [
        'allow',
        'duration',
      ]),
    ),
  },
  ['name', 'path'],
);

const configShape = record(
  {
    apiVersion: oneOf('capstan.dev/v1'),
    kind: oneOf('ClusterConfig'),
    metadata: record({ name: text, labels: (value) => value, annotations: (value) => value }),
    spec: record({
      applications: list(applicationShape),
      allowEmpty: flag,
      status: record({ branch: branchName, minInterval: duration }),
      rollback: record({ write: oneOf('commit', 'proposal', 'none') }),
      proposals: record({ branches: list(text), comment: flag }),
      verify: record({ signatures: noSignatures }),
    }),
  },
  ['apiVersion', 'kind'],
);

type RawApplication = NonNullable<ReturnType<typeof applicationShape>>;

const trimmed = (path: string): string => path.replace(/^(\.\/)+|\/+$/g, '').replace(/^\.$/, '');

const applicationOf = (raw: RawApplication): ApplicationSpec | undefined => {
  if (raw.name === undefined || raw.path === undefined) return undefined;
  const defaults = applicationDefaults(raw.name, trimmed(raw.path));
  return {
    ...defaults,
    namespace: raw.namespace,
    dependsOn: raw.dependsOn ?? [],
    prune: raw.prune ?? defaults.prune,
    selfHeal: raw.selfHeal ?? defaults.selfHeal,
    breakGlassMs: raw.breakGlass ?? defaults.breakGlassMs,
    onFailure: raw.onFailure ?? defaults.onFailure,
    ignoreDifferences: (raw.ignoreDifferences ?? []).flatMap(({ kind, jsonPointers, name, namespace }) =>
      kind === undefined || jsonPointers === undefined ? [] : [{ kind, name, namespace, jsonPointers }],
    ),
    windows: (raw.windows ?? []).flatMap((window) =>
      window.allow === undefined || window.duration === undefined
        ? []
        : [{ allow: window.allow, durationMs: window.duration, timeZone: window.timeZone ?? 'UTC' }],
    ),
  };
};

/** Names taken twice, folders inside each other, dependencies that do not exist or go round in a circle. */
const checkApplications = (applications: readonly ApplicationSpec[], report: Report): void => {
  const at = (index: number, field: string): string => `spec.applications[${String(index)}].${field}`;
  applications.forEach(({ name, path, dependsOn }, index) => {
    const same = applications.findIndex((other) => other.name === name);
    if (same < index)
      report(at(index, 'name'), `there are two applications named ${name}: give one another name`);
    applications.slice(0, index).forEach((other) => {
      if (other.path === path || path.startsWith(`${other.path}/`) || other.path.startsWith(`${path}/`))
        report(
          at(index, 'path'),
          `the folders of ${name} (${path}) and ${other.name} (${other.path}) contain each other: a file belongs to one application`,
        );
    });
    dependsOn.forEach((dependency, place) => {
      if (!applications.some((other) => other.name === dependency))
        report(
          `${at(index, 'dependsOn')}[${String(place)}]`,
          `${name} depends on ${dependency}, which is not an application`,
        );
    });
    const circle = circleFrom(name, applications);
    if (circle !== undefined)
      report(at(index, 'dependsOn'), `${circle.join(' depends on ')}: nothing of it could ever start`);
  });
};

const circleFrom = (
  name: string,
  applications: readonly ApplicationSpec[],
): readonly string[] | undefined => {
  const walk = (current: string, way: readonly string[]): readonly string[] | undefined => {
    for (const next of applications.find((candidate) => candidate.name === current)?.dependsOn ?? []) {
      if (next === name) return [...way, next];
      if (way.includes(next)) continue;
      const circle = walk(next, [...way, next]);
      if (circle !== undefined) return circle;
    }
    return undefined;
  };
  return walk(name, [name]);
};

export interface ConfigReading {
  /** What could be read; use it only when there are no problems. */
  readonly config: ClusterConfig;
  readonly problems: readonly Problem[];
  /** Where a field such as `spec.applications[0].path` stands. */
  locate(field: string): Position;
}

export const readClusterConfig = (content: string, file = CONFIG_FILE): ConfigReading => {
  const { documents, problems: syntax } = parseYaml(file, content);
  const [document, second] = documents;
  const locate = (field: string): Position => document?.locate(field) ?? { line: 1, column: 1 };
  if (document === undefined || syntax.length > 0) return { config: defaultConfig, problems: syntax, locate };
  const problems: Problem[] = [];
  const report: Report = (field, message) => {
    problems.push({ file, ...document.locate(field), message });
  };
  if (second !== undefined)
    problems.push({
      file,
      ...second.start,
      message: 'there is a second document: capstan.yaml holds one ClusterConfig',
    });
  const spec = configShape(document.value, '', report)?.spec;
  const applications = spec?.applications?.flatMap((raw) => applicationOf(raw) ?? []);
  if (applications !== undefined && problems.length === 0) checkApplications(applications, report);
  return {
    config: {
      applications,
      allowEmpty: spec?.allowEmpty ?? defaultConfig.allowEmpty,
      status: {
        branch: spec?.status?.branch ?? defaultConfig.status.branch,
        minIntervalMs: spec?.status?.minInterval ?? defaultConfig.status.minIntervalMs,
      },
      rollback: { write: spec?.rollback?.write ?? defaultConfig.rollback.write },
      proposals: {
        branches: spec?.proposals?.branches ?? defaultConfig.proposals.branches,
        comment: spec?.proposals?.comment ?? defaultConfig.proposals.comment,
      },
      verify: { signatures: spec?.verify?.signatures ?? defaultConfig.verify.signatures },
    },
    problems: problems.sort(byPosition),
    locate,
  };
};
