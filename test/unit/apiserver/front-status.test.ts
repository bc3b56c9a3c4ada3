import { describe, expect, it } from 'vitest';
import { asClusterError, statusOf } from '../../../src/apiserver/status-error.js';
import { errorOfStatus } from '../../../src/client/status-error.js';
import { ClusterError } from '../../../src/base/errors.js';

describe('a Status', () => {
  it('names the field that was rejected, as Kubernetes does', () => {
    const error = new ClusterError('Invalid', 'Pod "web" is invalid: spec.containers: Required value', {
      subject: { kind: 'Pod', name: 'web' },
      fields: [{ type: 'FieldValueRequired', field: 'spec.containers', message: 'Required value' }],
    });
    expect(statusOf(error)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Pod "web" is invalid: spec.containers: Required value',
      reason: 'Invalid',
      details: {
        name: 'web',
        kind: 'Pod',
        causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers' }],
      },
      code: 422,
    });
  });

  it.each([
    new ClusterError('NotFound', 'pods "a" not found', { subject: { kind: 'pods', name: 'a' } }),
    new ClusterError('Conflict', 'Apply failed with 1 conflict', {
      subject: { group: 'apps', kind: 'deployments', name: 'web' },
      fields: [{ type: 'FieldManagerConflict', field: '.spec.replicas', message: 'conflict with "kubectl"' }],
    }),
    new ClusterError('TooManyRequests', 'not now', { retryAfterSeconds: 10 }),
    new ClusterError('Expired', 'the revision is gone'),
  ])('comes back from the wire as the error that it was: $code', (error) => {
    const status = JSON.parse(JSON.stringify(statusOf(error))) as unknown;
    const back = errorOfStatus(statusOf(error).code, status);
    const { code, message, fields, subject, retry, retryAfterSeconds } = back;
    expect({ code, message, fields, subject, retry, retryAfterSeconds }).toEqual({
      code: error.code,
      message: error.message,
      fields: error.fields,
      subject: error.subject,
      retry: error.retry,
      retryAfterSeconds: error.retryAfterSeconds,
    });
  });

  it('is made of what a proxy answers, too', () => {
    expect(errorOfStatus(502, '<html>bad gateway</html>')).toMatchObject({
      code: 'ServiceUnavailable',
      retry: true,
      message: 'the server answered with HTTP 502: <html>bad gateway</html>',
    });
  });

  it('says InternalError for what nobody foresaw', () => {
    expect(statusOf(asClusterError(new TypeError('x is not a function')))).toMatchObject({
      reason: 'InternalError',
      code: 500,
      message: 'Internal error occurred: x is not a function',
    });
  });
});
