// The environment of a container from values, fields, config maps and secrets.
import type { Container, EnvFromSource, EnvVar, Pod } from '../resources/generated/types.js';
import { fieldValue, resourceValue } from './field-value.js';
import type { PodPlace } from './field-value.js';
import type { Reference, Referenced, References } from './pod-source.js';

/** A value, or why there is none: for good until the named object changes, or only until it is known. */
export type Resolved<T> =
  | { readonly type: 'value'; readonly value: T }
  | { readonly type: 'missing'; readonly message: string }
  | { readonly type: 'unknown' };

/** The API server as pods reach it. */
export interface ApiService {
  readonly host: string;
  readonly port: number;
}

export interface EnvironmentContext {
  readonly pod: Pod;
  readonly container: Container;
  readonly references: References;
  readonly place: PodPlace;
  /** Undefined where there is no cluster to reach. */
  readonly apiService?: ApiService | undefined;
}

type Environment = Readonly<Record<string, string>>;

/** `$(NAME)` becomes the value of a variable that is known; `$$(NAME)` becomes `$(NAME)`; the rest stays. */
export const expand = (text: string, known: Environment): string =>
  text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return known[name] ?? whole;
  });

const missing = (message: string): Resolved<never> => ({ type: 'missing', message });
const nothing: Resolved<undefined> = { type: 'value', value: undefined };

interface Keyed {
  readonly reference: Reference;
  readonly optional: boolean;
}

/** The decoded content of a referenced object; undefined when it may be, and is, absent. */
const contentOf = (
  { references }: EnvironmentContext,
  { reference, optional }: Keyed,
): Resolved<Environment | undefined> => {
  const { kind, namespace, name } = reference;
  const found: Referenced<{ readonly data?: Environment | undefined }> =
    kind === 'ConfigMap' ? references.configMap(namespace, name) : references.secret(namespace, name);
  if (found.state === 'unknown') return { type: 'unknown' };
  if (found.state === 'absent')
    return optional ? nothing : missing(`${kind.toLowerCase()} "${name}" not found`);
  const data = found.object.data ?? {};
  if (kind === 'ConfigMap') return { type: 'value', value: data };
  const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return { type: 'value', value: Object.fromEntries(decoded) as Environment };
};

const keyValue = (context: EnvironmentContext, keyed: Keyed, key: string): Resolved<string | undefined> => {
  const content = contentOf(context, keyed);
  if (content.type !== 'value' || content.value === undefined) return content as Resolved<undefined>;
  const value = content.value[key];
  if (value !== undefined || keyed.optional) return { type: 'value', value };
  const { kind, namespace, name } = keyed.reference;
  return missing(`couldn't find key ${key} in ${kind} ${namespace}/${name}`);
};

const variable = (
  context: EnvironmentContext,
  { name, value, valueFrom }: EnvVar,
  known: Environment,
): Resolved<string | undefined> => {
  if (valueFrom === undefined) return { type: 'value', value: expand(value ?? '', known) };
  const { pod, container, place } = context;
  const namespace = pod.metadata.namespace ?? '';
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) {
    const found = fieldValue(pod, fieldRef, place);
    return found === undefined
      ? missing(`variable ${name}: unsupported fieldPath: ${fieldRef.fieldPath}`)
      : { type: 'value', value: found };
  }
  if (resourceFieldRef !== undefined) {
    const found = resourceValue(pod, resourceFieldRef, { container, place });
    return found === undefined
      ? missing(`variable ${name}: unsupported container resource: ${resourceFieldRef.resource}`)
      : { type: 'value', value: found };
  }
  const selector = configMapKeyRef ?? secretKeyRef;
  if (selector === undefined) return { type: 'value', value: '' };
  const kind = configMapKeyRef === undefined ? 'Secret' : 'ConfigMap';
  return keyValue(
    context,
    {
      reference: { kind, namespace, name: selector.name ?? '' },
      optional: selector.optional === true,
    },
    selector.key,
  );
};

const everything = (
  context: EnvironmentContext,
  source: EnvFromSource,
): Resolved<Environment | undefined> => {
  const selected = source.configMapRef ?? source.secretRef;
  const kind = source.configMapRef === undefined ? 'Secret' : 'ConfigMap';
  const namespace = context.pod.metadata.namespace ?? '';
  return contentOf(context, {
    reference: { kind, namespace, name: selected?.name ?? '' },
    optional: selected?.optional === true,
  });
};

/** The variables by which programs in pods find the API server; what Docker's links once were called. */
const ofApiService = ({ apiService }: EnvironmentContext): Environment => {
  if (apiService === undefined) return {};
  const { host, port } = apiService;
  const link = `KUBERNETES_PORT_${String(port)}_TCP`;
  const url = `tcp://${host}:${String(port)}`;
  return {
    KUBERNETES_SERVICE_HOST: host,
    KUBERNETES_SERVICE_PORT: String(port),
    KUBERNETES_SERVICE_PORT_HTTPS: String(port),
    KUBERNETES_PORT: url,
    [link]: url,
    [`${link}_PROTO`]: 'tcp',
    [`${link}_PORT`]: String(port),
    [`${link}_ADDR`]: host,
  };
};

/** Later names win over earlier ones, `env` over `envFrom`, as in Kubernetes. */
export const environmentOf = (context: EnvironmentContext): Resolved<Environment> => {
  const environment: Record<string, string> = { ...ofApiService(context) };
  for (const source of context.container.envFrom ?? []) {
    const content = everything(context, source);
    if (content.type !== 'value') return content;
    for (const [key, value] of Object.entries(content.value ?? {}))
      environment[`${source.prefix ?? ''}${key}`] = value;
  }
  for (const wanted of context.container.env ?? []) {
    const found = variable(context, wanted, environment);
    if (found.type !== 'value') return found;
    if (found.value !== undefined) environment[wanted.name] = found.value;
  }
  return { type: 'value', value: environment };
};
