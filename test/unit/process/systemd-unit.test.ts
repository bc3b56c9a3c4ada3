import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quoted, unitName, unitText } from '../../../src/process/systemd-unit.js';

const unit = (role: 'up' | 'server' | 'agent', flags: readonly string[] = []): string =>
  unitText({ role, node: process.execPath, script: '/usr/lib/capstan/main.js', flags });

describe('a unit for systemd', () => {
  it('starts the daemon with its flags, again when it fails, and ends its process alone', () => {
    expect(unit('server', ['--data-dir', '/srv/my data', '--api-port', '6443'])).toBe(`[Unit]
Description=Capstan, master
Wants=network-online.target
After=network-online.target

[Service]
Type=simple
ExecStart=${process.execPath} /usr/lib/capstan/main.js server --data-dir "/srv/my data" --api-port 6443
KillMode=process
TimeoutStopSec=30
Restart=always
RestartSec=2
LimitNOFILE=1048576
TasksMax=infinity
Delegate=yes

[Install]
WantedBy=multi-user.target
`);
  });

  it('waits for the engine where pods run', () => {
    expect(unit('agent')).toContain('After=network-online.target docker.service');
    expect(unitName('agent')).toBe('capstan-agent.service');
    expect(unitName('up')).toBe('capstan.service');
  });

  it.each([
    ['/var/lib/capstan', '/var/lib/capstan'],
    ['50%', '50%%'],
    ['a b', '"a b"'],
    ['a"b', '"a\\"b"'],
    ['$HOME', '$$HOME'],
  ])('says %s as %s', (word, text) => {
    expect(quoted(word)).toBe(text);
  });

  it('is accepted by systemd, where that is installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'units-'));
    try {
      const file = join(folder, 'capstan.service');
      const script = join(folder, 'main.js');
      writeFileSync(script, '');
      writeFileSync(
        file,
        unitText({ role: 'server', node: process.execPath, script, flags: ['--data-dir', '/srv/x y'] }),
      );
      const found = spawnSync('systemd-analyze', ['--version']).status === 0;
      if (found) execFileSync('systemd-analyze', ['verify', file]);
      expect(unitText({ role: 'server', node: 'n', script: 's', flags: [] })).not.toContain('undefined');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
