// Definitions that progressive delivery's kinds share.
import type { Property } from '../definitions.js';
import { ref, text } from '../shapes.js';
import type { TopLevel } from '../shapes.js';

export const own = (name: string): Property => ref(`io.argoproj.v1alpha1.${name}`);
export const selector = ref('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector');
export const template = ref('io.k8s.api.core.v1.PodTemplateSpec');
export const duration = (description: string): Property => text(`${description} Such as 30s, 5m or 1h30m.`);
export const argo = (kind: string, description: string): TopLevel => ({
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind,
  description,
});
