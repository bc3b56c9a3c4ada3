import { describe, expect, it } from 'vitest';
import { parseKubeconfig, renderKubeconfig } from '../../../src/client/kubeconfig.js';

const config = {
  name: 'capstan',
  server: 'https://127.0.0.1:6443',
  ca: '-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n',
  cert: 'cert',
  key: 'key',
  user: 'admin',
  namespace: 'shop',
};

describe('a kubeconfig', () => {
  it('is read as it was written', () => {
    expect(parseKubeconfig(renderKubeconfig(config), 'admin.kubeconfig')).toEqual(config);
  });

  it.each([
    ['a: [', /admin.kubeconfig is not a usable kubeconfig/],
    ['just text', /not a YAML object/],
    ['apiVersion: v1', /no current-context/],
    ['current-context: x\ncontexts: []', /contexts has no entry named "x"/],
    [renderKubeconfig({ ...config, server: 'nowhere' }), /not a URL: "nowhere"/],
    [
      renderKubeconfig(config).replace(/client-key-data: .*/, 'client-key: /etc/key.pem'),
      /must embed client-key-data/,
    ],
  ])('that cannot be used says why: %#', (text, message) => {
    expect(() => parseKubeconfig(text, 'admin.kubeconfig')).toThrow(message);
  });
});
