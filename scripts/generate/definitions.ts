// Reads the Kubernetes models that @kubernetes/client-node ships and turns them into OpenAPI v3 definitions.
// The package is the only npm source of a recent Kubernetes schema; merge keys come from merge-keys.json beside this file.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Property {
  type?: string;
  format?: string;
  description?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  default?: string;
}
export interface Definition extends Property {
  properties?: Record<string, Property>;
  required?: string[];
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}
interface Attribute {
  name: string;
  baseName: string;
  type: string;
  format: string;
}
interface MergeKeys {
  mergeKey?: string;
  patchStrategy?: string;
  listType?: string;
  listMapKeys?: string[];
  mapType?: string;
}

const require = createRequire(import.meta.url);
const here = new URL('.', import.meta.url).pathname;
const models = join(dirname(require.resolve('@kubernetes/client-node/package.json')), 'dist/gen/models');
const mergeKeys = JSON.parse(readFileSync(join(here, 'merge-keys.json'), 'utf8')) as Record<
  string,
  Record<string, MergeKeys>
>;
const protoFields = JSON.parse(readFileSync(join(here, 'proto-fields.json'), 'utf8')) as Record<
  string,
  [number, string, string][]
>;
const protoNames = Object.keys(protoFields);
/** Members of list keys that clients leave out: server-side apply matches entries with these filled in. */
const keyDefaults: Record<string, string> = {
  'core.v1.ContainerPort.protocol': 'TCP',
  'core.v1.ServicePort.protocol': 'TCP',
};

/** Model class of each kind that is built in, with the group and version it is served under. */
export const roots: readonly { model: string; group: string; version: string; package: string }[] = [
  ['core.v1', '', 'v1', 'Pod Service Endpoints ConfigMap Secret Namespace Node ServiceAccount'],
  ['core.v1', '', 'v1', 'ReplicationController PersistentVolume PersistentVolumeClaim'],
  ['core.v1', '', 'v1', 'ResourceQuota LimitRange PodTemplate Binding CoreV1Event=Event'],
  ['apps.v1', 'apps', 'v1', 'Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision'],
  ['batch.v1', 'batch', 'v1', 'Job CronJob'],
  ['autoscaling.v1', 'autoscaling', 'v1', 'HorizontalPodAutoscaler Scale'],
  ['autoscaling.v2', 'autoscaling', 'v2', 'V2HorizontalPodAutoscaler=HorizontalPodAutoscaler'],
  ['policy.v1', 'policy', 'v1', 'PodDisruptionBudget Eviction'],
  ['networking.v1', 'networking.k8s.io', 'v1', 'Ingress IngressClass NetworkPolicy'],
  ['discovery.v1', 'discovery.k8s.io', 'v1', 'EndpointSlice'],
  ['storage.v1', 'storage.k8s.io', 'v1', 'StorageClass CSIDriver CSINode VolumeAttachment'],
  ['storage.v1', 'storage.k8s.io', 'v1', 'CSIStorageCapacity'],
  ['rbac.v1', 'rbac.authorization.k8s.io', 'v1', 'Role RoleBinding ClusterRole'],
  ['rbac.v1', 'rbac.authorization.k8s.io', 'v1', 'ClusterRoleBinding'],
  ['scheduling.v1', 'scheduling.k8s.io', 'v1', 'PriorityClass'],
  ['coordination.v1', 'coordination.k8s.io', 'v1', 'Lease'],
  ['events.v1', 'events.k8s.io', 'v1', 'EventsV1Event=Event'],
  ['node.v1', 'node.k8s.io', 'v1', 'RuntimeClass'],
  ['certificates.v1', 'certificates.k8s.io', 'v1', 'CertificateSigningRequest'],
  ['authentication.v1', 'authentication.k8s.io', 'v1', 'AuthenticationV1TokenRequest'],
  ['authentication.v1', 'authentication.k8s.io', 'v1', 'TokenReview SelfSubjectReview'],
  ['authorization.v1', 'authorization.k8s.io', 'v1', 'SubjectAccessReview'],
  ['authorization.v1', 'authorization.k8s.io', 'v1', 'SelfSubjectAccessReview'],
  ['authorization.v1', 'authorization.k8s.io', 'v1', 'SelfSubjectRulesReview'],
  ['authorization.v1', 'authorization.k8s.io', 'v1', 'LocalSubjectAccessReview'],
  ['admissionregistration.v1', 'admissionregistration.k8s.io', 'v1', 'MutatingWebhookConfiguration'],
  ['admissionregistration.v1', 'admissionregistration.k8s.io', 'v1', 'ValidatingWebhookConfiguration'],
  ['apiextensions.v1', 'apiextensions.k8s.io', 'v1', 'CustomResourceDefinition'],
  ['meta.v1', '', 'v1', 'Status DeleteOptions'],
].flatMap(([pkg = '', group = '', version = '', names = '']) =>
  names.split(' ').map((entry) => ({
    package: pkg,
    group,
    version,
    model: /^(V\d|[A-Z][a-z]+V\d)/.test(entry.split('=')[0] ?? '')
      ? (entry.split('=')[0] ?? '')
      : `V1${entry}`,
  })),
);

