import { describe, expect, it } from 'vitest';
import { callOptions, deleteOptions, listQuery } from '../../../src/apiserver/call-options.js';
import { makeRequest } from './front-request.js';

const identity = { user: 'admin', groups: [] };
const options = (url: string, headers = {}) =>
  callOptions(makeRequest(url, { headers }), identity, () => undefined);

describe('the options of a call', () => {
  it('name the field manager by the client where the client does not', () => {
    expect(options('/?', { 'user-agent': 'kubectl/v1.33.0 (linux/amd64)' }).fieldManager).toBe('kubectl');
    expect(options('/?fieldManager=me', { 'user-agent': 'kubectl/v1' }).fieldManager).toBe('me');
    expect(options('/').fieldManager).toBe('unknown');
  });

  it('are a dry run only when all of it is one', () => {
    expect(options('/?dryRun=All').dryRun).toBe(true);
    expect(options('/').dryRun).toBe(false);
    expect(() => options('/?dryRun=Some')).toThrow(/dryRun: Unsupported value: "Some"/);
  });

  it('warn of unknown fields unless told otherwise', () => {
    expect(options('/').fieldValidation).toBe('Warn');
    expect(options('/?fieldValidation=Strict').fieldValidation).toBe('Strict');
    expect(() => options('/?fieldValidation=No')).toThrow(/fieldValidation/);
  });
});

describe('a deletion', () => {
  const query = (text: string) => new URLSearchParams(text);

  it('listens to its body before its query', () => {
    const body = { kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Foreground' };
    expect(deleteOptions(body, query('gracePeriodSeconds=30&propagationPolicy=Orphan'))).toMatchObject({
      gracePeriodSeconds: 0,
      propagationPolicy: 'Foreground',
      dryRun: false,
    });
  });

  it('takes everything from the query when there is no body', () => {
    expect(
      deleteOptions(undefined, query('gracePeriodSeconds=5&orphanDependents=true&dryRun=All')),
    ).toMatchObject({
      gracePeriodSeconds: 5,
      propagationPolicy: 'Orphan',
      dryRun: true,
    });
  });

  it.each([
    [{ kind: 'Pod' }, '', /DeleteOptions/],
    [{ gracePeriodSeconds: 'soon' }, '', /gracePeriodSeconds/],
    [{}, 'gracePeriodSeconds=-1', /gracePeriodSeconds/],
    [{ propagationPolicy: 'Sideways' }, '', /propagationPolicy/],
  ])('that makes no sense is refused: %j %s', (body, text, message) => {
    expect(() => deleteOptions(body, query(text))).toThrow(message);
  });
});

describe('a list', () => {
  it('has no limit when the limit is 0, and refuses one that is no number', () => {
    expect(listQuery(new URLSearchParams('limit=0'), 'shop')).toMatchObject({
      namespace: 'shop',
      limit: undefined,
    });
    expect(() => listQuery(new URLSearchParams('limit=many'), undefined)).toThrow(
      /limit must be a whole number/,
    );
  });
});
