import { describe, expect, it } from 'vitest';
import { aborted, isAbort } from '../../../src/base/abort.js';
import { ClusterError, hasCode, messageOf, type ErrorCode } from '../../../src/base/errors.js';

describe('a cluster error', () => {
  it('carries what the edges show: code, sentence, fields, subject and cause', () => {
    const cause = new Error('EACCES');
    const fields = [{ type: 'FieldValueRequired', field: 'spec.image', message: 'Required value' }] as const;
    const subject = { group: 'apps', kind: 'Deployment', name: 'web' };
    const error = new ClusterError('Invalid', 'web is invalid', { cause, fields, subject });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'ClusterError',
      code: 'Invalid',
      message: 'web is invalid',
      fields,
      subject,
      cause,
      retry: false,
      retryAfterSeconds: undefined,
    });
  });

  it('has no cause of its own when none was given', () => {
    expect('cause' in new ClusterError('NotFound', 'no such pod')).toBe(false);
  });

  it.each<[ErrorCode, boolean]>([
    ['ServiceUnavailable', true],
    ['Timeout', true],
    ['TooManyRequests', true],
    ['Conflict', false],
    ['Invalid', false],
    ['InternalError', false],
  ])('%s may pass by itself: %s', (code, retry) => {
    expect(new ClusterError(code, 'x').retry).toBe(retry);
    expect(new ClusterError(code, 'x', { retry: !retry }).retry).toBe(!retry);
  });

  it('is recognised by its code, and only a cluster error is', () => {
    const error = new ClusterError('NotFound', 'x');
    expect(hasCode(error, 'Conflict', 'NotFound')).toBe(true);
    expect(hasCode(error, 'Conflict')).toBe(false);
    expect(hasCode({ code: 'NotFound' }, 'NotFound')).toBe(false);
    expect(hasCode(undefined, 'NotFound')).toBe(false);
  });
});

describe('a sentence about whatever was thrown', () => {
  it.each([
    [new Error('broken'), 'broken'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
    [42, '42'],
  ])('is made of %s', (thrown, sentence) => {
    expect(messageOf(thrown)).toBe(sentence);
  });
});

describe('an abort', () => {
  it('is told from other errors by its reason or its name', () => {
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    expect(isAbort(reason, signal)).toBe(true);
    expect(isAbort(reason)).toBe(false);
    expect(isAbort(new Error('stop'), signal)).toBe(false);
    expect(isAbort(reason, new AbortController().signal)).toBe(false);
    expect(isAbort(new DOMException('gone', 'AbortError'))).toBe(true);
    expect(isAbort(undefined)).toBe(false);
  });

  it('is waited for, also when it has happened already', async () => {
    await expect(aborted(AbortSignal.abort())).resolves.toBeUndefined();
    const controller = new AbortController();
    let settled = false;
    const wait = aborted(controller.signal).then(() => {
      settled = true;
    });
    await Promise.resolve();
    expect(settled).toBe(false);
    controller.abort();
    await wait;
    expect(settled).toBe(true);
  });
});
