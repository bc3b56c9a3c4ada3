// Defaults of volumes (Kubernetes' pkg/apis/core/v1/defaults.go).
import { mapped, withChanges, withDefaults } from '../defaults.js';
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from '../generated/types.js';

/** 0644 in octal. */
const fileMode = 420;

const file = (given: DownwardAPIVolumeFile): DownwardAPIVolumeFile =>
  withChanges(given, {
    fieldRef: given.fieldRef && withDefaults(given.fieldRef, { apiVersion: 'v1' }),
    resourceFieldRef: given.resourceFieldRef && withDefaults(given.resourceFieldRef, { divisor: '0' }),
  });

const projection = (given: VolumeProjection): VolumeProjection =>
  withChanges(given, {
    serviceAccountToken:
      given.serviceAccountToken && withDefaults(given.serviceAccountToken, { expirationSeconds: 3600 }),
    downwardAPI:
      given.downwardAPI && withChanges(given.downwardAPI, { items: mapped(given.downwardAPI.items, file) }),
  });

const claimTemplate = (given: NonNullable<Volume['ephemeral']>): NonNullable<Volume['ephemeral']> => {
  const template = given.volumeClaimTemplate;
  return template === undefined
    ? given
    : withChanges(given, {
        volumeClaimTemplate: withChanges(template, {
          spec: withDefaults(template.spec, { volumeMode: 'Filesystem' }),
        }),
      });
};

/** A volume that names no source is an empty directory. */
export const defaultedVolume = (volume: Volume): Volume => {
  if (Object.entries(volume).every(([key, value]) => key === 'name' || value === undefined))
    return { ...volume, emptyDir: {} };
  const { secret, configMap, downwardAPI, projected, hostPath, ephemeral } = volume;
  return withChanges(volume, {
    secret: secret && withDefaults(secret, { defaultMode: fileMode }),
    configMap: configMap && withDefaults(configMap, { defaultMode: fileMode }),
    downwardAPI:
      downwardAPI &&
      withChanges(withDefaults(downwardAPI, { defaultMode: fileMode }), {
        items: mapped(downwardAPI.items, file),
      }),
    projected:
      projected &&
      withChanges(withDefaults(projected, { defaultMode: fileMode }), {
        sources: mapped(projected.sources, projection),
      }),
    hostPath: hostPath && withDefaults(hostPath, { type: '' }),
    ephemeral: ephemeral && claimTemplate(ephemeral),
  });
};
