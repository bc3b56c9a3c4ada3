import { describe, expect, it } from 'vitest';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { endpoints } from '../../../../src/resources/kinds/endpoints.js';
import { endpointslices } from '../../../../src/resources/kinds/endpointslices.js';
import { namespaces } from '../../../../src/resources/kinds/namespaces.js';
import { nodes } from '../../../../src/resources/kinds/nodes.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { secrets } from '../../../../src/resources/kinds/secrets.js';
import { services } from '../../../../src/resources/kinds/services.js';
import { defaultPullPolicy } from '../../../../src/resources/pod-template/default-container.js';
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

describe('defaults of a pod', () => {
  it('are those of Kubernetes', () => {
    const { spec, status } = pods.defaulted(accepted(pods, { spec: podSpec }));
    const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
    const get = { httpGet: { port: 80, path: '/', scheme: 'HTTP' } };
    expect(spec).toEqual({
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      serviceAccountName: 'robot',
      serviceAccount: 'robot',
      containers: [
        {
          name: 'c',
          image: 'web:1',
          imagePullPolicy: 'IfNotPresent',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          livenessProbe: { ...get, ...probe },
          readinessProbe: { tcpSocket: { port: 80 }, ...probe, periodSeconds: 2 },
          startupProbe: { grpc: { port: 9, service: '' }, ...probe },
          lifecycle: { preStop: get, postStart: { exec: { command: ['true'] } } },
          env: [
            { name: 'A', value: '1' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } } },
            { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
          ],
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
        },
      ],
      initContainers: [
        {
          name: 'i',
          image: 'web',
          imagePullPolicy: 'Always',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      volumes: [
        { name: 'empty', emptyDir: {} },
        { name: 'config', configMap: { name: 'x', defaultMode: 420 } },
        { name: 'secret', secret: { secretName: 'x', defaultMode: 256 } },
        { name: 'host', hostPath: { path: '/x', type: '' } },
        {
          name: 'down',
          downwardAPI: {
            defaultMode: 420,
            items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.labels', apiVersion: 'v1' } }],
          },
        },
        {
          name: 'many',
          projected: {
            defaultMode: 420,
            sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }],
          },
        },
        {
          name: 'claim',
          ephemeral: {
            volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' } },
          },
        },
      ],
    });
    expect(status).toEqual({ phase: 'Pending', qosClass: 'Burstable' });
  });

  it('take container ports as host ports in the host network', () => {
    const spec = {
      hostNetwork: true,
      containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80 }] }],
    };
    expect(pods.defaulted(accepted(pods, { spec })).spec.containers[0]?.ports).toEqual([
      { containerPort: 80, hostPort: 80, protocol: 'TCP' },
    ]);
  });

  it('read the old name of the service account and count zero in a probe as absent', () => {
    const spec = {
      serviceAccount: 'robot',
      containers: [
        { name: 'c', image: 'x', livenessProbe: { ...http, timeoutSeconds: 0, successThreshold: 0 } },
      ],
    };
    const defaulted = pods.defaulted(accepted(pods, { spec })).spec;
    expect(defaulted.serviceAccountName).toBe('robot');
    expect(defaulted.containers[0]?.livenessProbe).toMatchObject({ timeoutSeconds: 1, successThreshold: 1 });
  });

  it.each([
    ['web', 'Always'],
    ['web:latest', 'Always'],
    ['web:1.2', 'IfNotPresent'],
    ['registry:5000/web', 'Always'],
    ['registry:5000/web:1', 'IfNotPresent'],
    [`web@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
    [`web:latest@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ])('pull %s %s', (image, policy) => {
    expect(defaultPullPolicy(image)).toBe(policy);
  });
});

