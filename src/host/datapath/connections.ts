// The connections that the kernel tracks, and how to end one.
import { hasCode } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { Flow } from '../../network/policy/policy-state.js';
import type { Commands } from './commands.js';

/** As it was opened, and as it is behind the translation of services. */
export interface Connection extends Flow {
  /** What names it to the conntrack tool. */
  readonly original: {
    readonly source: string;
    readonly destination: string;
    readonly sourcePort: string | undefined;
    readonly destinationPort: string | undefined;
  };
}

/** A line of `conntrack -L`; undefined for one that is no IPv4 connection. */
export const parseConnection = (line: string): Connection | undefined => {
  const [protocol = ''] = line.trim().split(/\s+/);
  const values = (key: string): readonly string[] =>
    [...line.matchAll(new RegExp(`\\b${key}=(\\S+)`, 'g'))].map((match) => match[1] ?? '');
  const [source, replySource] = values('src');
  const [destination] = values('dst');
  const [sourcePort, replyPort] = values('sport');
  const [destinationPort] = values('dport');
  if (source === undefined || destination === undefined || replySource === undefined) return undefined;
  return {
    protocol,
    source,
    destination: replySource,
    port: Number(replyPort ?? 0),
    original: { source, destination, sourcePort, destinationPort },
  };
};

export interface Connections {
  /** Ends the connections that `forbidden` says; never fails for a node without the conntrack tool, and says so once. */
  cut(forbidden: (flow: Flow) => boolean, signal: AbortSignal): Promise<number>;
}

const argumentsFor = ({ protocol, original }: Connection): readonly string[] => [
  ...['-D', '-p', protocol, '--orig-src', original.source, '--orig-dst', original.destination],
  ...(original.sourcePort === undefined ? [] : ['--sport', original.sourcePort]),
  ...(original.destinationPort === undefined ? [] : ['--dport', original.destinationPort]),
];

export const createConnections = (commands: Commands, log: Logger): Connections => {
  let installed = true;
  return {
    cut: async (forbidden, signal) => {
      if (!installed) return 0;
      try {
        const listed = await commands.run('conntrack', ['-L', '-f', 'ipv4'], { signal });
        const found = listed.split('\n').flatMap((line) => parseConnection(line) ?? []);
        let cut = 0;
        for (const connection of found.filter(forbidden)) {
          const { code } = await commands.ask('conntrack', argumentsFor(connection), { signal });
          if (code === 0) cut += 1; // otherwise it had ended by itself
        }
        return cut;
      } catch (error) {
        if (!hasCode(error, 'NotFound')) throw error;
        installed = false;
        log.warn(
          {},
          'conntrack is not installed: connections that a new network policy forbids go on until they end by themselves (apt-get install conntrack)',
        );
        return 0;
      }
    },
  };
};
