// A Pod of 2.3 KB as a list shows it: two containers with environment, probes, resources and volumes.
const container = (name: string): unknown => ({
  name,
  image: `registry.example/shop/${name}:1.4.2`,
  args: ['--listen=0.0.0.0:8080', '--log-level=info'],
  ports: [{ name: 'http', containerPort: name === 'app' ? 8080 : 9090, protocol: 'TCP' }],
  env: [
    { name: 'DATABASE_HOST', value: 'postgres.shop.svc.cluster.local' },
    { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
  ],
  resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 },
  volumeMounts: [{ name: 'config', mountPath: '/etc/app', readOnly: true }],
});

export const podManifest = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'bench',
      labels: { app: 'frontend', tier: 'web', 'pod-template-hash': '7d9c5b8f6d' },
      annotations: { 'example.com/owner': 'team-shop', 'example.com/revision': '1f0c9a7e' },
    },
    spec: {
      nodeName: 'node-1',
      containers: [container('app')],
      volumes: [{ name: 'config', configMap: { name: 'frontend-config' } }],
      terminationGracePeriodSeconds: 30,
    },
  });
