// Regular expressions of string formats, shared by the compiled validators and the messages about them.

const digit = '(?:[A-Za-z0-9+/][\\r\\n]*)';

export const patterns = {
  /** `250m`, `1.5Gi`, `1e3`. */
  quantity: '^[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+|n|u|m|k|[KMGTPE]i|[MGTPE])?$',
  /** Standard base64; Go's decoder passes over line breaks. The classes are disjoint, so matching is linear. */
  byte: `^[\\r\\n]*(?:${digit}{4})*(?:${digit}{2}=[\\r\\n]*=[\\r\\n]*|${digit}{3}=[\\r\\n]*)?$`,
  /** RFC 3339. */
  dateTime:
    '^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:(?:[0-5]\\d|60)(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d)$',
} as const;
