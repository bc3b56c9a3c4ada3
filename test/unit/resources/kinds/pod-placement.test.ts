import { describe, expect, it } from 'vitest';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { problems } from '../sentences.js';

const container = { name: 'c', image: 'x' };
const pod = (spec: object = {}, metadata: object = {}): object => ({
  metadata,
  spec: { containers: [container], ...spec },
});
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe('a pod is refused for its settings', () => {
  it.each<[string, object, readonly string[]]>([
    ['a name', pod({}, { name: 'A_b' }), [`metadata.name: Invalid value: "A_b": ${subdomain}`]],
    [
      'a prefix for names',
      pod({}, { name: '', generateName: 'A-' }),
      [`metadata.generateName: Invalid value: "A-": ${subdomain}`],
    ],
    [
      'a restart policy',
      pod({ restartPolicy: 'Sometimes' }),
      [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      ],
    ],
    [
      'a DNS policy',
      pod({ dnsPolicy: 'Cluster' }),
      [
        'spec.dnsPolicy: Unsupported value: "Cluster": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      ],
    ],
    [
      'no name servers',
      pod({ dnsPolicy: 'None' }),
      [
        'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
      ],
    ],
    [
      'too many name servers, one of them none',
      pod({ dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', 'x'] } }),
      [
        'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","x"]: must not have more than 3 nameservers',
        'spec.dnsConfig.nameservers[3]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'too many search paths',
      pod({ dnsConfig: { searches: Array.from({ length: 33 }, () => 'a') } }),
      [expect.stringContaining('must not have more than 32 search paths') as string],
    ],
    [
      'a nameless option',
      pod({ dnsConfig: { options: [{ value: '2' }] } }),
      ['spec.dnsConfig.options[0].name: Required value: must not be empty'],
    ],
    [
      'a deadline',
      pod({ activeDeadlineSeconds: 0 }),
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      'a group out of range',
      pod({ securityContext: { runAsGroup: -1 } }),
      ['spec.securityContext.runAsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive'],
    ],
    [
      'names',
      pod({ nodeName: '-a', serviceAccountName: 'B', priorityClassName: '_', runtimeClassName: '.' }),
      [
        `spec.nodeName: Invalid value: "-a": ${subdomain}`,
        `spec.serviceAccountName: Invalid value: "B": ${subdomain}`,
        `spec.priorityClassName: Invalid value: "_": ${subdomain}`,
        `spec.runtimeClassName: Invalid value: ".": ${subdomain}`,
      ],
    ],
    [
      'a nameless pull secret',
      pod({ imagePullSecrets: [{}] }),
      ['spec.imagePullSecrets[0].name: Required value'],
    ],
    [
      'an alias',
      pod({ hostAliases: [{ ip: 'x', hostnames: ['A'] }] }),
      [
        'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        `spec.hostAliases[0].hostnames: Invalid value: "A": ${subdomain}`,
      ],
    ],
    [
      'preemption',
      pod({ preemptionPolicy: 'Maybe' }),
      [
        'spec.preemptionPolicy: Unsupported value: "Maybe": supported values: "Never", "PreemptLowerPriority"',
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });

  it.each([
    ['a host name', { hostname: 'a.b' }, 'spec.hostname: Invalid value: "a.b": a lowercase RFC 1123 label'],
    ['a subdomain', { subdomain: 'A' }, 'spec.subdomain: Invalid value: "A": a lowercase RFC 1123 label'],
    [
      'a readiness gate',
      { readinessGates: [{ conditionType: 'a b' }] },
      'spec.readinessGates[0].conditionType: Invalid value: "a b": name part must consist of',
    ],
    [
      'a scheduler',
      { schedulerName: '/x' },
      'spec.schedulerName: Invalid value: "/x": prefix part must be non-empty',
    ],
    [
      'a node selector',
      { nodeSelector: { 'a b': 'c' } },
      'spec.nodeSelector: Invalid value: "a b": name part must consist of',
    ],
  ])('%s', (_, spec, expected) => {
    const [problem, ...others] = problems(pods, pod(spec));
    expect(problem?.startsWith(expected), problem).toBe(true);
    expect(others).toEqual([]);
  });
});

describe('a pod is refused for where it wants to run', () => {
  const node = (given: object): object => pod({ affinity: { nodeAffinity: given } });
  const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const term = (requirement: object): object =>
    node({
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [requirement] }],
      },
    });
  it.each<[string, object, readonly string[]]>([
    [
      'no terms',
      node({ requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } }),
      [`${at}: Required value: must have at least one node selector term`],
    ],
    [
      'no values',
      term({ key: 'a', operator: 'In' }),
      [
        `${at}[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
      ],
    ],
    [
      'values that say nothing',
      term({ key: 'a', operator: 'Exists', values: ['b'] }),
      [
        `${at}[0].matchExpressions[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
      ],
    ],
    [
      'two bounds',
      term({ key: 'a', operator: 'Gt', values: ['1', '2'] }),
      [
        `${at}[0].matchExpressions[0].values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
      ],
    ],
    [
      'an operator',
      term({ key: 'a', operator: 'Like' }),
      [`${at}[0].matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator`],
    ],
    [
      'fields',
      node({
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchFields: [
                { key: 'spec.x', operator: 'Exists' },
                { key: 'metadata.name', operator: 'In', values: [] },
              ],
            },
          ],
        },
      }),
      [
        `${at}[0].matchFields[0].operator: Invalid value: "Exists": not a valid selector operator`,
        `${at}[0].matchFields[0].key: Invalid value: "spec.x": not a valid field selector key`,
        `${at}[0].matchFields[1].values: Required value: must be only one value when \`operator\` is 'In' or 'NotIn' for node field selector`,
      ],
    ],
    [
      'a weight',
      node({ preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, preference: {} }] }),
      [
        'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      ],
    ],
    [
      'pods next to it',
      pod({
        affinity: {
          podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '' }] },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 0,
                podAffinityTerm: {
                  topologyKey: 'zone',
                  labelSelector: { matchExpressions: [{ key: 'a', operator: 'Gt' }] },
                },
              },
            ],
          },
        },
      }),
      [
        'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
        'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
        'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator',
      ],
    ],
    [
      'tolerations',
      pod({
        tolerations: [
          { operator: 'Equal' },
          { key: 'a', operator: 'Exists', value: 'b' },
          { key: 'a', operator: 'In' },
          { key: 'a', effect: 'Never' },
          { key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 },
        ],
      }),
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[1].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'',
        'spec.tolerations[2].operator: Unsupported value: "In": supported values: "Equal", "Exists"',
        'spec.tolerations[3].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        'spec.tolerations[4].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      ],
    ],
    [
      'spreading',
      pod({
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Wait', minDomains: 0 },
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      }),
      [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
        'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Wait": supported values: "DoNotSchedule", "ScheduleAnyway"',
        'spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[2].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(pods, parts)).toEqual(expected);
  });
});

