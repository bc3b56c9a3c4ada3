// Objects and patches that fuzzed inputs begin with.

const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [{ containerPort: 80, name: 'http' }],
        env: [{ name: 'A', value: '1' }],
        resources: { limits: { cpu: '500m', memory: '64Mi' } },
        readinessProbe: { httpGet: { path: '/', port: 'http' } },
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  },
};
const selector = { matchLabels: { app: 'web' } };
const inNamespace = '/namespaces/default';

const manifest = (apiVersion: string, kind: string, path: string, rest: object) => ({
  apiVersion,
  kind,
  metadata: { name: kind === 'Pod' ? 'web' : kind.toLowerCase(), labels: { app: 'web' } },
  ...rest,
  /** Where it is created; no field of the object's own. */
  path: `${apiVersion.includes('/') ? '/apis/' : '/api/'}${apiVersion}${path}`,
});

export const manifests = {
  ConfigMap: manifest('v1', 'ConfigMap', `${inNamespace}/configmaps`, { data: { a: 'b' } }),
  Pod: manifest('v1', 'Pod', `${inNamespace}/pods`, { spec: template.spec }),
  Service: manifest('v1', 'Service', `${inNamespace}/services`, {
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
  }),
  Deployment: manifest('apps/v1', 'Deployment', `${inNamespace}/deployments`, {
    spec: { replicas: 2, selector, template },
  }),
  StatefulSet: manifest('apps/v1', 'StatefulSet', `${inNamespace}/statefulsets`, {
    spec: {
      serviceName: 'web',
      selector,
      template,
      volumeClaimTemplates: [
        {
          metadata: { name: 'tmp' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  }),
  CronJob: manifest('batch/v1', 'CronJob', `${inNamespace}/cronjobs`, {
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    },
  }),
  HorizontalPodAutoscaler: manifest(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    `${inNamespace}/horizontalpodautoscalers`,
    {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
        ],
      },
    },
  ),
  Ingress: manifest('networking.k8s.io/v1', 'Ingress', `${inNamespace}/ingresses`, {
    spec: {
      rules: [
        {
          host: '*.example.com',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  }),
  NetworkPolicy: manifest('networking.k8s.io/v1', 'NetworkPolicy', `${inNamespace}/networkpolicies`, {
    spec: {
      podSelector: {},
      ingress: [
        {
          from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
          ports: [{ port: 80, endPort: 90 }],
        },
      ],
    },
  }),
  ClusterRole: manifest('rbac.authorization.k8s.io/v1', 'ClusterRole', '/clusterroles', {
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  }),
  ResourceQuota: manifest('v1', 'ResourceQuota', `${inNamespace}/resourcequotas`, {
    spec: { hard: { pods: '4', 'requests.cpu': '1' } },
  }),
  SubjectAccessReview: manifest('authorization.k8s.io/v1', 'SubjectAccessReview', '/subjectaccessreviews', {
    spec: { user: 'bob', resourceAttributes: { verb: 'get', resource: 'pods' } },
  }),
} as const;

export const patches: Readonly<Record<string, readonly unknown[]>> = {
  'application/json-patch+json': [
    [{ op: 'replace', path: '/spec/containers/0/image', value: 'web:2' }],
    [
      { op: 'test', path: '/metadata/name', value: 'web' },
      { op: 'move', from: '/metadata/labels', path: '/metadata/annotations' },
      { op: 'copy', from: '/spec', path: '/x~1y' },
    ],
  ],
  'application/merge-patch+json': [{ metadata: { labels: { app: null, b: 'c' } }, spec: { containers: [] } }],
  'application/strategic-merge-patch+json': [
    {
      spec: {
        $setElementOrder: { containers: [{ name: 'web' }] },
        containers: [{ name: 'web', image: 'web:2', env: [{ name: 'A', $patch: 'delete' }] }],
        $retainKeys: ['containers'],
      },
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a/b'] },
    },
  ],
};

export const jsonWords: readonly string[] = [
  ...[
    'null',
    'true',
    '{}',
    '[]',
    '0',
    '-1',
    '1e999',
    '""',
    '"__proto__":{"x":1}',
    '"constructor":{}',
    ',',
    '{',
    '[',
  ],
  ...[
    '"$patch":"delete"',
    '"$patch":"replace"',
    '"finalizers":["a/b"]',
    '"deletionTimestamp":"2025-01-01T00:00:00Z"',
  ],
  ...['"ownerReferences":[{}]', '"managedFields":[{}]', '"generateName":"x-"', '"resourceVersion":"1"'],
  ...[
    'POST ',
    'PATCH ',
    'PUT ',
    'DELETE ',
    'GET ',
    '/status',
    '/scale',
    '/namespaces/default',
    '?watch=1',
    '&dryRun=All',
  ],
  ...[
    'limit=',
    'continue=',
    'resourceVersion=',
    'fieldSelector=',
    'labelSelector=',
    'content-encoding: gzip',
  ],
  ...['9'.repeat(400), '1Ei', '0.0000000001', '25%', '../', '&a *a', '[*a,*a]', '!!binary', 'x'.repeat(300)],
];
