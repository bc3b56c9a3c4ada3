// RFC 6902 JSON Patch.
import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { ClusterError, messageOf } from '../../base/errors.js';
import { isObject } from '../../base/json.js';

/** As Kubernetes' `maxJSONPatchOperations`: a patch is work that grows with its length. */
const maxOperations = 10_000;

const isOperation = (value: unknown): value is Operation =>
  isObject(value) && typeof value['op'] === 'string' && typeof value['path'] === 'string';

const reasonOf = (error: unknown): string => messageOf(error).split('\n')[0] ?? '';

/**
 * A new document; the old one is left alone. Throws BadRequest for what is no patch, RequestEntityTooLarge beyond
 * 10,000 operations, Invalid when an operation (a failed `test` among them) does not fit the document.
 */
export const jsonPatch = (document: unknown, operations: readonly unknown[]): unknown => {
  if (operations.length > maxOperations)
    throw new ClusterError(
      'RequestEntityTooLarge',
      `the allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    );
  if (!operations.every(isOperation))
    throw new ClusterError('BadRequest', 'a JSON patch is a list of operations, each with an op and a path');
  try {
    return fastJsonPatch.applyPatch(
      structuredClone(document),
      structuredClone([...operations]),
      true,
      true,
      true,
    ).newDocument;
  } catch (error) {
    throw new ClusterError(
      'Invalid',
      `the server rejected our request due to an error in our request: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
};
