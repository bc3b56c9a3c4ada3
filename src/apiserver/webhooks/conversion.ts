// ConversionReview (apiextensions.k8s.io/v1): objects of a custom resource in another version, from the webhook of their
// definition. Follows apiextensions-apiserver `pkg/apiserver/conversion/webhook_converter.go`.
import { ClusterError, messageOf } from '../../base/errors.js';
import { equal, isObject } from '../../base/json.js';
import type { Convert } from '../../resources/custom/custom-kind.js';
import type { CustomResourceDefinition } from '../../resources/generated/types.js';
import type { Resource } from '../../resources/resource.js';
import type { AdmissionReads } from '../admission/admission.js';
import type { Ids } from '../verbs/context.js';
import { askWebhook } from './webhook-client.js';
import type { WebhookClient } from './webhook-client.js';
import { webhookTarget } from './webhook-target.js';

/** Kubernetes' own: conversions have no timeout to set. */
const timeoutSeconds = 30;

export interface ConversionOptions extends WebhookClient {
  readonly ids: Ids;
  readonly reads: AdmissionReads;
}

/** A webhook may change labels and annotations, and nothing else of the metadata. */
const checked = (before: Resource, after: unknown, apiVersion: string): Resource => {
  if (!isObject(after) || !isObject(after['metadata']))
    throw new Error('a converted object is not an object');
  if (after['apiVersion'] !== apiVersion)
    throw new Error(
      `a converted object has apiVersion ${String(after['apiVersion'])} in place of ${apiVersion}`,
    );
  if (after['kind'] !== before.kind) throw new Error(`a converted object has kind ${String(after['kind'])}`);
  const { labels, annotations, ...metadata } = after['metadata'];
  const { labels: oldLabels, annotations: oldAnnotations, ...kept } = before.metadata;
  if (
    metadata['name'] !== kept.name ||
    metadata['namespace'] !== kept.namespace ||
    metadata['uid'] !== kept.uid
  )
    throw new Error('a converted object has another name, namespace or uid');
  const own = {
    ...kept,
    ...(isObject(labels) ? { labels } : {}),
    ...(isObject(annotations) ? { annotations } : {}),
  };
  const same = equal(labels, oldLabels) && equal(annotations, oldAnnotations);
  return { ...after, metadata: same ? before.metadata : own } as unknown as Resource;
};

const convertedBy = (
  answer: Record<string, unknown>,
  objects: readonly Resource[],
  { uid, apiVersion }: { readonly uid: string; readonly apiVersion: string },
): readonly Resource[] => {
  const { response } = answer;
  if (!isObject(response) || response['uid'] !== uid) throw new Error('the answer is not for this request');
  const result = isObject(response['result']) ? response['result'] : {};
  if (result['status'] !== 'Success')
    throw new Error(typeof result['message'] === 'string' ? result['message'] : 'it failed without a reason');
  const { convertedObjects } = response;
  if (!Array.isArray(convertedObjects) || convertedObjects.length !== objects.length)
    throw new Error(`the answer does not have ${String(objects.length)} objects`);
  return objects.map((object, index) => checked(object, convertedObjects[index], apiVersion));
};

const failed = (definition: CustomResourceDefinition, error: unknown, apiVersion: string): ClusterError =>
  new ClusterError(
    'InternalError',
    `Internal error occurred: conversion webhook for ${definition.spec.names.kind} to ${apiVersion} failed: ${messageOf(error)}`,
    { cause: error },
  );

export const conversionWebhook =
  (options: ConversionOptions): Convert =>
  async (definition, objects, apiVersion) => {
    const config = definition.spec.conversion?.webhook?.clientConfig;
    const uid = options.ids.uid();
    const body = {
      kind: 'ConversionReview',
      apiVersion: 'apiextensions.k8s.io/v1',
      request: { uid, desiredAPIVersion: apiVersion, objects },
    };
    try {
      const target = webhookTarget(options.reads, config ?? {}, options.ids.random());
      return convertedBy(await askWebhook(options, target, { body, timeoutSeconds }), objects, {
        uid,
        apiVersion,
      });
    } catch (error) {
      throw failed(definition, error, apiVersion);
    }
  };
