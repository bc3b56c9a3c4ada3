// `/version`: which Kubernetes the wire format is that of, and which Capstan serves it.

/** The Kubernetes release whose kinds and fields are served; clients compare their own version with it. */
const kubernetes = { major: '1', minor: '33', patch: '0' } as const;

/** `version` is Capstan's own. Answers apimachinery's `version.Info`. */
export const versionInfo = (version: string): Readonly<Record<string, string>> => {
  const { major, minor, patch } = kubernetes;
  return {
    major,
    minor,
    gitVersion: `v${major}.${minor}.${patch}+capstan-${version.replace(/[^0-9A-Za-z.-]/g, '-')}`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '',
    goVersion: '',
    compiler: '',
    platform: '',
  };
};
