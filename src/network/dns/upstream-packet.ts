// Responses of other servers, kept and handed on as their bytes are: whatever records they hold, only the id, the
// lifetimes and the EDNS record change.
import { decode } from 'dns-packet';
import { flag, headerBytes, optRecord, questionEnd, sizeLimit } from './message.js';
import type { Query } from './message.js';
import type { DnsRecord } from './records.js';

export interface UpstreamResponse {
  /** Without its EDNS record. */
  readonly packet: Buffer;
  readonly rcode: number;
  readonly truncated: boolean;
  /** Bytes of the question. */
  readonly questionLength: number;
  /** Where a lifetime stands, and what it is in seconds. */
  readonly lifetimes: readonly { readonly at: number; readonly seconds: number }[];
  /** Seconds for which it may be kept; 0: not at all. */
  readonly keepSeconds: number;
}

const optType = 41;
const soaType = 6;
/** RFC 2308 recommends a bound of hours; minutes are enough to take the load away. */
const longestNegative = 300;
const longestPositive = 3_600;
/** A server in trouble is not asked again at once (RFC 2308, 7.1). */
const failureSeconds = 3;

/** Undefined when the name runs out of the packet. */
const afterName = (packet: Buffer, start: number): number | undefined => {
  for (let at = start; at < packet.length;) {
    const length = packet[at] ?? 0;
    if ((length & 0xc0) === 0xc0) return at + 2;
    if (length > 63) return undefined;
    at += 1 + length;
    if (length === 0) return at;
  }
  return undefined;
};

interface Walked {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly type: number;
  readonly start: number;
  readonly lifetimeAt: number;
  readonly seconds: number;
  readonly end: number;
}

const walk = (packet: Buffer, start: number): readonly Walked[] | undefined => {
  const records: Walked[] = [];
  let at = start;
  for (const [index, section] of (['answer', 'authority', 'additional'] as const).entries()) {
    for (let left = packet.readUInt16BE(6 + index * 2); left > 0; left -= 1) {
      const fixed = afterName(packet, at);
      if (fixed === undefined || fixed + 10 > packet.length) return undefined;
      const end = fixed + 10 + packet.readUInt16BE(fixed + 8);
      if (end > packet.length) return undefined;
      const type = packet.readUInt16BE(fixed);
      const seconds = packet.readUInt32BE(fixed + 4);
      records.push({ section, type, start: at, lifetimeAt: fixed + 4, seconds, end });
      at = end;
    }
  }
  return records;
};

/** RFC 2308: an absence lives as long as the zone's SOA says; without one it is not kept. */
const keepFor = (packet: Buffer, rcode: number, records: readonly Walked[]): number => {
  const answers = records.filter(({ section }) => section === 'answer');
  if (rcode !== 0 && rcode !== 3) return failureSeconds;
  if (rcode === 0 && answers.length > 0)
    return Math.min(longestPositive, ...answers.map(({ seconds }) => seconds));
  const soa = records.find(({ section, type }) => section === 'authority' && type === soaType);
  if (soa === undefined) return 0;
  return Math.min(longestNegative, soa.seconds, packet.readUInt32BE(soa.end - 4));
};

/** Bytes of a server that was asked -> what they mean; undefined when they cannot be read. */
export const parseResponse = (packet: Buffer): UpstreamResponse | undefined => {
  if (packet.length < headerBytes) return undefined;
  const flags = packet.readUInt16BE(2);
  const end = packet.readUInt16BE(4) === 1 ? questionEnd(packet, headerBytes) : undefined;
  if ((flags & flag.response) === 0 || end === undefined) return undefined;
  const records = walk(packet, end);
  if (records === undefined) return undefined;
  const last = records.at(-1);
  const cut = last?.type === optType ? last : undefined;
  const kept = Buffer.from(packet.subarray(0, cut?.start ?? packet.length));
  if (cut !== undefined) kept.writeUInt16BE(packet.readUInt16BE(10) - 1, 10);
  const rcode = flags & 0xf;
  return {
    packet: kept,
    rcode,
    truncated: (flags & flag.truncated) !== 0,
    questionLength: end - headerBytes,
    lifetimes: records
      .filter(({ type }) => type !== optType)
      .map(({ lifetimeAt, seconds }) => ({ at: lifetimeAt, seconds })),
    keepSeconds: keepFor(packet, rcode, records),
  };
};

/** Whether the response is for the question, upper and lower case aside. */
export const answersQuestion = (packet: Buffer, question: Buffer): boolean => {
  const end = headerBytes + question.length;
  if (packet.length < end || packet.readUInt16BE(4) !== 1) return false;
  const lower = (bytes: Buffer): string => bytes.toString('latin1').toLowerCase();
  return lower(packet.subarray(headerBytes, end)) === lower(question);
};

/** The response for one client, `ageSeconds` after it came. */
export const respondWith = (
  query: Query,
  response: UpstreamResponse,
  { ageSeconds, transport }: { readonly ageSeconds: number; readonly transport: 'udp' | 'tcp' },
): Buffer => {
  const opt = optRecord(query, response.rcode);
  const fits = response.packet.length + opt.length <= sizeLimit(query, transport);
  const end = fits ? response.packet.length : headerBytes + query.question.length;
  const packet = Buffer.concat([response.packet.subarray(0, end), opt]);
  packet.writeUInt16BE(query.id, 0);
  const kept =
    response.packet.readUInt16BE(2) & ~(flag.authoritative | flag.truncated | flag.recursionDesired);
  packet.writeUInt16BE(
    kept | flag.recursionAvailable | (query.flags & flag.recursionDesired) | (fits ? 0 : flag.truncated),
    2,
  );
  query.question.copy(packet, headerBytes);
  if (fits) {
    for (const { at, seconds } of response.lifetimes)
      packet.writeUInt32BE(Math.max(0, seconds - ageSeconds), at);
  } else packet.fill(0, 6, headerBytes);
  if (opt.length > 0) packet.writeUInt16BE(packet.readUInt16BE(10) + 1, 10);
  return packet;
};

/** The records of the answer section that continue a CNAME of the cluster's own. */
export const answerRecords = (response: UpstreamResponse): readonly DnsRecord[] => {
  try {
    return (decode(response.packet).answers ?? []).filter(
      ({ type }) => type === 'A' || type === 'AAAA' || type === 'CNAME' || type === 'SRV' || type === 'TXT',
    ) as unknown as readonly DnsRecord[];
  } catch {
    return []; // the walk reads less than the library does
  }
};
