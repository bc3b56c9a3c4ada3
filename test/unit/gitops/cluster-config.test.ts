import { describe, expect, it } from 'vitest';
import { readClusterConfig } from '../../../src/gitops/cluster-config.js';
import { problemText } from '../../../src/gitops/problem.js';

const head = 'apiVersion: capstan.dev/v1\nkind: ClusterConfig\n';
const problems = (text: string): readonly string[] => readClusterConfig(text).problems.map(problemText);

describe('capstan.yaml', () => {
  it('has defaults for all that it does not say', () => {
    const { config, problems: found } = readClusterConfig(
      `${head}spec:\n  applications: [{name: web, path: ./apps/web/}]\n`,
    );
    expect(found).toEqual([]);
    expect(config).toEqual({
      applications: [
        {
          name: 'web',
          path: 'apps/web',
          namespace: undefined,
          dependsOn: [],
          prune: true,
          selfHeal: true,
          onFailure: 'rollback',
          ignoreDifferences: [],
          windows: [],
          breakGlassMs: 3_600_000,
        },
      ],
      allowEmpty: false,
      status: { branch: 'capstan/status', minIntervalMs: 10_000 },
      rollback: { write: 'commit' },
      proposals: { branches: ['**'], comment: true },
      verify: { signatures: 'off' },
    });
  });

  it('reads everything that the product names', () => {
    const { config, problems: found } = readClusterConfig(`${head}spec:
  applications:
    - name: shop
      path: apps/shop
      namespace: shop
      dependsOn: []
      prune: false
      selfHeal: false
      onFailure: hold
      ignoreDifferences: [{kind: Deployment, jsonPointers: [/spec/replicas]}]
      windows: [{allow: "0 8-18 * * 1-5", duration: 1h, timeZone: Europe/Berlin}]
  status:   {branch: capstan/status, minInterval: 1m30s}
  rollback: {write: proposal}
  proposals: {branches: ["**"], comment: true}
  verify:   {signatures: off}
`);
    expect(found).toEqual([]);
    expect(config.applications?.[0]?.windows).toEqual([
      { allow: '0 8-18 * * 1-5', durationMs: 3_600_000, timeZone: 'Europe/Berlin' },
    ]);
    expect(config.status.minIntervalMs).toBe(90_000);
    expect(config.verify.signatures).toBe('off');
  });

  it.each([
    [
      `${head}spec:\n  aplications: []\n`,
      ['capstan.yaml:4:3: spec.aplications is not a setting; did you mean applications?'],
    ],
    [
      `${head}spec:\n  applications:\n    - name: web\n`,
      ['capstan.yaml:5:7: spec.applications[0].path is missing'],
    ],
    [
      `${head}spec:\n  applications:\n    - {name: Web, path: web}\n`,
      [expect.stringMatching(/^capstan\.yaml:5:8: .*"Web" is not a name/)],
    ],
    [
      `${head}spec:\n  applications:\n    - {name: web, path: ../web}\n`,
      [expect.stringMatching(/^capstan\.yaml:5:19: .*leaves the repository/)],
    ],
    [
      `${head}spec:\n  applications:\n    - {name: a, path: a}\n    - {name: a, path: b}\n`,
      [expect.stringMatching(/^capstan\.yaml:6:8: there are two applications named a/)],
    ],
    [
      `${head}spec:\n  applications:\n    - {name: a, path: x}\n    - {name: b, path: x/y}\n`,
      [
        expect.stringMatching(
          /^capstan\.yaml:6:17: the folders of b \(x\/y\) and a \(x\) contain each other/,
        ),
      ],
    ],
    [
      `${head}spec:\n  applications:\n    - {name: a, path: a, dependsOn: [c]}\n`,
      [expect.stringMatching(/^capstan\.yaml:5:38: a depends on c, which is not an application/)],
    ],
    [
      `${head}spec:\n  applications:\n    - {name: a, path: a, dependsOn: [b]}\n    - {name: b, path: b, dependsOn: [a]}\n`,
      [
        expect.stringMatching(
          /^capstan\.yaml:5:26: a depends on b depends on a: nothing of it could ever start/,
        ),
        expect.stringMatching(/^capstan\.yaml:6:26: b depends on a depends on b/),
      ],
    ],
    [
      `${head}spec:\n  status: {minInterval: soon}\n`,
      [expect.stringMatching(/^capstan\.yaml:4:12: .*duration such as 10s/)],
    ],
    [
      `${head}spec:\n  rollback: {write: maybe}\n`,
      [expect.stringMatching(/^capstan\.yaml:4:14: .*commit or proposal or none/)],
    ],
    [
      `${head}spec:\n  applications:\n    - {name: a, path: a, windows: [{allow: "@every 1h", duration: 1h}]}\n`,
      [expect.stringMatching(/cron expression of five fields/)],
    ],
    [
      `${head}spec:\n  verify: {signatures: require}\n`,
      [
        'capstan.yaml:4:12: spec.verify.signatures: this version does not verify signatures yet; leave it off',
      ],
    ],
    ['kind: ClusterConfig\n', ['capstan.yaml:1:1: apiVersion is missing']],
    ['a: [\n', [expect.stringMatching(/^capstan\.yaml:2:1: this is not valid YAML/)]],
  ])('says what is wrong, and where: %j', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