/** `V1Pod` -> `Pod`, `CoreV1Event` -> `Event`. */
export const simpleName = (model: string): string =>
  model.replace(/^(?:[A-Z][a-z]+)?V\d+(?:alpha\d|beta\d)?(?=[A-Z])/, '');

const packageOf = (model: string, inherited: string): string => {
  const own = /^([A-Z][a-z]+)V1[A-Z]/.exec(model)?.[1]?.toLowerCase();
  const version = /V(\d+)/.exec(model)?.[1] ?? '1';
  if (own !== undefined) return `${own}.v${version}`;
  const name = simpleName(model);
  const candidates = protoNames
    .filter((proto) => proto.endsWith(`.${name}`))
    .map((proto) => proto.split('.').slice(-3, -1).join('.'));
  if (candidates.includes(inherited)) return inherited;
  if (candidates.includes('meta.v1')) return 'meta.v1';
  return candidates.find((candidate) => candidate.endsWith(`.v${version}`)) ?? inherited;
};

/** `core.v1` + `Pod` -> `io.k8s.api.core.v1.Pod`, as Kubernetes names its definitions. */
export const definitionName = (pkg: string, name: string): string => {
  if (pkg === 'meta.v1') return `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`;
  if (pkg.startsWith('apiextensions.')) return `io.k8s.apiextensions-apiserver.pkg.apis.${pkg}.${name}`;
  return `io.k8s.api.${pkg}.${name}`;
};

