// What the engine cannot do is refused or warned of; profiles, kernel parameters and ephemeral containers are checked.
import { describe, expect, it } from 'vitest';
import { podWarnings } from '../../../../src/resources/pod-template/engine-limits.js';
import { cronjobs } from '../../../../src/resources/kinds/cronjobs.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { accepted, problems } from '../sentences.js';

const container = { name: 'c', image: 'x' };
const pod = (spec: object = {}): object => ({ spec: { containers: [container], ...spec } });
const withContainer = (parts: object): object => pod({ containers: [{ ...container, ...parts }] });

describe('a pod is refused for what the engine cannot do', () => {
  it.each<[string, object, string]>([
    ['a user namespace', pod({ hostUsers: false }), 'spec.hostUsers: Forbidden'],
    ['Windows', pod({ os: { name: 'windows' } }), 'spec.os.name: Forbidden'],
    [
      'strict groups',
      pod({ securityContext: { supplementalGroupsPolicy: 'Strict' } }),
      'spec.securityContext.supplementalGroupsPolicy: Forbidden',
    ],
    [
      'a volume of a foreign service',
      pod({ volumes: [{ name: 'v', azureDisk: { diskName: 'd', diskURI: 'u' } }] }),
      'spec.volumes[0].azureDisk: Forbidden',
    ],
    [
      'a Localhost profile without a name',
      withContainer({ securityContext: { seccompProfile: { type: 'Localhost' } } }),
      'spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value',
    ],
    [
      'a profile outside its folder',
      pod({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: '../x' } } }),
      'spec.securityContext.seccompProfile.localhostProfile: Invalid value',
    ],
    [
      'an unsafe kernel parameter',
      pod({ securityContext: { sysctls: [{ name: 'kernel.panic', value: '1' }] } }),
      'spec.securityContext.sysctls[0].name: Forbidden',
    ],
    [
      'a kernel parameter of the host',
      pod({
        hostNetwork: true,
        securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] },
      }),
      'spec.securityContext.sysctls[0].name: Invalid value',
    ],
    [
      'ephemeral containers from the start',
      pod({ ephemeralContainers: [{ name: 'd', image: 'x' }] }),
      'spec.ephemeralContainers: Forbidden',
    ],
  ])('%s', (_name, parts, expected) => {
    expect(problems(pods, parts).join('\n')).toContain(expected);
  });

  it('not for what it can', () => {
    const sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '80' }];
    const seccompProfile = { type: 'RuntimeDefault' };
    expect(problems(pods, pod({ securityContext: { sysctls, seccompProfile } }))).toEqual([]);
  });
});

describe('an author is warned', () => {
  it('of what is less than was asked for, wherever the template stands', () => {
    const spec = {
      containers: [{ ...container, resources: { limits: { 'hugepages-2Mi': '4Mi', memory: '1Gi' } } }],
    };
    expect(podWarnings('Pod', { spec })).toEqual([
      'spec.containers[0].resources: huge pages are counted by the scheduler; the engine enforces no limit of them',
    ]);
    const job = accepted(cronjobs, {
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec } } } },
    });
    expect(podWarnings('CronJob', job)[0]).toMatch(
      /^spec\.jobTemplate\.spec\.template\.spec\.containers\[0\]/,
    );
  });
  it('of nothing where nothing is missing', () => {
    expect(podWarnings('Pod', pod())).toEqual([]);
    expect(podWarnings('ConfigMap', { data: {} })).toEqual([]);
  });
});

describe('containers for debugging', () => {
  const debugging = { name: 'd', image: 'x' };
  const added = (more: object) =>
    problems(pods, pod({ ephemeralContainers: [{ ...debugging, ...more }] }), pod());
  it('may be added to a pod', () => {
    expect(added({ targetContainerName: 'c' })).toEqual([]);
  });
  it.each<[string, object, string]>([
    ['a name that is taken', { name: 'c' }, 'spec.ephemeralContainers[0].name: Duplicate value'],
    [
      'a target that is not there',
      { targetContainerName: 'z' },
      'spec.ephemeralContainers[0].targetContainerName: Not found',
    ],
    ['ports', { ports: [{ containerPort: 80 }] }, 'spec.ephemeralContainers[0].ports: Forbidden'],
    [
      'resources',
      { resources: { limits: { cpu: '1' } } },
      'spec.ephemeralContainers[0].resources: Forbidden',
    ],
  ])('not with %s', (_name, more, expected) => {
    expect(added(more).join('\n')).toContain(expected);
  });
  it('stay as they are', () => {
    const before = pod({ ephemeralContainers: [debugging] });
    expect(problems(pods, pod(), before).join()).toContain('may not be removed');
    expect(
      problems(pods, pod({ ephemeralContainers: [{ ...debugging, image: 'y' }] }), before).join(),
    ).toContain('may not be changed');
  });
});
