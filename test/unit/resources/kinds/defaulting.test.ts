import { describe, expect, it } from 'vitest';
import { kinds } from '../../../../src/resources/kinds.js';
import { analysisruns } from '../../../../src/resources/kinds/analysisruns.js';
import {
  analysistemplates,
  clusteranalysistemplates,
} from '../../../../src/resources/kinds/analysistemplates.js';
import { configmaps } from '../../../../src/resources/kinds/configmaps.js';
import { controllerrevisions } from '../../../../src/resources/kinds/controllerrevisions.js';
import { cronjobs } from '../../../../src/resources/kinds/cronjobs.js';
import { csidrivers } from '../../../../src/resources/kinds/csidrivers.js';
import { csinodes } from '../../../../src/resources/kinds/csinodes.js';
import { csistoragecapacities } from '../../../../src/resources/kinds/csistoragecapacities.js';
import { customresourcedefinitions } from '../../../../src/resources/kinds/customresourcedefinitions.js';
import { daemonsets } from '../../../../src/resources/kinds/daemonsets.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { endpoints } from '../../../../src/resources/kinds/endpoints.js';
import { endpointslices } from '../../../../src/resources/kinds/endpointslices.js';
import { events } from '../../../../src/resources/kinds/events.js';
import { eventsV1 } from '../../../../src/resources/kinds/events-v1.js';
import { horizontalpodautoscalersV1 } from '../../../../src/resources/kinds/horizontalpodautoscalers-v1.js';
import { horizontalpodautoscalers } from '../../../../src/resources/kinds/horizontalpodautoscalers.js';
import { ingressclasses } from '../../../../src/resources/kinds/ingressclasses.js';
import { ingresses } from '../../../../src/resources/kinds/ingresses.js';
import { experiments } from '../../../../src/resources/kinds/experiments.js';
import { jobs } from '../../../../src/resources/kinds/jobs.js';
import { leases } from '../../../../src/resources/kinds/leases.js';
import { mutatingwebhookconfigurations } from '../../../../src/resources/kinds/mutatingwebhookconfigurations.js';
import { namespaces } from '../../../../src/resources/kinds/namespaces.js';
import { networkpolicies } from '../../../../src/resources/kinds/networkpolicies.js';
import { nodes } from '../../../../src/resources/kinds/nodes.js';
import { poddisruptionbudgets } from '../../../../src/resources/kinds/poddisruptionbudgets.js';
import { persistentvolumeclaims } from '../../../../src/resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../../../src/resources/kinds/persistentvolumes.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { podtemplates } from '../../../../src/resources/kinds/podtemplates.js';
import { replicasets } from '../../../../src/resources/kinds/replicasets.js';
import { certificatesigningrequests } from '../../../../src/resources/kinds/certificatesigningrequests.js';
import { clusterrolebindings } from '../../../../src/resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../../../../src/resources/kinds/clusterroles.js';
import { limitranges } from '../../../../src/resources/kinds/limitranges.js';
import { priorityclasses } from '../../../../src/resources/kinds/priorityclasses.js';
import { resourcequotas } from '../../../../src/resources/kinds/resourcequotas.js';
import { rolebindings } from '../../../../src/resources/kinds/rolebindings.js';
import { roles } from '../../../../src/resources/kinds/roles.js';
import { rollouts } from '../../../../src/resources/kinds/rollouts.js';
import { replicationcontrollers } from '../../../../src/resources/kinds/replicationcontrollers.js';
import { runtimeclasses } from '../../../../src/resources/kinds/runtimeclasses.js';
import { volumeattachments } from '../../../../src/resources/kinds/volumeattachments.js';
import { secrets } from '../../../../src/resources/kinds/secrets.js';
import { serviceaccounts } from '../../../../src/resources/kinds/serviceaccounts.js';
import { validatingwebhookconfigurations } from '../../../../src/resources/kinds/validatingwebhookconfigurations.js';
import { gatewayclasses } from '../../../../src/resources/kinds/gatewayclasses.js';
import { gateways } from '../../../../src/resources/kinds/gateways.js';
import { httproutes } from '../../../../src/resources/kinds/httproutes.js';
import { referencegrants } from '../../../../src/resources/kinds/referencegrants.js';
import { services } from '../../../../src/resources/kinds/services.js';
import { statefulsets } from '../../../../src/resources/kinds/statefulsets.js';
import { storageclasses } from '../../../../src/resources/kinds/storageclasses.js';
import type { Kind } from '../../../../src/resources/kind.js';
import { checkSchema } from '../../../../src/resources/schema.js';
import { accepted } from '../sentences.js';

