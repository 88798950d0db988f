// The arrows of the house. A rule says who may import whom; types may go further than values where a rule says `values`.
const values = { dependencyTypesNot: ['type-only'] };
const TEMPORAL = 'node_modules/@temporalio';

/** Folders whose index.ts (and types.ts, where there is one) is all that others see. */
const FACES = 'src/(?:access|artifact|client|codec|judge|plan|platforms|spec|store)';

function rule(name, comment, from, to) {
  return { name, comment, severity: 'error', from, to };
}

module.exports = {
  forbidden: [
    rule(
      'no-cycles',
      'two files that need each other are one',
      {},
      {
        circular: true,
        viaOnly: { dependencyTypesNot: ['type-only'] },
      },
    ),
    rule('resolvable', 'an import of nothing', {}, { couldNotResolve: true }),
    rule(
      'workflows-are-deterministic',
      'what a workflow runs is bundled into a sandbox without I/O and replayed for years',
      { path: '^workflows/' },
      { ...values, pathNot: ['^workflows/', '^src/model/', `${TEMPORAL}/(?:workflow|common)/`] },
    ),
    rule('model-is-a-leaf', 'everybody imports it', { path: '^src/model/' }, { pathNot: '^src/model/' }),
    rule(
      'plan-is-pure',
      'planners take all they need as arguments, the clock too',
      { path: '^src/plan/' },
      { ...values, pathNot: '^src/(?:plan|model)/' },
    ),
    rule(
      'judge-is-pure',
      'statistics, no I/O, no Temporal',
      { path: '^src/judge/' },
      { ...values, pathNot: '^src/(?:judge|model)/' },
    ),
    rule(
      'platforms-are-rules',
      'what a platform allows, for everybody who must know it: no I/O, nothing of its services',
      { path: '^src/platforms/' },
      { ...values, path: '^(?:src|workflows|activities|emulators)/', pathNot: '^src/(?:platforms|model)/' },
    ),
    rule(
      'spec-parses',
      'it knows the model, the plan and the rules of the platforms, and its libraries',
      { path: '^src/spec/' },
      { ...values, path: '^(?:src|workflows|activities|emulators)/', pathNot: '^src/(?:spec|model|plan|platforms)/' },
    ),
    rule(
      'artifact-packs',
      'it knows the model and the rules of the platforms',
      { path: '^src/artifact/' },
      { ...values, path: '^(?:src|workflows|activities|emulators)/', pathNot: '^src/(?:artifact|model|platforms)/' },
    ),
    rule(
      'store-keeps',
      'it knows what is packed, and the credentials of a cloud',
      { path: '^src/store/' },
      { ...values, path: '^(?:src|workflows|activities|emulators)/', pathNot: '^src/(?:store|artifact|cloud|model)/' },
    ),
    rule(
      'cloud-is-a-leaf',
      'how processes of all kinds reach a cloud',
      { path: '^src/cloud/' },
      { ...values, path: '^(?:src|workflows|activities|emulators)/', pathNot: '^src/(?:cloud|model)/' },
    ),
    rule(
      'access-decides',
      'what a policy says and what a signature proves: no I/O, no Temporal',
      { path: '^src/access/' },
      { ...values, path: '^(?:src|workflows|activities|emulators)/', pathNot: '^src/(?:access|spec|model|plan)/' },
    ),
    rule(
      'codec-encrypts',
      'it knows payloads, and nothing of what is in them',
      { path: '^src/codec/' },
      { ...values, path: '^(?:src|workflows|activities|emulators)/', pathNot: '^src/(?:codec|model)/' },
    ),
    rule(
      'client-speaks-by-messages',
      'of the workflows it takes types and message definitions',
      { path: '^src/client/' },
      {
        ...values,
        path: '^(?:src|workflows|activities|emulators)/',
        pathNot: [
          '^src/(?:access|artifact|client|codec|model|platforms|store)/',
          '^src/(?:search-attributes|living-workers|key-file|described)\\.ts$',
          '^workflows/messages\\.ts$',
        ],
      },
    ),
    rule(
      'cli-holds-no-credentials',
      'what needs the cloud is a workflow on the worker; the worker verb loads the worker, and nothing past it',
      { path: '^src/(?:cli|demo)/' },
      { ...values, path: '^(?:activities|workflows)/' },
    ),
    rule(
      'activities-know-no-host',
      'the outside world behind ports, used by whoever builds them',
      { path: '^activities/' },
      {
        ...values,
        path: '^(?:src|workflows|emulators)/',
        pathNot: ['^src/(?:access|model|plan|platforms|judge|spec|store|cloud)/', '^src/described\\.ts$'],
      },
    ),
    rule(
      'emulators-stand-alone',
      'they stand in for a cloud and may not know what runs on it',
      { path: '^emulators/' },
      { ...values, path: '^(?:src|workflows|activities)/', pathNot: '^src/model/' },
    ),
    rule(
      'one-composition-root',
      'only the worker puts drivers and workflows together',
      { path: '^src/', pathNot: '^src/worker[^/]*\\.ts$' },
      { ...values, path: '^activities/' },
    ),
    rule(
      'drivers-have-one-face',
      "nobody imports past a driver's index.ts",
      { pathNot: '^activities/platform/[^/]+/' },
      { path: '^activities/platform/[^/]+/(?!index\\.ts$)' },
    ),
    rule(
      'drivers-know-no-other',
      'one platform is no part of another',
      { path: '^activities/platform/([^/]+)/' },
      { path: '^activities/platform/[^/]+/', pathNot: '^activities/platform/$1/' },
    ),
    rule(
      'folders-have-one-face',
      "nobody imports past a folder's index.ts",
      { pathNot: `^${FACES}/` },
      {
        path: `^${FACES}/`,
        // The last two need no library, and the command line starts without the schema's.
        pathNot: [`^${FACES}/(?:index|types)\\.ts$`, '^src/spec/(?:nearest|units)\\.ts$'],
      },
    ),
    rule(
      'nothing-needs-tests',
      'the tests may go away',
      { path: '^(?:src|workflows|activities|emulators)/' },
      { path: '^(?:test|bench|scripts)/' },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types'],
    },
  },
};
