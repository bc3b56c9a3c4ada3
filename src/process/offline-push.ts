// A push while the daemon is down: the branch is the one of the last start.
import type { PushAnswer, PushRequest } from '../gitops/push-gate.js';
import { readOptionalFile } from '../host/files.js';
import { dataDirectory } from './data-directory.js';
import { checkPush } from './offline-validation.js';
import { readSettings } from './settings.js';

export const checkPushOffline = async (
  request: PushRequest,
  { dataDir, gitDir }: { readonly dataDir: string; readonly gitDir: string },
  signal: AbortSignal,
): Promise<PushAnswer> => {
  const name = dataDirectory(dataDir).settings;
  const content = await readOptionalFile(name);
  const files = content === undefined ? [] : [{ name, content }];
  const { branch } = readSettings({ options: {}, environment: {}, files });
  return checkPush(request, { path: gitDir, branch }, signal);
};
