// The arrows of the house. A rule says who may import whom; types may go further than values where a rule says `values`.
const values = { dependencyTypesNot: ['type-only'] };
const TEMPORAL = 'node_modules/@temporalio';

/** Folders whose face (index.ts, registry.ts, types.ts, port.ts) is all that others see. */
const FACES = 'src/(?:access|artifact|authority|client|codec|health|judge|net|notify|secrets|spec|store|strategies)';

/** What is pure of the platforms: all that needs neither a service nor a library, beside what the parser and the worker load. */
const KITS = '^src/platforms/registry\\.ts$';
const PURE_OF_PLATFORMS = '^src/platforms/(?:[^/]+|(?!shared/)[^/]+/[^/]+)\\.ts$';
const OF_THE_PARSER = [
  '^src/platforms/(?:drivers|specs|spec-rules|fields)\\.ts$',
  '^src/platforms/[^/]+/(?:spec|partitions)\\.ts$',
];

/** All that runs on a worker alone, beside the activities themselves. */
const ON_WORKER =
  '^src/(?:authority|egress|health|net|notify|secrets|platforms/(?:drivers\\.ts|shared/|[^/]+/(?:driver|sources)/))';

function rule(name, comment, from, to) {
  return { name, comment, severity: 'error', from, to };
}

module.exports = {
  forbidden: [
    rule('no-cycles', 'two files that need each other are one, by types too', {}, { circular: true }),
    rule('resolvable', 'an import of nothing', {}, { couldNotResolve: true }),
    rule(
      'workflows-are-deterministic',
      'what a workflow runs is bundled into a sandbox without I/O and replayed for years',
      { path: '^workflows/' },
      { ...values, pathNot: ['^workflows/', '^src/model/', `${TEMPORAL}/(?:workflow|common)/`] },
    ),
    rule('model-is-a-leaf', 'everybody imports it', { path: '^src/model/' }, { pathNot: '^src/model/' }),
    rule(
      'strategies-are-pure',
      'planners take all they need as arguments, the clock too, or ask the kits, which are as pure; a schema is a value too',
      { path: '^src/strategies/' },
      {
        ...values,
        pathNot: ['^src/(?:strategies|model)/', KITS, '^src/spec/nearest\\.ts$', '^node_modules/zod/'],
      },
    ),
    rule(
      'judge-is-pure',
      'statistics, no I/O, no Temporal',
      { path: '^src/judge/' },
      { ...values, pathNot: '^src/(?:judge|model)/' },
    ),
    rule(
      'kits-are-rules',
      'what a platform allows, for everybody who must know it: no I/O, nothing of its services',
      { path: PURE_OF_PLATFORMS, pathNot: OF_THE_PARSER },
      { ...values, pathNot: [PURE_OF_PLATFORMS, '^src/model/'] },
    ),
    rule(
      'kits-load-no-schema',
      'the command line starts by them, and their checks of a rollout.yaml would bring the parser with them',
      { path: PURE_OF_PLATFORMS, pathNot: OF_THE_PARSER },
      { ...values, path: OF_THE_PARSER },
    ),
    rule(
      'platforms-say-what-a-spec-may-say',
      'the half of a platform that the parser loads: its schema and checks, and the building blocks of the schema',
      { path: OF_THE_PARSER, pathNot: '^src/platforms/drivers\\.ts$' },
      {
        ...values,
        path: '^(?:src|workflows|activities|emulators)/',
        pathNot: [PURE_OF_PLATFORMS, '^src/model/', '^src/spec/schema/parts\\.ts$', '^src/strategies/registry\\.ts$'],
      },
    ),
    rule(
      'spec-parses',
      'it knows the model, the strategies and the rules of the platforms, and its libraries',
      { path: '^src/spec/' },
      {
        ...values,
        path: '^(?:src|workflows|activities|emulators)/',
        pathNot: ['^src/(?:spec|model|strategies)/', KITS, '^src/platforms/specs\\.ts$'],
      },
    ),
    rule(
      'artifact-packs',
      'it knows the model and the rules of the platforms',
      { path: '^src/artifact/' },
      {
        ...values,
        path: '^(?:src|workflows|activities|emulators)/',
        pathNot: ['^src/(?:artifact|model)/', KITS],
      },
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
      {
        ...values,
        path: '^(?:src|workflows|activities|emulators)/',
        pathNot: ['^src/(?:access|spec|model|strategies)/', KITS],
      },
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
          '^src/(?:access|artifact|client|codec|model|store|temporal)/',
          KITS,
          '^src/key-file\\.ts$',
          '^workflows/messages\\.ts$',
        ],
      },
    ),
    rule(
      'cli-holds-no-credentials',
      'what needs the cloud is a workflow on the worker; the worker verb loads the worker, and nothing past it',
      { path: '^src/(?:cli|demo)/' },
      { ...values, path: ['^(?:activities|workflows)/', ON_WORKER] },
    ),
    rule(
      'workers-know-no-host',
      'the outside world behind ports, used by whoever builds them',
      { path: ['^activities/', ON_WORKER] },
      {
        ...values,
        path: '^(?:src|workflows|emulators)/',
        pathNot: ['^src/(?:access|cloud|judge|model|platforms|spec|store|strategies|temporal)/', ON_WORKER],
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
      { path: '^src/', pathNot: '^src/worker/' },
      { ...values, path: ['^activities/', '^src/platforms/drivers\\.ts$'] },
    ),
    rule(
      'drivers-have-one-face',
      "nobody imports past a driver's index.ts",
      { pathNot: '^src/platforms/[^/]+/(?:driver|sources)/' },
      { path: '^src/platforms/[^/]+/(?:driver/(?!index\\.ts$)|sources/)' },
    ),
    rule(
      'platforms-know-no-other',
      'one platform is no part of another',
      { path: '^src/platforms/(?!shared/)([^/]+)/' },
      { path: '^src/platforms/[^/]+/', pathNot: ['^src/platforms/$1/', '^src/platforms/shared/'] },
    ),
    rule(
      'folders-have-one-face',
      "nobody imports past a folder's index.ts",
      { pathNot: `^${FACES}/` },
      {
        path: `^${FACES}/`,
        pathNot: [
          `^${FACES}/(?:index|types|registry|port)\\.ts$`,
          // They need no library, and the command line starts without the schema's.
          '^src/spec/(?:nearest|units)\\.ts$',
          // What the platforms make their part of the schema of.
          '^src/spec/schema/parts\\.ts$',
          // What drivers and their sources are made of.
          '^src/health/(?:bounded|reason|sources/(?:source|stretches))\\.ts$',
          '^src/secrets/(?:environment|headers|scrub)\\.ts$',
        ],
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