const unescape = (text: string): string => text.replace(/\\(['"`])/g, '$1').trim();

/** Descriptions and optional marks stand in the declaration file only. */
const readDeclaration = (model: string) => {
  const text = readFileSync(join(models, `${model}.d.ts`), 'utf8');
  const fields = new Map<string, { description: string; optional: boolean }>();
  for (const match of text.matchAll(/\/\*\*\n((?:(?!\*\/)[\s\S])*?)\*\/\n\s+'([^']+)'(\?)?: /g))
    fields.set(match[2] ?? '', {
      description: unescape((match[1] ?? '').replace(/^\s*\* ?/gm, '')),
      optional: match[3] === '?',
    });
  for (const match of text.matchAll(/^ {4}'([^']+)'(\?)?: /gm))
    if (!fields.has(match[1] ?? ''))
      fields.set(match[1] ?? '', { description: '', optional: match[2] === '?' });
  const header = /\/\*\*\n((?:(?!\*\/)[\s\S])*?)\*\/\nexport declare class/.exec(text)?.[1] ?? '';
  return { fields, description: unescape(header.replace(/^\s*\* ?/gm, '')) };
};

const scalar = (type: string, format: string): Property | undefined => {
  switch (type) {
    case 'string':
      return format === '' ? { type } : { type, format };
    case 'number':
      return format.startsWith('int') ? { type: 'integer', format } : { type: 'number', format: 'double' };
    case 'boolean':
      return { type };
    case 'Date':
    case 'V1MicroTime':
      return { type: 'string', format: 'date-time' };
    case 'IntOrString':
      return { 'x-kubernetes-int-or-string': true };
    case 'any':
    case 'object':
      return { 'x-kubernetes-preserve-unknown-fields': true };
    default:
      return undefined;
  }
};

/** The models show a Quantity as a plain string; the protobuf messages know better. */
const markQuantity = (property: Property, definition: string, field: string): void => {
  const proto = protoFields[definition.replace(/^io\.k8s\./, 'k8s.io.')]?.find(([, name]) => name === field);
  if (proto?.[2].includes('resource.Quantity') !== true) return;
  (property.additionalProperties ?? property.items ?? property).format = 'quantity';
};

/** Every definition reachable from the roots, keyed by its Kubernetes name. */
export const buildDefinitions = (): Map<string, Definition> => {
  const definitions = new Map<string, Definition>();

  const reference = (type: string, format: string, pkg: string): Property => {
    const list = /^(?:Array|Set)<(.*)>$/.exec(type)?.[1];
    if (list !== undefined) return { type: 'array', items: reference(list, format, pkg) };
    const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
    if (map !== undefined) return { type: 'object', additionalProperties: reference(map, format, pkg) };
    const plain = scalar(type, format);
    if (plain !== undefined) return plain;
    return { $ref: `#/components/schemas/${visit(type, packageOf(type, pkg))}` };
  };

  const visit = (model: string, pkg: string): string => {
    const name = definitionName(pkg, simpleName(model));
    if (definitions.has(name)) return name;
    const definition: Definition = { type: 'object' };
    definitions.set(name, definition);
    const loaded = require(join(models, `${model}.js`)) as Record<string, { attributeTypeMap: Attribute[] }>;
    const attributes = loaded[model]?.attributeTypeMap ?? [];
    const { fields, description } = readDeclaration(model);
    if (description !== '') definition.description = description;
    const properties: Record<string, Property> = {};
    const required: string[] = [];
    const keys = mergeKeys[`${pkg}.${simpleName(model)}`] ?? {};
    for (const { name: field, baseName, type, format } of attributes) {
      const property = reference(type, format, pkg);
      markQuantity(property, name, baseName);
      const declared = fields.get(field);
      if (declared !== undefined && declared.description !== '') property.description = declared.description;
      if (declared?.optional === false) required.push(baseName);
      const key = keys[baseName];
      if (key?.mergeKey !== undefined) property['x-kubernetes-patch-merge-key'] = key.mergeKey;
      if (key?.patchStrategy !== undefined) property['x-kubernetes-patch-strategy'] = key.patchStrategy;
      if (key?.listType !== undefined) property['x-kubernetes-list-type'] = key.listType;
      if (key?.listMapKeys !== undefined) property['x-kubernetes-list-map-keys'] = key.listMapKeys;
      if (key?.mapType !== undefined) property['x-kubernetes-map-type'] = key.mapType;
      const fallback = keyDefaults[`${pkg}.${simpleName(model)}.${baseName}`];
      if (fallback !== undefined) property.default = fallback;
      properties[baseName] = property;
    }
    definition.properties = properties;
    if (keys['']?.mapType !== undefined) definition['x-kubernetes-map-type'] = keys[''].mapType;
    if (required.length > 0) definition.required = required;
    return name;
  };

  for (const root of roots) {
    const name = visit(root.model, root.package);
    const definition = definitions.get(name);
    if (definition !== undefined)
      definition['x-kubernetes-group-version-kind'] = [
        { group: root.group, version: root.version, kind: simpleName(root.model) },
      ];
  }
  return definitions;
};