describe('defaults of a deployment', () => {
  const deployment = (spec: object = {}) =>
    deployments.defaulted(
      accepted(deployments, { spec: { selector: { matchLabels: { app: 'a' } }, template, ...spec } }),
    ).spec;

  it('are those of Kubernetes', () => {
    const { template: filled, ...rest } = deployment();
    expect(rest).toEqual({
      selector: { matchLabels: { app: 'a' } },
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    });
    expect(filled.spec).toMatchObject({ restartPolicy: 'Always', terminationGracePeriodSeconds: 30 });
  });

  it('leave to templates what only pods get', () => {
    const { template: filled } = deployment();
    expect(filled.spec).not.toHaveProperty('enableServiceLinks');
    expect(filled.spec?.containers[0]?.resources?.requests).toEqual({ cpu: '500m' });
  });

  it('keep what was given: no replicas, half a strategy, Recreate', () => {
    expect(deployment({ replicas: 0 }).replicas).toBe(0);
    expect(deployment({ strategy: { rollingUpdate: { maxSurge: 0 } } }).strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 0, maxUnavailable: '25%' },
    });
    expect(deployment({ strategy: { type: 'Recreate' } }).strategy).toEqual({ type: 'Recreate' });
  });
});

describe('defaults of a service', () => {
  const service = (spec: object) => services.defaulted(accepted(services, { spec })).spec;

  it('are those of Kubernetes', () => {
    expect(
      service({ ports: [{ port: 80 }, { name: 'b', port: 81, targetPort: 'web', protocol: 'UDP' }] }),
    ).toEqual({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [
        { port: 80, targetPort: 80, protocol: 'TCP' },
        { name: 'b', port: 81, targetPort: 'web', protocol: 'UDP' },
      ],
    });
  });

  it('follow the type and the address', () => {
    expect(service({ type: 'LoadBalancer', ports: [{ port: 80 }] })).toMatchObject({
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
    });
    expect(service({ clusterIP: 'None' })).toMatchObject({ clusterIPs: ['None'] });
    expect(service({ clusterIPs: ['fd00::1'], ports: [{ port: 1 }] })).toMatchObject({
      clusterIP: 'fd00::1',
      ipFamilies: ['IPv6'],
    });
    expect(service({ type: 'ExternalName', externalName: 'example.com' })).toEqual({
      type: 'ExternalName',
      externalName: 'example.com',
      sessionAffinity: 'None',
    });
    expect(service({ sessionAffinity: 'ClientIP', ports: [{ port: 80 }] }).sessionAffinityConfig).toEqual({
      clientIP: { timeoutSeconds: 10800 },
    });
  });
});

describe('defaults of the other kinds', () => {
  it('turn stringData of a secret into data, over what stands there', () => {
    const secret = secrets.defaulted(
      accepted(secrets, { data: { a: 'b2xk', b: 'a2VlcA==' }, stringData: { a: 'new', ü: '' } }),
    );
    expect(secret).toMatchObject({ type: 'Opaque', data: { a: 'bmV3', b: 'a2VlcA==', ü: '' } });
    expect(secret).not.toHaveProperty('stringData');
  });

  it('give a namespace its name as a label, its finalizer and its phase', () => {
    expect(namespaces.defaulted(accepted(namespaces, {}))).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'a' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('do not bring the finalizer of a namespace back while it ends', () => {
    const ending = { metadata: { deletionTimestamp: '2025-01-01T00:00:00Z' }, spec: {} };
    expect(namespaces.defaulted(accepted(namespaces, ending)).spec).toEqual({});
  });

  it('let pods use all of a node that keeps nothing back', () => {
    const node = nodes.defaulted(accepted(nodes, { status: { capacity: { cpu: '2' } } }));
    expect(node.status?.allocatable).toEqual({ cpu: '2' });
    expect(node.spec).toEqual({});
  });

  it('fill in protocols and empty lists of addresses', () => {
    const subsets = [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }];
    expect(endpoints.defaulted(accepted(endpoints, { subsets })).subsets?.[0]?.ports).toEqual([
      { port: 80, protocol: 'TCP' },
    ]);
    expect(
      endpointslices.defaulted(
        accepted(endpointslices, { addressType: 'IPv4', endpoints: null, ports: [{}] }),
      ),
    ).toMatchObject({ endpoints: [], ports: [{ name: '', protocol: 'TCP' }] });
  });
});
