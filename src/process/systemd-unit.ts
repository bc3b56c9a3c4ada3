// Units by which systemd starts the daemons with the machine. Pure text.

export type UnitRole = 'up' | 'server' | 'agent';

export interface UnitOptions {
  readonly role: UnitRole;
  /** Absolute paths of Node and of the program. */
  readonly node: string;
  readonly script: string;
  /** Everything behind the name of the command. */
  readonly flags: readonly string[];
}

const descriptions: Readonly<Record<UnitRole, string>> = {
  up: 'Capstan, master and node',
  server: 'Capstan, master',
  agent: 'Capstan, node',
};

export const unitName = (role: UnitRole): string =>
  role === 'agent' ? 'capstan-agent.service' : 'capstan.service';

/** systemd splits at spaces, and reads % and $ as its own. */
export const quoted = (word: string): string => {
  const escaped = word.replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /^[A-Za-z0-9_./:=@,+%$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/(["\\])/g, '\\$1')}"`;
};

/** Pods outlive a daemon that restarts, so only its own process is ended, with the time that open requests take. */
export const unitText = ({ role, node, script, flags }: UnitOptions): string => {
  const engine = role === 'server' ? '' : ' docker.service';
  return `[Unit]
Description=${descriptions[role]}
Wants=network-online.target${engine}
After=network-online.target${engine}

[Service]
Type=simple
ExecStart=${[node, script, role, ...flags].map(quoted).join(' ')}
KillMode=process
TimeoutStopSec=30
Restart=always
RestartSec=2
LimitNOFILE=1048576
TasksMax=infinity
Delegate=yes

[Install]
WantedBy=multi-user.target
`;
};
