// The disk of a simulated node: names of places, and what was written there, in memory.
import type { NodeFiles, ProjectedFile } from '../../node/node-files.js';

export interface HollowFiles extends NodeFiles {
  /** What a volume of files shows; undefined when it was never set up. */
  shown(podUid: string, volume: string): readonly ProjectedFile[] | undefined;
}

export const createHollowFiles = (): HollowFiles => {
  const volumes = new Map<string, Map<string, readonly ProjectedFile[]>>();
  const show = (podUid: string, volume: string, files: readonly ProjectedFile[]): Promise<string> => {
    const ofPod = volumes.get(podUid) ?? new Map<string, readonly ProjectedFile[]>();
    volumes.set(podUid, ofPod.set(volume, files));
    return Promise.resolve(`/hollow/${podUid}/${volume}`);
  };
  return {
    shown: (podUid, volume) => volumes.get(podUid)?.get(volume),
    emptyDirectory: ({ podUid, volume }) => show(podUid, volume, []),
    project: ({ podUid, volume }, { files }) => show(podUid, volume, files),
    checkHostPath: () => Promise.resolve(),
    volumeRoot: '/hollow/volumes',
    folder: (path) => Promise.resolve(path),
    mountNfs: ({ podUid, volume }) => show(podUid, volume, []),
    removeVolume: () => Promise.resolve(),
    subPath: (volumePath, subPath) => Promise.resolve(`${volumePath}/${subPath}`),
    podFile: (podUid, name) => Promise.resolve(`/hollow/${podUid}/${name}`),
    terminationLog: (podUid, container, attempt) =>
      Promise.resolve(`/hollow/${podUid}/${container}/${attempt}`),
    readTerminationLog: () => Promise.resolve(''),
    seccompProfile: () => Promise.resolve('{}'),
    resolvConf: () => Promise.resolve('nameserver 10.96.0.10\n'),
    hosts: () => Promise.resolve('127.0.0.1\tlocalhost\n'),
    volumeBytes: () => Promise.resolve(new Map()),
    removePod: (podUid) => {
      volumes.delete(podUid);
      return Promise.resolve();
    },
    pods: () => Promise.resolve([...volumes.keys()]),
  };
};
