import { describe, expect, it } from 'vitest';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { problems } from '../sentences.js';

const container = { name: 'c', image: 'x' };
const pod = (spec: object = {}): object => ({ spec: { containers: [container], ...spec } });
const withContainer = (parts: object, spec: object = {}): object =>
  pod({ containers: [{ ...container, ...parts }], ...spec });
const c = 'spec.containers[0]';
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const range = 'must be between 1 and 65535, inclusive';

describe('a pod is refused for its containers', () => {
  it.each<[string, object, readonly string[]]>([
    ['none', pod({ containers: [] }), ['spec.containers: Required value']],
    ['a bad name', withContainer({ name: 'C_1' }), [`${c}.name: Invalid value: "C_1": ${label}`]],
    ['no name', withContainer({ name: '' }), [`${c}.name: Required value`]],
    [
      'a name too long',
      withContainer({ name: 'c'.repeat(64) }),
      [`${c}.name: Invalid value: "${'c'.repeat(64)}": must be no more than 63 bytes`],
    ],
    [
      'a name twice',
      pod({ containers: [container, container] }),
      ['spec.containers[1].name: Duplicate value: "c"'],
    ],
    [
      'a name of an init container',
      pod({ initContainers: [container] }),
      ['spec.initContainers[0].name: Duplicate value: "c"'],
    ],
    ['no image', withContainer({ image: '' }), [`${c}.image: Required value`]],
    [
      'an image with a blank',
      withContainer({ image: 'x ' }),
      [`${c}.image: Invalid value: "x ": must not have leading or trailing whitespace`],
    ],
    [
      'a pull policy',
      withContainer({ imagePullPolicy: 'Sometimes' }),
      [
        `${c}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
      ],
    ],
    [
      'a message policy',
      withContainer({ terminationMessagePolicy: 'x' }),
      [
        `${c}.terminationMessagePolicy: Unsupported value: "x": supported values: "FallbackToLogsOnError", "File"`,
      ],
    ],
    [
      'restart policy of a main container',
      withContainer({ restartPolicy: 'Always' }),
      [`${c}.restartPolicy: Forbidden: may not be set for non-init containers`],
    ],
    [
      'restart policy of an init container',
      pod({ initContainers: [{ ...container, name: 'i', restartPolicy: 'Never' }] }),
      ['spec.initContainers[0].restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'a probe of an init container',
      pod({ initContainers: [{ ...container, name: 'i', readinessProbe: { exec: { command: ['x'] } } }] }),
      [
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'a user out of range',
      withContainer({ securityContext: { runAsUser: -1 } }),
      [`${c}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`],
    ],
    [
      'privileged without escalation',
      withContainer({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      [
        `${c}.securityContext.allowPrivilegeEscalation: Invalid value: false: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      ],
    ],
    [
      'SYS_ADMIN without escalation',
      withContainer({
        securityContext: { capabilities: { add: ['SYS_ADMIN'] }, allowPrivilegeEscalation: false },
      }),
      [
        `${c}.securityContext.allowPrivilegeEscalation: Invalid value: false: cannot set \`allowPrivilegeEscalation\` to false and \`capabilities.Add\` CAP_SYS_ADMIN`,
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });

  it('but not for a sidecar with probes', () => {
    const sidecar = {
      ...container,
      name: 's',
      restartPolicy: 'Always',
      readinessProbe: { exec: { command: ['x'] } },
    };
    expect(problems(pods, pod({ initContainers: [sidecar] }))).toEqual([]);
  });
});

describe('a pod is refused for its ports', () => {
  const ports = (...list: object[]): object => withContainer({ ports: list });
  it.each<[string, object, readonly string[]]>([
    ['zero', ports({ containerPort: 0 }), [`${c}.ports[0].containerPort: Required value`]],
    [
      'out of range',
      ports({ containerPort: 65536 }),
      [`${c}.ports[0].containerPort: Invalid value: 65536: ${range}`],
    ],
    [
      'a host port out of range',
      ports({ containerPort: 1, hostPort: -1 }),
      [`${c}.ports[0].hostPort: Invalid value: -1: ${range}`],
    ],
    [
      'a protocol',
      ports({ containerPort: 1, protocol: 'ICMP' }),
      [`${c}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`],
    ],
    [
      'a host address',
      ports({ containerPort: 1, hostIP: '10.0.0' }),
      [
        `${c}.ports[0].hostIP: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`,
      ],
    ],
    [
      'a name too long',
      ports({ containerPort: 1, name: 'sixteen-letters-' }),
      [
        `${c}.ports[0].name: Invalid value: "sixteen-letters-": must be no more than 15 characters`,
        `${c}.ports[0].name: Invalid value: "sixteen-letters-": must not begin or end with a hyphen`,
      ],
    ],
    [
      'a name without a letter',
      ports({ containerPort: 1, name: '80' }),
      [`${c}.ports[0].name: Invalid value: "80": must contain at least one letter (a-z)`],
    ],
    [
      'a name with capitals and two hyphens',
      ports({ containerPort: 1, name: 'A--b' }),
      [
        `${c}.ports[0].name: Invalid value: "A--b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
        `${c}.ports[0].name: Invalid value: "A--b": must not contain consecutive hyphens`,
      ],
    ],
    [
      'a name twice',
      ports({ containerPort: 1, name: 'a' }, { containerPort: 2, name: 'a' }),
      [`${c}.ports[1].name: Duplicate value: "a"`],
    ],
    [
      'a host port twice',
      ports({ containerPort: 1, hostPort: 80 }, { containerPort: 2, hostPort: 80 }),
      [`${c}.ports[1].hostPort: Duplicate value: "TCP//80"`],
    ],
    [
      'another port in the host network',
      pod({ hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 1, hostPort: 2 }] }] }),
      [`${c}.ports[0].containerPort: Invalid value: 1: must match \`hostPort\` when \`hostNetwork\` is true`],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });
});

describe('a pod is refused for its environment', () => {
  const env = (variable: object): object => withContainer({ env: [variable] });
  const from = (valueFrom: object): object => env({ name: 'A', valueFrom });
  const at = `${c}.env[0]`;
  it.each<[string, object, readonly string[]]>([
    ['no name', env({ name: '' }), [`${at}.name: Required value`]],
    [
      'an equals sign',
      env({ name: 'A=B' }),
      [
        `${at}.name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      ],
    ],
    [
      'a value and a source',
      env({ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }),
      [`${at}.valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`],
    ],
    [
      'no source',
      from({}),
      [
        `${at}.valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
      ],
    ],
    [
      'two sources',
      from({ configMapKeyRef: { name: 'a', key: 'b' }, secretKeyRef: { name: 'a', key: 'b' } }),
      [`${at}.valueFrom: Invalid value: "": may not have more than one field specified at a time`],
    ],
    [
      'a field that does not exist',
      from({ fieldRef: { fieldPath: 'spec.colour' } }),
      [
        `${at}.valueFrom.fieldRef.fieldPath: Unsupported value: "spec.colour": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
      ],
    ],
    [
      'an empty field',
      from({ fieldRef: { fieldPath: '' } }),
      [`${at}.valueFrom.fieldRef.fieldPath: Required value`],
    ],
    [
      'another version',
      from({ fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v2' } }),
      [`${at}.valueFrom.fieldRef: Invalid value: "metadata.name": unsupported pod version: v2`],
    ],
    [
      'a resource',
      from({ resourceFieldRef: { resource: 'limits.gpu' } }),
      [
        `${at}.valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`,
      ],
    ],
    [
      'no resource',
      from({ resourceFieldRef: { resource: '' } }),
      [`${at}.valueFrom.resourceFieldRef.resource: Required value`],
    ],
    [
      'a key',
      from({ secretKeyRef: { name: 'a', key: 'b/c' } }),
      [
        `${at}.valueFrom.secretKeyRef.key: Invalid value: "b/c": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      ],
    ],
    [
      'no name and no key',
      from({ configMapKeyRef: { key: '' } }),
      [
        `${at}.valueFrom.configMapKeyRef.name: Required value`,
        `${at}.valueFrom.configMapKeyRef.key: Required value`,
      ],
    ],
    [
      'an empty source of many',
      withContainer({ envFrom: [{}] }),
      [`${c}.envFrom[0]: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``],
    ],
    [
      'two sources of many',
      withContainer({ envFrom: [{ configMapRef: { name: 'a' }, secretRef: { name: 'a' } }] }),
      [`${c}.envFrom[0]: Invalid value: "": may not have more than one field specified at a time`],
    ],
    [
      'nameless sources of many',
      withContainer({ envFrom: [{ configMapRef: {} }, { secretRef: {} }] }),
      [`${c}.envFrom[0].configMapRef.name: Required value`, `${c}.envFrom[1].secretRef.name: Required value`],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });

  it('but not for labels and annotations of its own', () => {
    expect(problems(pods, from({ fieldRef: { fieldPath: "metadata.labels['a.io/b']" } }))).toEqual([]);
    expect(problems(pods, from({ fieldRef: { fieldPath: "metadata.annotations['_']" } }))).toHaveLength(1);
  });
});
