/** docs/development/add-a-metric-source.md is true: a source is two files beside the folder of sources, and none can be forgotten. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CopiedTree, type Edit } from '../setup/copied-tree.js';
import { ROOT } from '../support/tools.js';

const MODEL = 'src/model/spec.ts';
const SCHEMA = 'src/spec/schema/metrics.ts';
/** The list of the folder that the source is put into. */
const LIST = 'src/health/sources/index.ts';
const OWN = 'src/health/sources/abacus/index.ts';

const ABACUS = `/** Counts from an abacus. */
import type { AbacusMetric } from '../../../model/spec.js';
import type { Source } from '../source.js';

export function abacusSource(_metric: AbacusMetric): Source {
  return { read: async () => ({ ticks: [], asked: [] }) };
}
`;

const SCHEMA_OF_IT = `const abacus = strict({
  every: every(),
  delay: delay(DEFAULTS.metric.delay),
  beads: z.int().describe('How many.'),
}).describe('Counts from an abacus.');

`;

const EDITS: Edit[] = [
  {
    file: MODEL,
    changes: [
      ['  http: HttpMetric;\n', '  http: HttpMetric;\n  abacus: AbacusMetric;\n'],
      [
        '/** Any address that answers counts as JSON. */',
        "/** An abacus. */\nexport interface AbacusMetric extends Metric {\n  kind: 'abacus';\n  beads: number;\n}\n\n/** Any address that answers counts as JSON. */",
      ],
    ],
  },
  {
    file: SCHEMA,
    changes: [
      ['interface Kind<', `${SCHEMA_OF_IT}interface Kind<`],
      [
        '  http: { schema: counts,',
        "  abacus: { schema: abacus, of: 'server', slow: null },\n  http: { schema: counts,",
      ],
    ],
  },
  {
    file: LIST,
    changes: [
      ['import { httpSource }', "import { abacusSource } from './abacus/index.js';\nimport { httpSource }"],
      ['  http: { source:', '  abacus: { source: (metric) => abacusSource(metric) },\n  http: { source:'],
    ],
  },
];

let tree: CopiedTree;

beforeAll(() => {
  tree = CopiedTree.make('metric-source');
  tree.write(OWN, ABACUS);
  for (const edit of EDITS) tree.edit(edit);
});

afterAll(() => tree?.remove());

test("a source needs its own folder, its entry in that folder's list, and a few lines in two other files", () => {
  expect(tree.errors()).toEqual([]);
  expect(EDITS.filter(({ file }) => path.dirname(path.dirname(OWN)) !== path.dirname(file))).toHaveLength(2);
});

test.each(EDITS.map((edit) => [edit.file, edit] as const))(
  'the compiler reports a source that is missing in %s',
  (file, edit) => {
    tree.restore(file);
    try {
      expect(tree.errors(...EDITS.map((each) => each.file), OWN)).not.toEqual([]);
    } finally {
      tree.edit(edit);
    }
  },
);

test('the page names these files', () => {
  const page = readFileSync(path.join(ROOT, 'docs', 'development', 'add-a-metric-source.md'), 'utf8');
  for (const file of [MODEL, SCHEMA, LIST]) expect(page).toContain(`\`${file}\``);
});
