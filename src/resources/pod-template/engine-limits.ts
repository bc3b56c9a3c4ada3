// What a container engine behind its API cannot do for a pod: refused where somebody relies on it, warned of where it only
// is less than was asked for. One table; README shows it.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { Container, PodSpec } from '../generated/types.js';
import { forbidden } from '../validation/field-errors.js';

type Found = readonly string[];

interface Limit {
  readonly verdict: 'refused' | 'warned';
  readonly why: string;
  /** Paths below the pod's spec at which it is asked for. */
  find(spec: PodSpec): Found;
}

const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;

const inContainers =
  (member: string, asks: (container: Container) => boolean) =>
  (spec: PodSpec): Found =>
    lists.flatMap((list) =>
      (spec[list] ?? []).flatMap((container: Container, index) =>
        asks(container) ? [child(item(list, index), member)] : [],
      ),
    );

const inSpec =
  (member: string, asks: (spec: PodSpec) => boolean) =>
  (spec: PodSpec): Found =>
    asks(spec) ? [member] : [];

/** Volumes of services that Capstan has no driver for. */
const foreignVolumes: readonly string[] = [
  ...['azureDisk', 'azureFile', 'cinder', 'fc', 'flexVolume', 'flocker', 'gcePersistentDisk', 'gitRepo'],
  ...['image', 'iscsi', 'photonPersistentDisk', 'portworxVolume', 'quobyte', 'scaleIO', 'storageos'],
  'vsphereVolume',
];

const hasHugePages = ({ resources }: Container): boolean =>
  Object.keys({ ...resources?.limits, ...resources?.requests }).some((name) => name.startsWith('hugepages-'));

export const engineLimits: readonly Limit[] = [
  {
    verdict: 'refused',
    why: 'user namespaces for each pod are not available: leave hostUsers out',
    find: inSpec('hostUsers', ({ hostUsers }) => hostUsers === false),
  },
  {
    verdict: 'refused',
    why: 'only Linux containers run here',
    find: inSpec('os.name', ({ os }) => os !== undefined && os.name !== 'linux'),
  },
  {
    verdict: 'refused',
    why: 'dynamic resource allocation is not available',
    find: inSpec('resourceClaims', ({ resourceClaims = [] }) => resourceClaims.length > 0),
  },
  {
    verdict: 'refused',
    why: "the engine always adds the groups that the image gives the user: only the policy 'Merge' is available",
    find: inSpec(
      'securityContext.supplementalGroupsPolicy',
      ({ securityContext }) => securityContext?.supplementalGroupsPolicy === 'Strict',
    ),
  },
  {
    verdict: 'refused',
    why: 'mounts below a volume cannot be made read-only with it',
    find: inContainers('volumeMounts', ({ volumeMounts = [] }) =>
      volumeMounts.some(({ recursiveReadOnly }) => recursiveReadOnly === 'Enabled'),
    ),
  },
  {
    verdict: 'refused',
    why: 'restart rules for each container are not available',
    find: inContainers('restartPolicyRules', ({ restartPolicyRules = [] }) => restartPolicyRules.length > 0),
  },
  {
    verdict: 'refused',
    why: 'volumes of this type are not provided by this cluster',
    find: ({ volumes = [] }) =>
      volumes.flatMap((volume, index) =>
        foreignVolumes.filter((type) => type in volume).map((type) => child(item('volumes', index), type)),
      ),
  },
  {
    verdict: 'warned',
    why: 'counted by the scheduler and for the class of service, not enforced for the pod as a whole: set limits of containers',
    find: inSpec('resources', ({ resources }) => resources?.limits !== undefined),
  },
  {
    verdict: 'warned',
    why: 'huge pages are counted by the scheduler; the engine enforces no limit of them',
    find: inContainers('resources', hasHugePages),
  },
  {
    verdict: 'warned',
    why: 'ignored: resources of a running container do not change, it is made again',
    find: inContainers('resizePolicy', ({ resizePolicy = [] }) => resizePolicy.length > 0),
  },
  {
    verdict: 'warned',
    why: 'ignored: hooks open no TCP connections, as in Kubernetes; use exec or httpGet',
    find: inContainers(
      'lifecycle',
      ({ lifecycle }) => (lifecycle?.postStart?.tcpSocket ?? lifecycle?.preStop?.tcpSocket) !== undefined,
    ),
  },
  {
    verdict: 'warned',
    why: 'ignored: only Linux containers run here',
    find: inContainers(
      'securityContext.windowsOptions',
      ({ securityContext }) => securityContext?.windowsOptions !== undefined,
    ),
  },
];

/** `field` is the path of the spec: `spec`, or `spec.template.spec`. */
export const engineLimitErrors = (field: string, spec: PodSpec): readonly FieldError[] =>
  engineLimits
    .filter(({ verdict }) => verdict === 'refused')
    .flatMap(({ why, find }) => find(spec).map((path) => forbidden(child(field, path), why)));

export const engineLimitWarnings = (field: string, spec: PodSpec): readonly string[] =>
  engineLimits
    .filter(({ verdict }) => verdict === 'warned')
    .flatMap(({ why, find }) => find(spec).map((path) => `${child(field, path)}: ${why}`));

interface Templated {
  readonly spec?: PodSpec | { readonly template?: { readonly spec?: PodSpec } } | undefined;
}

/** Of a pod, of what makes pods from a template, and of what makes such objects. */
export const podWarnings = (kind: string, object: object): readonly string[] => {
  const { spec } = object as Templated;
  if (spec === undefined) return [];
  if (kind === 'Pod') return engineLimitWarnings('spec', spec as PodSpec);
  const { template, jobTemplate } = spec as { template?: Templated; jobTemplate?: Templated };
  const job = jobTemplate?.spec as { readonly template?: Templated } | undefined;
  const found: readonly (readonly [string, Templated['spec']])[] = [
    ['spec.template.spec', template?.spec],
    ['spec.jobTemplate.spec.template.spec', job?.template?.spec],
  ];
  return found.flatMap(([field, own]) =>
    own !== undefined && 'containers' in own ? engineLimitWarnings(field, own) : [],
  );
};
