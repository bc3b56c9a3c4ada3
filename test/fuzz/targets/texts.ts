// Small languages in requests: selectors, quantities, marks of pages, media types, names, schedules, addresses.
import { mediaRanges, negotiate } from '../../../src/apiserver/negotiate.js';
import { routeOf } from '../../../src/apiserver/routes.js';
import { decodeContinue } from '../../../src/apiserver/verbs/continue-token.js';
import { scheduleProblem } from '../../../src/resources/cron-schedule.js';
import { duplicateFields } from '../../../src/resources/duplicate-fields.js';
import { parseFieldSelector } from '../../../src/resources/field-selector.js';
import { formatRequirements, parseLabelSelector } from '../../../src/resources/label-selector.js';
import { canonicalQuantity, parseQuantity } from '../../../src/resources/quantity.js';
import { parseIpRange } from '../../../src/resources/validation/ip-range.js';
import {
  dnsSubdomainErrors,
  ipFamilyOf,
  qualifiedNameErrors,
  wildcardErrors,
} from '../../../src/resources/validation/names.js';
import { refusing } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

const text = (
  name: string,
  corpus: readonly string[],
  parse: (text: string) => unknown,
  words: readonly string[] = [],
): FuzzTarget => ({
  name,
  corpus,
  words: [...words, ...corpus],
  run: (input) => refusing(() => parse(input.toString('utf8'))),
});

/** What a selector says, written again, says the same. */
const labelSelector = (given: string): void => {
  const read = parseLabelSelector(given);
  const again = formatRequirements(parseLabelSelector(formatRequirements(read)));
  if (again !== formatRequirements(read)) throw new Error(`${again} is not ${formatRequirements(read)}`);
};

const quantity = (given: string): void => {
  const parsed = parseQuantity(given);
  if (parsed === undefined) return;
  const canonical = canonicalQuantity(given);
  if (canonicalQuantity(canonical) !== canonical) throw new Error(`${canonical} is not canonical`);
};

export const texts = (): readonly FuzzTarget[] => [
  text('label selectors', ['a=b,c in (d,e),!f,g notin (),h>3', 'x/y!=z'], labelSelector, [
    '(',
    ')',
    ' in ',
    '==',
  ]),
  text('field selectors', ['metadata.name=a,spec.nodeName!=\\,b', 'a==b'], parseFieldSelector),
  text('quantities', ['1.5Gi', '100m', '-2e3', '+.5', '0'], quantity, ['E', 'e', 'Ki', 'n', '.']),
  text('pages', [Buffer.from('{"v":1,"rv":5,"after":"x"}').toString('base64url')], decodeContinue),
  text(
    'media types',
    ['application/json;as=Table;v=v1;g=meta.k8s.io;q=0.5, */*', 'text/html'],
    (given) => [mediaRanges(given), negotiate(given)],
    [';', ',', '="', 'q=0'],
  ),
  text('paths', ['/apis/apps/v1/namespaces/a/deployments/b/scale', '/api/v1/nodes/n/proxy/x'], routeOf, [
    '/',
  ]),
  text('schedules', ['*/5 0-8 L * 1#2', '@daily', 'H 0 * * *'], scheduleProblem, ['-', '/', ',', '60', '*']),
  text('names', ['*.example.com', 'a.b/c', '::ffff:1.2.3.4', '10.0.0.0/8'], (given) => [
    dnsSubdomainErrors(given),
    qualifiedNameErrors(given),
    wildcardErrors(given),
    ipFamilyOf(given),
    parseIpRange(given),
  ]),
  text('duplicate fields', ['{"a":1,"b":{"a":1,"a":2},"c":["\\u0061",{}]}'], (given) => {
    try {
      JSON.parse(given);
    } catch {
      // It is told of texts that have been parsed only.
      return;
    }
    duplicateFields(given);
  }),
];
