// The shape that all Kubernetes objects share. Objects are immutable: who changes one makes a new one.

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
}

export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly time?: string | undefined;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: unknown;
  readonly subresource?: string | undefined;
}

export type StringMap = { readonly [key: string]: string };

/** Metadata of an object that the API server has accepted. Timestamps are RFC 3339. */
export interface ObjectMeta {
  readonly name: string;
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string | undefined;
  readonly uid: string;
  /** The store's revision at which the object last changed, in decimal. */
  readonly resourceVersion: string;
  readonly generation?: number | undefined;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string | undefined;
  readonly deletionGracePeriodSeconds?: number | undefined;
  readonly generateName?: string | undefined;
  readonly labels?: StringMap | undefined;
  readonly annotations?: StringMap | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly managedFields?: readonly ManagedFieldsEntry[] | undefined;
}

/** Metadata as a client writes it: of a pod template, or of an object that does not exist yet. */
export type DraftMeta = Partial<ObjectMeta>;

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object as a client sends it to be created or applied: the server fills in the rest. */
export type Draft<T extends Resource = Resource> = Partial<Omit<T, 'metadata'>> & {
  readonly metadata: DraftMeta;
};

/** What names an object within its kind. */
export interface ObjectName {
  readonly name: string;
  readonly namespace?: string | undefined;
}

export const nameOf = (resource: Resource): ObjectName => ({
  name: resource.metadata.name,
  namespace: resource.metadata.namespace,
});

/** `namespace/name`, or `name` for cluster-scoped objects: for logs and map keys. */
export const displayName = ({ name, namespace }: ObjectName): string =>
  namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;

/** The owner that manages the object, if any (`ownerReferences[].controller`). */
export const controllerOf = (resource: { readonly metadata: DraftMeta }): OwnerReference | undefined =>
  resource.metadata.ownerReferences?.find((owner) => owner.controller === true);

/** A controller reference that blocks foreground deletion of the owner. */
export const ownedBy = (owner: Resource): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

export const isDeleting = (resource: Resource): boolean => resource.metadata.deletionTimestamp !== undefined;