describe('a pod that exists', () => {
  const old = pod({
    activeDeadlineSeconds: 100,
    tolerations: [{ key: 'a', operator: 'Exists' }],
    schedulingGates: [{ name: 'g' }],
  });
  const change = (spec: object): object => ({
    spec: {
      containers: [container],
      activeDeadlineSeconds: 100,
      tolerations: [{ key: 'a', operator: 'Exists' }],
      schedulingGates: [{ name: 'g' }],
      ...spec,
    },
  });

  it.each<[string, object]>([
    ['its image', change({ containers: [{ ...container, image: 'y' }] })],
    ['a shorter deadline', change({ activeDeadlineSeconds: 50 })],
    [
      'one more toleration',
      change({
        tolerations: [
          { key: 'a', operator: 'Exists', tolerationSeconds: null },
          { key: 'b', operator: 'Exists' },
        ],
      }),
    ],
    ['a gate taken away', change({ schedulingGates: [] })],
    ['its status', { ...change({}), status: { phase: 'Running' } }],
  ])('may change %s', (_, parts) => {
    expect(problems(pods, parts, old)).toEqual([]);
  });

  it.each<[string, object, readonly string[]]>([
    [
      'its node or its command',
      change({ nodeName: 'n', containers: [{ ...container, command: ['x'] }] }),
      [
        'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative): spec.containers[0], spec.nodeName changed',
      ],
    ],
    [
      'how long it takes to end',
      change({ terminationGracePeriodSeconds: 1 }),
      [expect.stringContaining(': spec.terminationGracePeriodSeconds changed') as string],
    ],
    [
      'its number of containers',
      change({ containers: [container, { ...container, name: 'd' }] }),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    [
      'a longer deadline',
      change({ activeDeadlineSeconds: 200 }),
      ['spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value'],
    ],
    [
      'no deadline',
      change({ activeDeadlineSeconds: null }),
      [
        'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
      ],
    ],
    [
      'a toleration it has',
      change({ tolerations: [{ key: 'b', operator: 'Exists' }] }),
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    [
      'a gate it had not',
      change({ schedulingGates: [{ name: 'g' }, { name: 'h' }] }),
      ["spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'h'"],
    ],
    [
      'its image to none',
      change({ containers: [{ ...container, image: '' }] }),
      ['spec.containers[0].image: Required value'],
    ],
  ])('may not change %s', (_, parts, expected) => {
    expect(problems(pods, parts, old)).toEqual(expected);
  });
});
