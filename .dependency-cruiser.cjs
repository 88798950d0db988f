// The arrows of the house, see docs/architecture.md. Types may be imported upwards where it says so; values may not.
const value = { dependencyTypesNot: ['type-only'] };

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, ...{ viaOnly: { dependencyTypesNot: ['type-only'] } } } },
    { name: 'workflows-are-deterministic', comment: 'a workflow may import values of workflows, the model and the SDK alone', severity: 'error', from: { path: '^workflows/' }, to: { ...value, pathNot: ['^workflows/', '^src/model/', 'node_modules/@temporalio/(workflow|common)/'] } },
    { name: 'model-is-a-leaf', severity: 'error', from: { path: '^src/model/' }, to: { pathNot: '^src/model/' } },
    { name: 'plan-is-pure', severity: 'error', from: { path: '^src/plan/' }, to: { pathNot: '^src/(plan|model)/' } },
    { name: 'judge-is-pure', severity: 'error', from: { path: '^src/judge/' }, to: { pathNot: '^src/(judge|model)/' } },
    { name: 'client-knows-no-activities', severity: 'error', from: { path: '^src/client/' }, to: { ...value, path: '^(activities/|workflows/(?!messages))' } },
    { name: 'cli-knows-no-activities', severity: 'error', from: { path: '^src/cli/' }, to: { ...value, path: '^(activities|workflows)/' } },
    { name: 'activities-know-no-workflows', severity: 'error', from: { path: '^activities/' }, to: { ...value, path: '^(workflows/|src/(cli|client|worker|demo))' } },
    { name: 'drivers-have-one-face', comment: 'nobody imports past a driver\'s index', severity: 'error', from: { pathNot: '^activities/platform/' }, to: { path: '^activities/platform/lambda/' } },
    { name: 'nothing-needs-tests', severity: 'error', from: { path: '^(src|workflows|activities|emulators)/' }, to: { path: '^test/' } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'], extensionAlias: { '.js': ['.ts', '.js'] }, exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'types'] } },
};
