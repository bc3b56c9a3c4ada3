// Packets of clients -> questions, and answers -> packets. The question goes back as its bytes came, whatever they mean:
// clients mix upper and lower case to tell answers from forgeries.
import { decode, encode } from 'dns-packet';
import type { Answer as PacketRecord } from 'dns-packet';
import { rcodes } from './records.js';
import type { Answer, DnsRecord, Question, Rcode } from './records.js';

export interface Query extends Question {
  readonly id: number;
  /** The header's second word. */
  readonly flags: number;
  readonly typeNumber: number;
  readonly classNumber: number;
  /** Name, type and class as the client wrote them. */
  readonly question: Buffer;
  /** Undefined when the client does not speak EDNS. */
  readonly edns: { readonly size: number; readonly version: number; readonly dnssecOk: boolean } | undefined;
}

/** A packet that cannot be answered gets its response at once; undefined: no response at all. */
export type Parsed =
  { readonly type: 'query'; readonly query: Query } | { readonly type: 'refused'; readonly response: Buffer };

export const headerBytes = 12;
export const flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;
/** What passes nearly every path in one piece (DNS flag day 2020). */
export const largestDatagram = 1_232;
const smallestDatagram = 512;
const opcodeMask = 0x7800;

/** Bytes of the question that begins at `start`; undefined when it runs out of the packet. */
export const questionEnd = (packet: Buffer, start: number): number | undefined => {
  for (let at = start; at < packet.length;) {
    const length = packet[at] ?? 0;
    if (length > 63) return undefined; // a pointer has nothing to point at yet
    at += 1 + length;
    if (length === 0) return at + 4 <= packet.length ? at + 4 : undefined;
  }
  return undefined;
};

const refusal = (packet: Buffer, rcode: Rcode, question = Buffer.alloc(0)): Parsed => {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(packet.readUInt16BE(0), 0);
  const kept = packet.readUInt16BE(2) & (opcodeMask | flag.recursionDesired);
  header.writeUInt16BE(flag.response | kept | rcodes[rcode], 2);
  header.writeUInt16BE(question.length > 0 ? 1 : 0, 4);
  return { type: 'refused', response: Buffer.concat([header, question]) };
};

const ednsOf = (additionals: readonly PacketRecord[]): Query['edns'] => {
  for (const record of additionals) {
    if (record.type !== 'OPT') continue;
    const { udpPayloadSize, ednsVersion, flags } = record as typeof record & {
      readonly udpPayloadSize: number;
      readonly ednsVersion: number;
      readonly flags: number;
    };
    return { size: udpPayloadSize, version: ednsVersion, dnssecOk: (flags & 0x8000) !== 0 };
  }
  return undefined;
};

/** Takes any bytes. A response is never answered, so that two servers cannot keep each other busy. */
export const parseQuery = (packet: Buffer): Parsed | undefined => {
  if (packet.length < headerBytes) return undefined;
  const flags = packet.readUInt16BE(2);
  if ((flags & flag.response) !== 0) return undefined;
  if ((flags & opcodeMask) !== 0) return refusal(packet, 'NOTIMP');
  const end = packet.readUInt16BE(4) === 1 ? questionEnd(packet, headerBytes) : undefined;
  if (end === undefined) return refusal(packet, 'FORMERR');
  const question = Buffer.from(packet.subarray(headerBytes, end));
  try {
    const { questions = [], additionals = [] } = decode(packet);
    const [asked] = questions;
    if (asked === undefined) return refusal(packet, 'FORMERR');
    const edns = ednsOf(additionals);
    const query: Query = {
      id: packet.readUInt16BE(0),
      flags,
      name: asked.name === '.' ? '' : asked.name.toLowerCase(),
      type: asked.type,
      typeNumber: question.readUInt16BE(question.length - 4),
      classNumber: question.readUInt16BE(question.length - 2),
      question,
      edns,
    };
    return { type: 'query', query };
  } catch {
    return refusal(packet, 'FORMERR', question); // the library throws for whatever cannot be read
  }
};

const owner = Buffer.from([0xc0, headerBytes]);

const encodeRecord = (record: DnsRecord, asked: string): Buffer => {
  const same = record.name === asked;
  // A record under the question's own name refers to it; nothing else is worth compressing.
  const packet = encode({ answers: [{ ...record, name: same ? '.' : record.name }] });
  const bytes = packet.subarray(headerBytes);
  return same ? Buffer.concat([owner, bytes.subarray(1)]) : bytes;
};

/** What the answer may be long: what the client says, within what passes the path. No bound over TCP. */
export const sizeLimit = ({ edns }: Query, transport: 'udp' | 'tcp'): number => {
  if (transport === 'tcp') return 65_535;
  return Math.min(largestDatagram, Math.max(smallestDatagram, edns?.size ?? smallestDatagram));
};

/** The OPT record of a response; empty for a client without EDNS. */
export const optRecord = ({ edns }: Query, rcode: number): Buffer => {
  if (edns === undefined) return Buffer.alloc(0);
  const bytes = Buffer.alloc(11);
  bytes.writeUInt16BE(41, 1);
  bytes.writeUInt16BE(largestDatagram, 3);
  bytes[5] = rcode >> 4;
  if (edns.dnssecOk) bytes.writeUInt16BE(0x8000, 7);
  return bytes;
};

interface Section {
  readonly bytes: Buffer[];
  readonly left: number;
  readonly complete: boolean;
}

const fill = (records: readonly DnsRecord[], asked: string, room: number): Section => {
  const bytes: Buffer[] = [];
  let left = room;
  for (const record of records) {
    const encoded = encodeRecord(record, asked);
    if (encoded.length > left) return { bytes, left, complete: false };
    bytes.push(encoded);
    left -= encoded.length;
  }
  return { bytes, left, complete: true };
};

/** As many whole records as fit; an answer section that does not fit is marked as cut, so that the client asks over TCP. */
export const encodeAnswer = (query: Query, answer: Answer, transport: 'udp' | 'tcp'): Buffer => {
  const rcode = rcodes[answer.rcode];
  const opt = optRecord(query, rcode);
  const room = sizeLimit(query, transport) - headerBytes - query.question.length - opt.length;
  const answers = fill(answer.answers, query.name, room);
  const authority = fill(answers.complete ? answer.authority : [], query.name, answers.left);
  const additional = fill(answers.complete ? answer.additional : [], query.name, authority.left);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(query.id, 0);
  header.writeUInt16BE(
    flag.response |
      (answer.authoritative ? flag.authoritative : 0) |
      (answers.complete ? 0 : flag.truncated) |
      (query.flags & (flag.recursionDesired | flag.checkingDisabled)) |
      flag.recursionAvailable |
      (rcode & 0xf),
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.bytes.length, 6);
  header.writeUInt16BE(authority.bytes.length, 8);
  header.writeUInt16BE(additional.bytes.length + (opt.length > 0 ? 1 : 0), 10);
  return Buffer.concat([
    header,
    query.question,
    ...answers.bytes,
    ...authority.bytes,
    ...additional.bytes,
    opt,
  ]);
};

export const failure = (rcode: Rcode): Answer => ({
  rcode,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});
