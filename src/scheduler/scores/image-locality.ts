// A node that has the pod's images starts it sooner. Follows the ImageLocality plugin of kube-scheduler.
import type { NodeView, PodClass, Score } from '../placement.js';

const mebibyte = 1024 * 1024;
/** Less than this is pulled in no time; from the upper bound on (per container) more is no better. */
const least = 23 * mebibyte;
const most = 1000 * mebibyte;

/** `nginx` is `nginx:latest`, and engines list Docker Hub's images with and without its name. */
const namesOf = (image: string): readonly string[] => {
  const last = image.slice(image.lastIndexOf('/') + 1);
  const full = last.includes(':') || last.includes('@') ? image : `${image}:latest`;
  return [full, `docker.io/${full}`, `docker.io/library/${full}`];
};

const present = ({ pod: { spec } }: PodClass, { images }: NodeView): number => {
  let bytes = 0;
  for (const { image = '' } of [...(spec.initContainers ?? []), ...spec.containers])
    for (const name of namesOf(image)) {
      const size = images.get(name);
      if (size === undefined) continue;
      bytes += size;
      break;
    }
  return bytes;
};

export const imageLocality: Score = {
  name: 'image locality',
  weight: 1,
  score: (pod, node) => {
    if (node.images.size === 0) return 0;
    const { spec } = pod.pod;
    const containers = spec.containers.length + (spec.initContainers ?? []).length;
    const bytes = Math.min(Math.max(present(pod, node), least), most * containers);
    return (100 * (bytes - least)) / (most * containers - least);
  },
};
