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

describe('a pod is refused for its probes', () => {
  const live = (probe: object): object => withContainer({ livenessProbe: probe });
  const at = `${c}.livenessProbe`;
  const exec = { exec: { command: ['x'] } };
  it.each<[string, object, readonly string[]]>([
    ['no handler', live({}), [`${at}: Required value: must specify a handler type`]],
    [
      'two handlers',
      live({ ...exec, tcpSocket: { port: 1 } }),
      [`${at}.tcpSocket: Forbidden: may not specify more than 1 handler type`],
    ],
    ['no command', live({ exec: {} }), [`${at}.exec.command: Required value`]],
    [
      'a port out of range',
      live({ httpGet: { port: 0 } }),
      [`${at}.httpGet.port: Invalid value: 0: ${range}`],
    ],
    [
      'a port by an impossible name',
      live({ tcpSocket: { port: '' } }),
      [
        `${at}.tcpSocket.port: Invalid value: "": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
        `${at}.tcpSocket.port: Invalid value: "": must contain at least one letter (a-z)`,
      ],
    ],
    [
      'a scheme',
      live({ httpGet: { port: 1, scheme: 'http' } }),
      [`${at}.httpGet.scheme: Unsupported value: "http": supported values: "HTTP", "HTTPS"`],
    ],
    [
      'a header',
      live({ httpGet: { port: 1, httpHeaders: [{ name: 'a b', value: '' }] } }),
      [
        `${at}.httpGet.httpHeaders[0].name: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
      ],
    ],
    ['a grpc port', live({ grpc: { port: 70000 } }), [`${at}.grpc.port: Invalid value: 70000: ${range}`]],
    [
      'a negative period',
      live({ ...exec, periodSeconds: -1 }),
      [`${at}.periodSeconds: Invalid value: -1: must be greater than or equal to 0`],
    ],
    [
      'more than one success',
      live({ ...exec, successThreshold: 2 }),
      [`${at}.successThreshold: Invalid value: 2: must be 1`],
    ],
    [
      'no grace',
      live({ ...exec, terminationGracePeriodSeconds: 0 }),
      [`${at}.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0`],
    ],
    [
      'grace for readiness',
      withContainer({ readinessProbe: { ...exec, terminationGracePeriodSeconds: 1 } }),
      [
        `${c}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes`,
      ],
    ],
    [
      'more than one success to start',
      withContainer({ startupProbe: { ...exec, successThreshold: 3 } }),
      [`${c}.startupProbe.successThreshold: Invalid value: 3: must be 1`],
    ],
    [
      'an empty hook',
      withContainer({ lifecycle: { preStop: {}, postStart: { sleep: { seconds: -1 } } } }),
      [
        `${c}.lifecycle.postStart.sleep.seconds: Invalid value: -1: must be greater than or equal to 0`,
        `${c}.lifecycle.preStop: Required value: must specify a handler type`,
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });
});

describe('a pod is refused for its resources', () => {
  const resources = (given: object): object => withContainer({ resources: given });
  const at = `${c}.resources`;
  it.each<[string, object, readonly string[]]>([
    [
      'more requested than allowed',
      resources({ requests: { cpu: '2' }, limits: { cpu: '1500m' } }),
      [`${at}.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m`],
    ],
    [
      'a negative amount',
      resources({ limits: { memory: '-1Gi' } }),
      [
        `${at}.limits[memory]: Invalid value: "-1Gi": must be greater than or equal to 0`,
        `${at}.requests[memory]: Invalid value: "-1Gi": must be greater than or equal to 0`,
      ],
    ],
    [
      'an unknown resource',
      resources({ limits: { gpu: '1' } }),
      [
        `${at}.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
        `${at}.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
      ],
    ],
    [
      'a broken name',
      resources({ requests: { 'a/b/c': '1' } }),
      [
        `${at}.requests[a/b/c]: Invalid value: "a/b/c": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
        `${at}.limits: Required value: Limit must be set for non overcommitable resources`,
      ],
    ],
    [
      'half a device',
      resources({ limits: { 'example.com/gpu': '500m' } }),
      [
        `${at}.limits[example.com/gpu]: Invalid value: "500m": must be an integer`,
        `${at}.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
      ],
    ],
    [
      'a device requested without a limit',
      resources({ requests: { 'example.com/gpu': '1' } }),
      [`${at}.limits: Required value: Limit must be set for non overcommitable resources`],
    ],
    [
      'fewer devices requested than allowed',
      resources({ requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '2' } }),
      [`${at}.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2`],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });
});

describe('a pod is refused for its volumes', () => {
  const volume = (parts: object): object => pod({ volumes: [{ name: 'v', ...parts }] });
  const mount = (parts: object, more: object = {}): object =>
    withContainer(
      { volumeMounts: [{ name: 'v', mountPath: '/v', ...parts }], ...more },
      { volumes: [{ name: 'v' }] },
    );
  const v = 'spec.volumes[0]';
  const m = `${c}.volumeMounts[0]`;
  const mode = 'must be a number between 0 and 0777 (octal), both inclusive';
  it.each<[string, object, readonly string[]]>([
    ['a bad name', volume({ name: 'V' }), [`${v}.name: Invalid value: "V": ${label}`]],
    ['no name', volume({ name: '' }), [`${v}.name: Required value`]],
    [
      'a name twice',
      pod({ volumes: [{ name: 'v' }, { name: 'v' }] }),
      ['spec.volumes[1].name: Duplicate value: "v"'],
    ],
    [
      'two sources',
      volume({ emptyDir: {}, hostPath: { path: '/x' } }),
      [`${v}.hostPath: Forbidden: may not specify more than 1 volume type`],
    ],
    ['no host path', volume({ hostPath: { path: '' } }), [`${v}.hostPath.path: Required value`]],
    [
      'a host path that climbs',
      volume({ hostPath: { path: '/a/../b' } }),
      [`${v}.hostPath.path: Invalid value: "/a/../b": must not contain '..'`],
    ],
    [
      'a host path type',
      volume({ hostPath: { path: '/x', type: 'Dir' } }),
      [
        `${v}.hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"`,
      ],
    ],
    [
      'a negative size',
      volume({ emptyDir: { sizeLimit: '-1' } }),
      [`${v}.emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity`],
    ],
    ['a secret without a name', volume({ secret: {} }), [`${v}.secret.secretName: Required value`]],
    [
      'a mode',
      volume({ secret: { secretName: 'x', defaultMode: 0o1000 } }),
      [`${v}.secret.defaultMode: Invalid value: 512: ${mode}`],
    ],
    [
      'a config map without a name',
      volume({ configMap: { defaultMode: -1 } }),
      [`${v}.configMap.name: Required value`, `${v}.configMap.defaultMode: Invalid value: -1: ${mode}`],
    ],
    [
      'items',
      volume({
        configMap: {
          name: 'x',
          items: [
            { key: '', path: '' },
            { key: '..', path: '/a' },
            { key: 'a', path: '../b', mode: 999 },
            { key: 'a', path: '..b' },
          ],
        },
      }),
      [
        `${v}.configMap.items[0].key: Required value`,
        `${v}.configMap.items[0].path: Required value`,
        `${v}.configMap.items[1].key: Invalid value: "..": must not be '..'`,
        `${v}.configMap.items[1].path: Invalid value: "/a": must be a relative path`,
        `${v}.configMap.items[2].path: Invalid value: "../b": must not contain '..'`,
        `${v}.configMap.items[2].mode: Invalid value: 999: ${mode}`,
        `${v}.configMap.items[3].path: Invalid value: "..b": must not start with '..'`,
      ],
    ],
    [
      'fields of the pod',
      volume({
        downwardAPI: {
          items: [
            { path: 'a' },
            { path: 'b', fieldRef: { fieldPath: 'status.podIP' } },
            { path: 'c', resourceFieldRef: { resource: 'limits.cpu' } },
            {
              path: 'd',
              fieldRef: { fieldPath: 'metadata.name' },
              resourceFieldRef: { resource: 'limits.cpu', containerName: 'c' },
            },
          ],
        },
      }),
      [
        `${v}.downwardAPI.items[0]: Required value: one of fieldRef and resourceFieldRef is required`,
        `${v}.downwardAPI.items[1].fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"`,
        `${v}.downwardAPI.items[2].resourceFieldRef.containerName: Required value`,
        `${v}.downwardAPI.items[3]: Invalid value: "resource": fieldRef and resourceFieldRef can not be specified simultaneously`,
      ],
    ],
    [
      'projections',
      volume({
        projected: {
          defaultMode: 512,
          sources: [
            {},
            { secret: {}, configMap: { name: 'x' } },
            { serviceAccountToken: { path: '', expirationSeconds: 1 } },
          ],
        },
      }),
      [
        `${v}.projected.defaultMode: Invalid value: 512: ${mode}`,
        `${v}.projected.sources[0]: Required value: must specify a projection type`,
        `${v}.projected.sources[1].configMap: Forbidden: may not specify more than 1 volume type`,
        `${v}.projected.sources[1].secret.name: Required value`,
        `${v}.projected.sources[2].serviceAccountToken.path: Required value`,
        `${v}.projected.sources[2].serviceAccountToken.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes`,
      ],
    ],
    [
      'a claim without a name',
      volume({ persistentVolumeClaim: { claimName: '' } }),
      [`${v}.persistentVolumeClaim.claimName: Required value`],
    ],
    ['a mount of no volume', mount({ name: 'w' }), [`${m}.name: Not found: "w"`]],
    [
      'a nameless mount to nowhere',
      mount({ name: '', mountPath: '' }),
      [`${m}.name: Required value`, `${m}.mountPath: Required value`],
    ],
    [
      'a path twice',
      withContainer(
        {
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'v', mountPath: '/v' },
          ],
        },
        { volumes: [{ name: 'v' }] },
      ),
      [`${c}.volumeMounts[1].mountPath: Invalid value: "/v": must be unique`],
    ],
    [
      'an absolute sub-path',
      mount({ subPath: '/a' }),
      [`${m}.subPath: Invalid value: "/a": must be a relative path`],
    ],
    [
      'a sub-path that climbs',
      mount({ subPathExpr: 'a/..' }),
      [`${m}.subPathExpr: Invalid value: "a/..": must not contain '..'`],
    ],
    [
      'two sub-paths',
      mount({ subPath: 'a', subPathExpr: 'b' }),
      [`${m}.subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive`],
    ],
    [
      'propagation',
      mount({ mountPropagation: 'Both' }),
      [
        `${m}.mountPropagation: Unsupported value: "Both": supported values: "Bidirectional", "HostToContainer", "None"`,
      ],
    ],
    [
      'propagation of an ordinary container',
      mount({ mountPropagation: 'Bidirectional' }),
      [
        `${m}.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });

  it('but not for propagation of a privileged one', () => {
    expect(
      problems(pods, mount({ mountPropagation: 'Bidirectional' }, { securityContext: { privileged: true } })),
    ).toEqual([]);
  });
});