const http = { httpGet: { port: 80 } };
const podSpec = {
  containers: [
    {
      name: 'c',
      image: 'web:1',
      ports: [{ containerPort: 80 }],
      livenessProbe: http,
      readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 2 },
      startupProbe: { grpc: { port: 9 } },
      lifecycle: { preStop: http, postStart: { exec: { command: ['true'] } } },
      env: [
        { name: 'A', value: '1' },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      ],
      resources: { limits: { cpu: 1, memory: '1Gi' }, requests: { cpu: '0.5' } },
    },
  ],
  initContainers: [{ name: 'i', image: 'web' }],
  serviceAccountName: 'robot',
  volumes: [
    { name: 'empty' },
    { name: 'config', configMap: { name: 'x' } },
    { name: 'secret', secret: { secretName: 'x', defaultMode: 256 } },
    { name: 'host', hostPath: { path: '/x' } },
    { name: 'down', downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    { name: 'many', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
    {
      name: 'claim',
      ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } },
    },
  ],
};
const template = { metadata: { labels: { app: 'a' } }, spec: podSpec };

describe('defaulting', () => {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', name: 'a' };
  const selector = { matchLabels: { app: 'a' } };
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const metrics = [{ name: 'm', provider: { web: { url: 'http://w' } } }];
  const webhook = {
    name: 'hook.example.com',
    clientConfig: { service: { name: 'hook', namespace: 'default' } },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const samples: readonly [Kind, object][] = [
    [pods, { spec: podSpec }],
    [
      pods,
      { spec: { hostNetwork: true, containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 1 }] }] } },
    ],
    [deployments, { spec: { selector, template } }],
    [deployments, { spec: { selector, template, strategy: { type: 'Recreate' } } }],
    [replicasets, { spec: { selector, template } }],
    [daemonsets, { spec: { selector, template } }],
    [daemonsets, { spec: { selector, template, updateStrategy: { type: 'OnDelete' } } }],
    [jobs, { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } }],
    [
      cronjobs,
      {
        spec: {
          schedule: '@daily',
          jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
        },
      },
    ],
    [poddisruptionbudgets, { spec: { selector, minAvailable: 1 } }],
    [controllerrevisions, { revision: 1, data: { spec: { template } } }],
    [gatewayclasses, { spec: { controllerName: 'capstan.dev/gateway' } }],
    [
      gateways,
      {
        spec: {
          gatewayClassName: 'capstan',
          listeners: [{ name: 'a', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'c' }] } }],
        },
      },
    ],
    [httproutes, { spec: { parentRefs: [{ name: 'g' }] } }],
    [
      httproutes,
      {
        spec: {
          rules: [
            {
              matches: [{ headers: [{ name: 'x', value: 'y' }], queryParams: [{ name: 'q', value: '1' }] }],
              backendRefs: [{ name: 'web', port: 80 }],
            },
            { filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https' } }] },
          ],
        },
      },
    ],
    [referencegrants, { spec: { from: [{ kind: 'HTTPRoute', namespace: 'a' }], to: [{ kind: 'Service' }] } }],
    [services, { spec: { ports: [{ port: 80 }] } }],
    [services, { spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP', ports: [{ port: 80 }] } }],
    [services, { spec: { type: 'ExternalName', externalName: 'x' } }],
    [services, { spec: { clusterIP: 'None' } }],
    [secrets, { stringData: { a: 'b' } }],
    [configmaps, { data: { a: 'b' } }],
    [namespaces, {}],
    [nodes, { status: { capacity: { cpu: '1' } } }],
    [events, { involvedObject: { namespace: 'n' } }],
    [endpoints, { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }],
    [endpointslices, { addressType: 'IPv4', endpoints: [] }],
    [leases, {}],
    [serviceaccounts, {}],
    [roles, { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }],
    [clusterroles, { rules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }] }],
    [rolebindings, { roleRef: { ...roleRef, kind: 'Role' }, subjects: [{ kind: 'User', name: 'ann' }] }],
    [clusterrolebindings, { roleRef: { ...roleRef, kind: 'ClusterRole' }, subjects: [] }],
    [priorityclasses, { value: 1000 }],
    [
      customresourcedefinitions,
      {
        metadata: { name: 'gadgets.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'gadgets', kind: 'Gadget' },
          versions: [
            { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
          ],
        },
      },
    ],
    [mutatingwebhookconfigurations, { webhooks: [webhook] }],
    [validatingwebhookconfigurations, { webhooks: [webhook] }],
    [resourcequotas, { spec: { hard: { pods: '4' } } }],
    [
      certificatesigningrequests,
      {
        spec: {
          request: 'cGVt',
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['client auth'],
        },
      },
    ],
    [rollouts, { spec: { selector, template, strategy: { canary: {} } } }],
    [analysistemplates, { spec: { metrics } }],
    [clusteranalysistemplates, { spec: { metrics } }],
    [analysisruns, { spec: { metrics } }],
    [experiments, { spec: { templates: [{ name: 'v', selector, template }] } }],
    [limitranges, { spec: { limits: [{ type: 'Container', default: { cpu: '1' } }] } }],
    [
      statefulsets,
      {
        spec: {
          selector,
          template,
          serviceName: 'a',
          volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: claim }],
        },
      },
    ],
    [persistentvolumeclaims, { spec: claim }],
    [
      persistentvolumes,
      { spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } } },
    ],
    [networkpolicies, { spec: { egress: [{ ports: [{ port: 80 }], to: [{ podSelector: {} }] }] } }],
    [ingresses, { spec: { defaultBackend: { service: { name: 'web', port: { name: 'http' } } } } }],
    [ingressclasses, { spec: { controller: 'a.example/b', parameters: { kind: 'K', name: 'n' } } }],
    [
      horizontalpodautoscalers,
      {
        spec: {
          maxReplicas: 3,
          scaleTargetRef: { kind: 'Deployment', name: 'web' },
          behavior: { scaleUp: {} },
        },
      },
    ],
    [replicationcontrollers, { spec: { template } }],
    [podtemplates, { template }],
    [csidrivers, { metadata: { name: 'disk.example.com' }, spec: {} }],
    [csinodes, { spec: { drivers: [{ name: 'disk.example.com', nodeID: 'n', topologyKeys: ['zone'] }] } }],
    [csistoragecapacities, { storageClassName: 'fast', capacity: '1Gi' }],
    [
      volumeattachments,
      { spec: { attacher: 'disk.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    ],
    [
      runtimeclasses,
      {
        handler: 'runsc',
        overhead: { podFixed: { cpu: '1' } },
        scheduling: { tolerations: [{ operator: 'Exists' }] },
      },
    ],
    [
      horizontalpodautoscalersV1,
      { spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'web' } } },
    ],
    [
      eventsV1,
      {
        regarding: { namespace: 'n' },
        eventTime: '2025-01-01T00:00:00.000000Z',
        reportingController: 'a.example/b',
        reportingInstance: 'b-1',
        action: 'Binding',
        reason: 'Scheduled',
        type: 'Normal',
      },
    ],
    [storageclasses, { provisioner: 'capstan.dev/host-path' }],
  ];

  it.each(samples.map(([kind, parts], index) => [`${kind.kind} (${String(index)})`, kind, parts] as const))(
    'of %s is idempotent, keeps the object that needs none, and fits the schema',
    (_, kind, parts) => {
      const once = kind.defaulted(accepted(kind, parts));
      expect(kind.defaulted(once)).toBe(once);
      expect(checkSchema(kind, once)).toEqual({ errors: [], unknown: [] });
      expect(kind.validate(once, undefined)).toEqual([]);
      expect(kind.validate(once, once)).toEqual([]);
    },
  );

  it('has a sample of every kind of Kubernetes that is served', () => {
    const sampled = new Set(samples.map(([kind]) => kind));
    expect(
      kinds.filter((kind) => kind.group !== 'capstan.dev' && !sampled.has(kind)).map(({ kind }) => kind),
    ).toEqual([]);
  });
});
