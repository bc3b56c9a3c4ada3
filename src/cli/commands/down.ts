// capstan down
import { silent } from '../../base/log.js';
import { removeEverything } from '../../host/docker/remove-everything.js';
import { removeOwnBridge } from '../../host/docker/own-bridge.js';
import { machineName } from '../../host/machine.js';
import { readPid, stopProcess } from '../../host/detached.js';
import { dataDirectory, type DataDirectory } from '../../process/data-directory.js';
import { stopIngress } from '../../process/ingress.js';
import { removeNetwork } from '../../process/network.js';
import { engineHost } from '../../process/settings.js';
import type { Settings } from '../../process/settings.js';
import type { CliCommand, CliContext } from '../command.js';
import { addSettings, settingsOf } from '../settings-options.js';

const stopTimeoutMs = 20_000;

/** Stops the daemon, then removes what it left running: pods survive a daemon that merely restarts, on purpose. */
export const stopEverything = async (
  settings: Settings,
  directory: DataDirectory,
  { output, signal }: CliContext,
): Promise<boolean> => {
  const pid = readPid(directory.pid);
  if (pid === undefined) output.line('Capstan is not running.');
  else if (await stopProcess(pid, stopTimeoutMs)) output.line(`Stopped Capstan (process ${pid}).`);
  else {
    output.note(`error: process ${pid} does not end; look at ${directory.log}`);
    return false;
  }
  if (settings.runtime !== 'hollow') {
    const removed = await removeEverything(
      { host: engineHost(settings), instance: directory.instance, log: silent },
      signal,
    );
    await stopIngress(directory.ingress);
    await removeOwnBridge({ instance: directory.instance, node: settings.nodeName ?? machineName() }, signal);
    await removeNetwork(directory.instance, signal);
    output.line(`Removed ${removed.containers} containers and ${removed.networks} networks.`);
  }
  return true;
};

export const command: CliCommand = {
  name: 'down',
  summary:
    'Stop everything that `capstan up` started, pods included. Data stays; `capstan up` brings it all back.',
  example: 'capstan down',
  options: (program) => addSettings(program, ['dataDir', 'dockerHost']),
  run: async (invocation, context) => {
    const settings = await settingsOf(invocation, context);
    const directory = dataDirectory(settings.dataDir);
    if (!(await stopEverything(settings, directory, context))) return 1;
    context.output.line(`The data stays in ${directory.root}. \`capstan up\` brings everything back.`);
    return 0;
  },
};
