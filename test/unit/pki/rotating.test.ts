import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { silent } from '../../../src/base/log.js';
import { createAuthority, issueCertificate } from '../../../src/pki/authority.js';
import { parseCertificate } from '../../../src/pki/certificate.js';
import { renewalTime } from '../../../src/pki/renewal.js';
import { keepRenewed, partOf, RotatingValue } from '../../../src/pki/rotating.js';

const minute = 60_000;
const clock = new ManualClock();
const authority = createAuthority({ commonName: 'ca', now: clock.now(), validDays: 1000 });
const issue = (lifetime: number): string =>
  issueCertificate(authority, {
    subject: { commonName: 'a', organizations: [] },
    usages: ['client'],
    now: clock.now(),
    lifetime,
  }).certificate;

describe('the moment of renewal', () => {
  it('lies at 70 to 90 % of the life, differs between certificates, and stays the same for each', () => {
    const shares = Array.from({ length: 200 }, (_, index) => {
      const facts = {
        notBefore: 1000,
        notAfter: 101_000,
        fingerprint: (index * 21_474_836).toString(16).padStart(64, '0').slice(-64),
      };
      const spread = {
        ...facts,
        fingerprint: ((index / 200) * 0xffffffff).toString(16).split('.')[0]!.padStart(8, '0'),
      };
      expect(renewalTime(spread)).toBe(renewalTime(spread));
      return (renewalTime(spread) - 1000) / 100_000;
    });
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.7);
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.9);
    expect(new Set(shares).size).toBeGreaterThan(150);
  });
});

describe('what is kept renewed', () => {
  it('is replaced at its moment and not before, tells who listens, and is tried again after a failure', async () => {
    const value = new RotatingValue(issue(60 * minute));
    const first = value.current;
    const seen: string[] = [];
    partOf(value, (pem) => pem.length).subscribe((length) => seen.push(String(length)));
    let failures = 1;
    const end = new AbortController();
    const running = keepRenewed(
      {
        name: 'it',
        value,
        certificates: (pem) => [pem],
        renew: () => {
          failures -= 1;
          return failures >= 0 ? Promise.reject(new Error('not now')) : Promise.resolve(issue(60 * minute));
        },
        clock,
        log: silent,
      },
      end.signal,
    );
    const due = renewalTime(parseCertificate(first));
    await clock.advance(due - clock.now() - 1000);
    expect(value.current).toBe(first);
    expect(failures).toBe(1);
    await clock.advance(1000);
    expect(failures).toBe(0);
    expect(value.current).toBe(first);
    await clock.advance(30_000);
    expect(value.current).not.toBe(first);
    expect(seen).toHaveLength(1);
    end.abort();
    await running;
  });
});
