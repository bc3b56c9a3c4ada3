import { describe, expect, it } from 'vitest';
import { acceptsGzip, negotiate } from '../../../src/apiserver/negotiate.js';
import { aggregatedVersionOf } from '../../../src/apiserver/discovery.js';

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const discovery = (version: string): string =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

describe('the form of an answer', () => {
  it.each([
    [undefined, 'object'],
    ['', 'object'],
    ['*/*', 'object'],
    ['application/json', 'object'],
    ['application/vnd.kubernetes.protobuf,application/json', 'object'],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'table'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', 'metadata'],
    ['application/json;as=Table;v=v2;g=meta.k8s.io, application/json', 'object'],
    [`application/json;q=0.5, ${table};q=0.9`, 'table'],
    ['application/json;stream=watch', 'object'],
  ])('for Accept %j is %s', (accept, as) => {
    expect(negotiate(accept).as).toBe(as);
  });

  it.each([
    'application/vnd.kubernetes.protobuf',
    'text/html',
    'application/json;as=Table;v=v9;g=meta.k8s.io',
    'application/json;q=0',
  ])('is refused for Accept %j', (accept) => {
    expect(() => negotiate(accept)).toThrow(/only the following media types are accepted/);
  });

  it('is the older Table where only that is asked for', () => {
    expect(negotiate('application/json;as=Table;v=v1beta1;g=meta.k8s.io')).toEqual({
      as: 'table',
      version: 'v1beta1',
    });
  });
});

describe('aggregated discovery', () => {
  it.each([
    [`${discovery('v2')},${discovery('v2beta1')},application/json`, 'v2'],
    [`${discovery('v2beta1')},application/json`, 'v2beta1'],
    ['application/json', undefined],
    [undefined, undefined],
    [`application/json,${discovery('v2')}`, undefined],
  ])('for Accept %j has version %s', (accept, version) => {
    expect(aggregatedVersionOf(accept)).toBe(version);
  });
});

describe('gzip', () => {
  it.each([
    ['gzip', true],
    ['deflate, gzip;q=1.0, *;q=0.5', true],
    ['gzip;q=0', false],
    ['gzip;q=0.0, br', false],
    ['br', false],
    [undefined, false],
  ])('for Accept-Encoding %j: %s', (header, accepted) => {
    expect(acceptsGzip(header)).toBe(accepted);
  });
});
