import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { limitranges } from '../../../../src/resources/kinds/limitranges.js';
import { priorityclasses } from '../../../../src/resources/kinds/priorityclasses.js';
import { resourcequotas } from '../../../../src/resources/kinds/resourcequotas.js';
import { accepted, problems, tableRow } from '../sentences.js';

const limits = (...items: object[]): object => ({ spec: { limits: items } });

describe('limits, quotas and priorities are refused for', () => {
  it.each<[string, Kind, object, readonly string[]]>([
    [
      'a least above the most',
      limitranges,
      limits({ type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } }),
      [
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than default request value 1',
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
      ],
    ],
    [
      'a ratio below one',
      limitranges,
      limits({ type: 'Pod', maxLimitRequestRatio: { cpu: '500m' } }),
      ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
    ],
    [
      'defaults of a pod',
      limitranges,
      limits({ type: 'Pod', default: { cpu: '1' } }),
      ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
    ],
    [
      'a type twice',
      limitranges,
      limits({ type: 'Pod' }, { type: 'Pod' }),
      ['spec.limits[1].type: Duplicate value: "Pod"'],
    ],
    [
      'a resource that nobody counts',
      resourcequotas,
      { spec: { hard: { cpus: '1', pods: '-1' } } },
      [
        'spec.hard[cpus]: Invalid value: "cpus": must be a standard resource for quota',
        'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
    [
      'scopes that exclude each other',
      resourcequotas,
      { spec: { scopes: ['BestEffort', 'NotBestEffort'] } },
      ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
    ],
    [
      'a priority of the cluster itself',
      priorityclasses,
      { value: 1_000_000_001 },
      ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
    ],
    [
      'a name of the cluster itself',
      priorityclasses,
      { metadata: { name: 'system-mine' }, value: 1 },
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
      ],
    ],
  ])('%s', (_, kind, parts, expected) => {
    expect(problems(kind, parts)).toEqual(expected);
  });

  it('another value than before', () => {
    expect(problems(priorityclasses, { value: 2 }, { value: 1 })).toEqual([
      'value: Forbidden: may not be changed in an update.',
    ]);
  });
});

describe('limits', () => {
  it('follow each other where they are not given', () => {
    const range = limitranges.defaulted(
      accepted(limitranges, limits({ type: 'Container', min: { memory: '1Mi' }, max: { cpu: '2' } })),
    );
    expect(range.spec.limits).toEqual([
      {
        type: 'Container',
        min: { memory: '1Mi' },
        max: { cpu: '2' },
        default: { cpu: '2' },
        defaultRequest: { memory: '1Mi', cpu: '2' },
      },
    ]);
    expect(limitranges.defaulted(range)).toEqual(range);
  });

  it('are shown as used of allowed', () => {
    const status = { hard: { pods: '4', 'limits.cpu': '2', cpu: '1' }, used: { pods: '3' } };
    expect(tableRow(resourcequotas, { spec: {}, status }, Date.parse('2025-01-01T00:00:05Z'))).toBe(
      'Name=a Request=cpu: 0/1, pods: 3/4 Limit=limits.cpu: 0/2 Age=5s',
    );
  });
});
