// The engine's images, for the node to make room.
import { hasCode } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { ImageStore } from '../../node/pressure/image-collection.js';
import { call, connect } from './engine.js';

export const createImageStore = async (options: {
  readonly host: string;
  readonly log: Logger;
}): Promise<ImageStore> => {
  const engine = await connect({ ...options, instance: '', node: '' });
  return {
    list: async (signal) => {
      const images = await call(engine, signal, () => engine.docker.listImages());
      return images.map(({ Id: id, Size: sizeBytes, RepoDigests: digests }) => ({
        id,
        sizeBytes,
        pulled: (digests ?? []).some((digest) => !digest.startsWith('<none>')),
      }));
    },
    remove: async (id, signal) => {
      try {
        const { RepoTags: tags } = await call(engine, signal, () => engine.docker.getImage(id).inspect());
        // By each of its names: an image with several goes with the last.
        for (const name of tags.length === 0 ? [id] : tags)
          await call(engine, signal, () => engine.docker.getImage(name).remove());
        return true;
      } catch (error) {
        if (hasCode(error, 'Conflict', 'NotFound')) return false;
        throw error;
      }
    },
  };
};
