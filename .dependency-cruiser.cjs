// Who may import whom. Data flows base -> resources, pki, store -> client -> reconcile -> features -> process -> main.
const only = (folder, allowed, comment) => ({
  name: `${folder}-imports`,
  severity: 'error',
  comment,
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [folder, ...allowed].map((name) => `^src/${name}/`),
  },
});
const features = ['controllers', 'scheduler', 'rollouts', 'gitops', 'forge', 'node', 'network'];

module.exports = {
  forbidden: [
    only('base', [], 'base is what everyone needs, so it needs nobody'),
    only('resources', ['base'], 'the vocabulary knows no machinery'),
    only('pki', ['base'], 'certificates are bytes, whoever asks for them'),
    only('store', ['base'], 'the store knows keys and bytes, never kinds'),
    only('client', ['base', 'resources', 'store', 'pki'], 'a client sees verbs, not how they are served'),
    only('reconcile', ['base', 'resources', 'client'], 'the loop is the same wherever the cluster is'),
    only(
      'apiserver',
      ['base', 'resources', 'store', 'pki', 'client'],
      'requests become verbs over the store; of client only the contract that it implements',
    ),
    ...features.map((folder) =>
      only(
        folder,
        // Requests for certificates are read, and cluster-info is signed, where that is decided.
        ['base', 'resources', 'client', 'reconcile', ...(folder === 'controllers' ? ['pki'] : [])],
        'features never import each other: what one needs of another travels as data in the cluster',
      ),
    ),
    only(
      'cli',
      ['base', 'resources', 'client', 'pki', 'process', 'host'],
      'commands talk to a cluster or start a process',
    ),
    {
      name: 'host-imports-contracts',
      severity: 'error',
      comment:
        'the host carries ports out: it sees base, resources, the types of ports, and the label names that are part of one',
      from: { path: '^src/host/' },
      to: {
        path: '^src/',
        pathNot: ['^src/host/', '^src/base/', '^src/resources/', '^src/node/labels\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'main-and-process-are-the-top',
      severity: 'error',
      comment: 'wiring imports everything, so nothing imports wiring',
      from: { path: '^src/', pathNot: ['^src/(process|cli)/', '^src/main\\.ts$'] },
      to: { path: '^src/(process|cli)/' },
    },
    {
      name: 'no-host-outside-wiring',
      severity: 'error',
      comment: 'what touches the world is handed in by the process',
      from: { path: '^src/', pathNot: ['^src/(host|process|cli)/', '^src/main\\.ts$'] },
      to: { path: '^src/host/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'a cycle has no first page',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'code that nobody imports is dead',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: ['^src/main\\.ts$', '\\.d\\.ts$', '^src/resources/generated/.*\\.cjs$'],
      },
      to: {},
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      comment: 'what runs is installed with --omit=dev too',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
