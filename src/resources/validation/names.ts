// Syntax of names, labels and keys, in the words of Kubernetes (apimachinery validation). Each answers with what is
// wrong, or nothing.

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const cIdentifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const configKey = /^[-._a-zA-Z0-9]+$/;

const tooLong = (limit: number): string => `must be no more than ${String(limit)} bytes`;

const regexError = (sentence: string, expression: string, ...examples: readonly string[]): string => {
  const [first = '', ...rest] = examples.map((example) => `'${example}'`);
  const shown = rest.length === 0 ? first : `${first},  or ${rest.join(',  or ')}`;
  return `${sentence} (e.g. ${shown}, regex used for validation is '${expression}')`;
};

/** RFC 1123 label: names of namespaces, containers and volumes. */
export const dnsLabelErrors = (name: string): readonly string[] => [
  ...(name.length > 63 ? [tooLong(63)] : []),
  ...(label.test(name)
    ? []
    : [
        regexError(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          '[a-z0-9]([-a-z0-9]*[a-z0-9])?',
          'my-name',
          '123-abc',
        ),
      ]),
];

/** RFC 1035 label: names of Services. */
export const dns1035LabelErrors = (name: string): readonly string[] => [
  ...(name.length > 63 ? [tooLong(63)] : []),
  ...(label1035.test(name)
    ? []
    : [
        regexError(
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
          '[a-z]([-a-z0-9]*[a-z0-9])?',
          'my-name',
          'abc-123',
        ),
      ]),
];

/** RFC 1123 subdomain: names of most objects. */
export const dnsSubdomainErrors = (name: string): readonly string[] => [
  ...(name.length > 253 ? [tooLong(253)] : []),
  ...(subdomain.test(name)
    ? []
    : [
        regexError(
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
          '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*',
          'example.com',
        ),
      ]),
];

const wildcard = /^\*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/;

/** `*.example.com`. */
export const wildcardErrors = (name: string): readonly string[] => [
  ...(name.length > 253 ? [tooLong(253)] : []),
  ...(wildcard.test(name)
    ? []
    : [
        regexError(
          "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
          '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*',
          '*.example.com',
        ),
      ]),
];

const httpPath = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** `example.com/controller`. */
export const domainPathErrors = (text: string): readonly string[] => {
  const slash = text.indexOf('/');
  const [host, path] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash < 0 || host === '' || path === '')
    return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  return [
    ...dnsSubdomainErrors(host),
    ...(httpPath.test(path)
      ? []
      : [regexError('Invalid path', "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", 'my-path', '123-abc')]),
  ];
};

const namePartErrors = (name: string, what: string): readonly string[] => [
  ...(name.length === 0 ? [`${what}must be non-empty`] : []),
  ...(name.length > 63 ? [`${what}${tooLong(63)}`] : []),
  ...(qualified.test(name)
    ? []
    : [
        what +
          regexError(
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]',
            'MyName',
            'my.name',
            '123-abc',
          ),
      ]),
];

/** `name` or `prefix/name`: keys of labels, annotations, taints and resources. */
export const qualifiedNameErrors = (key: string): readonly string[] => {
  const parts = key.split('/');
  if (parts.length > 2)
    return [
      regexError(
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]',
        'MyName',
        'my.name',
        '123-abc',
      ) + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  const [first = '', second] = parts;
  if (second === undefined) return namePartErrors(first, 'name part ');
  const prefix =
    first === ''
      ? ['prefix part must be non-empty']
      : dnsSubdomainErrors(first).map((error) => `prefix part ${error}`);
  return [...prefix, ...namePartErrors(second, 'name part ')];
};

export const labelValueErrors = (value: string): readonly string[] => [
  ...(value.length > 63 ? [tooLong(63)] : []),
  ...(labelValue.test(value)
    ? []
    : [
        regexError(
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
          '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?',
          'MyValue',
          'my_value',
          '12345',
        ),
      ]),
];

/** Names of environment variables: since Kubernetes 1.32 any printable ASCII but `=`. */
export const envNameErrors = (name: string): readonly string[] => {
  if (name === '') return ['environment variable names must be non-empty'];
  return /^[ -<>-~]+$/.test(name)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
};

export const cIdentifierErrors = (name: string): readonly string[] =>
  cIdentifier.test(name)
    ? []
    : [
        regexError(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          '[A-Za-z_][A-Za-z0-9_]*',
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];

/** Keys of ConfigMaps and Secrets. */
export const configKeyErrors = (key: string): readonly string[] => {
  const errors: string[] = [];
  if (key.length > 253) errors.push(tooLong(253));
  if (!configKey.test(key))
    errors.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        '[-._a-zA-Z0-9]+',
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  if (key === '.' || key === '..') errors.push(`must not be '${key}'`);
  else if (key.startsWith('..')) errors.push("must not start with '..'");
  return errors;
};

/** Names of ports: an IANA service name. */
export const portNameErrors = (name: string): readonly string[] => {
  const errors: string[] = [];
  if (name.length > 15) errors.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(name))
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)');
  if (name.includes('--')) errors.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
};

export const portNumberErrors = (port: number): readonly string[] =>
  port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

const isIPv6 = (text: string): boolean => {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || text.includes(':::')) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const tail = groups.at(-1) ?? '';
  const dotted = tail.includes('.');
  if (dotted && !ipv4.test(tail)) return false;
  const hex = dotted ? groups.slice(0, -1) : groups;
  const width = hex.length + (dotted ? 2 : 0);
  return (
    hex.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? width < 8 : width === 8)
  );
};

/** 4 or 6; undefined for what is not an address. */
export const ipFamilyOf = (text: string): 4 | 6 | undefined => {
  if (ipv4.test(text)) return 4;
  return text.includes(':') && isIPv6(text) ? 6 : undefined;
};

export const ipErrors = (text: string): readonly string[] =>
  ipFamilyOf(text) === undefined ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [];

/** `10.0.0.0/16`. */
export const cidrErrors = (text: string): readonly string[] => {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = ipFamilyOf(address);
  const valid =
    rest.length === 0 &&
    family !== undefined &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (family === 4 ? 32 : 128);
  return valid ? [] : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
};
