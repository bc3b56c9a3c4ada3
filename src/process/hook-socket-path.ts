// Where Git's hooks find the daemon: apart, so that a hook loads nothing else to learn it.
export const hookSocket = (dataDir: string): string => `${dataDir}/hooks.sock`;
