// DER as a tree, over node-forge: what certificates and requests are made of.
import forge from 'node-forge';

const { asn1 } = forge;

export type Node = forge.asn1.Asn1;

export const types = asn1.Type;

/** Bit strings stay bits: guessing at structure within them would let two readers see different things. */
const strict = { strict: true, parseAllBytes: true, decodeBitStrings: false };

/** Throws for what is not DER. */
export const parseDer = (bytes: Uint8Array): Node =>
  asn1.fromDer(Buffer.from(bytes).toString('binary'), strict as never);

export const toDer = (node: Node): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'binary');

const universal = (type: forge.asn1.Type, value: string | Node[]): Node =>
  asn1.create(asn1.Class.UNIVERSAL, type, typeof value !== 'string', value);

export const sequence = (...children: Node[]): Node => universal(types.SEQUENCE, children);
export const set = (...children: Node[]): Node => universal(types.SET, children);
export const oid = (dotted: string): Node => universal(types.OID, asn1.oidToDer(dotted).getBytes());
export const utf8 = (text: string): Node =>
  universal(types.UTF8, Buffer.from(text, 'utf8').toString('binary'));
export const integer = (value: number): Node => universal(types.INTEGER, asn1.integerToDer(value).getBytes());
export const octets = (bytes: Uint8Array): Node =>
  universal(types.OCTETSTRING, Buffer.from(bytes).toString('binary'));
/** Whole octets. */
export const bits = (bytes: Uint8Array): Node =>
  universal(types.BITSTRING, `\0${Buffer.from(bytes).toString('binary')}`);
export const nothing = (): Node => universal(types.NULL, '');

/** Of the context, tags are numbers; forge's types know the universal ones only. */
type Create = (
  tagClass: forge.asn1.Class,
  type: number,
  constructed: boolean,
  value: string | Node[],
) => Node;

const create: Create = asn1.create;

/** A tag of the context, such as `[0]`. */
export const context = (tag: number, value: Uint8Array | Node[]): Node =>
  create(
    asn1.Class.CONTEXT_SPECIFIC,
    tag,
    Array.isArray(value),
    Array.isArray(value) ? value : Buffer.from(value).toString('binary'),
  );

export const isContext = (node: Node, tag: number): boolean =>
  (node.tagClass as number) === (asn1.Class.CONTEXT_SPECIFIC as number) && (node.type as number) === tag;

const isUniversal = (node: Node | undefined, type: forge.asn1.Type): node is Node =>
  node !== undefined && node.tagClass === asn1.Class.UNIVERSAL && node.type === type;

/** Children of a constructed node. Throws for one that has none. */
export const childrenOf = (node: Node): readonly Node[] => {
  if (!Array.isArray(node.value)) throw new Error('a value stands where a structure belongs');
  return node.value;
};

/** Children of a SEQUENCE or SET. Throws for anything else. */
export const within = (node: Node | undefined, type: forge.asn1.Type): readonly Node[] => {
  if (!isUniversal(node, type)) throw new Error('the structure is not as it must be');
  return childrenOf(node);
};

/** Bytes of a primitive node. Throws for a structure. */
export const bytesOf = (node: Node | undefined): Buffer => {
  if (node === undefined || typeof node.value !== 'string') throw new Error('a value is missing');
  return Buffer.from(node.value, 'binary');
};

/** Whole octets of a BIT STRING. */
export const bitsOf = (node: Node | undefined): Buffer => {
  const content = bytesOf(node);
  if (!isUniversal(node, types.BITSTRING) || content[0] !== 0)
    throw new Error('a bit string is not made of whole octets');
  return content.subarray(1);
};

export const oidOf = (node: Node | undefined): string => {
  if (!isUniversal(node, types.OID) || bytesOf(node).length === 0)
    throw new Error('an identifier is missing');
  return asn1.derToOid(node.value as string);
};

const texts: ReadonlySet<number> = new Set([types.UTF8, types.PRINTABLESTRING, types.IA5STRING]);

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Throws for any other encoding than UTF-8 and ASCII. */
export const textOf = (node: Node | undefined): string => {
  if (node === undefined || !texts.has(node.type))
    throw new Error('a text is encoded in a way that is not read here');
  return decoder.decode(bytesOf(node));
};
