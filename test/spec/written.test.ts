// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a spec are what is tested
/** What a person has written arrives as written, or is refused where it stands. */
import { parseSpecText, showProblem } from '../../src/spec/index.js';
import { checkSpecText } from '../../src/spec/parse.js';
import { problems } from './problems.js';

const SMALLEST = `app: shop
environment: production
target: {function: shop, region: eu-central-1}
release: {version: 7}
`;

const withEnvironment = (lines: string) =>
  `${SMALLEST}configuration:\n  environment:\n${lines.replaceAll(/^/gm, '    ')}\n`;
const withPayload = (payload: string) =>
  `${SMALLEST}health:\n  probes:\n    - name: p\n      invoke:\n        payload: ${payload}\n`;
const payloadOf = (text: string, env: Record<string, string> = {}) => {
  const [probe] = parseSpecText(text, { env }).health.probes;
  return probe?.kind === 'invoke' ? probe.payload : null;
};

describe('a variable of a function', () => {
  test.each([['007'], ['+358401234567'], ['1.20'], ['0o17'], ['0x1F'], ['1e3'], ['true'], ['7205759403792793601']])(
    '%s without quotes is refused with a hint that keeps every character',
    (written) => {
      const said = problems(withEnvironment(`NAME: ${written}`));
      expect(said).toEqual([expect.stringContaining(`(quote it`)]);
      expect(said[0]).toContain(`"${written}"`);
      expect(said[0]).toMatch(/^rollout\.yaml:7:11 configuration\.environment\.NAME: /);
    },
  );

  test.each(['1234567', 'a3f09c1', '007', '1.20', 'true', '1234567890123456789'])(
    'accepts the text %s from a variable as it is',
    (commit) => {
      const spec = parseSpecText(`${withEnvironment('COMMIT: ${COMMIT}')}message: \${COMMIT}\n`, {
        env: { COMMIT: commit },
      });
      expect(spec).toMatchObject({ message: commit, configuration: { environment: { COMMIT: commit } } });
    },
  );
});

test.each([
  ['9', 9],
  ['9.0', 9],
])('a variable where a number is expected is that number: %s', (retain, value) => {
  expect(parseSpecText(`${SMALLEST}retain: \${N}\n`, { env: { N: retain } }).retain).toBe(value);
});

describe('a number in a payload', () => {
  test('is sent if it keeps all its digits', () => {
    expect(payloadOf(withPayload('{id: 9007199254740991, price: 1.5, none: 0, low: -3}'))).toEqual({
      id: 9007199254740991,
      price: 1.5,
      none: 0,
      low: -3,
    });
  });

  test.each([
    ['9007199254740993', 'would become 9007199254740992'],
    ['0.12345678901234567890', 'would become 0.12345678901234568'],
    ['1.10', 'would be sent as 1.1'],
    ['007', 'would be sent as 7'],
    ['.inf', 'is not a number in JSON'],
  ])('%s is refused: %s', (written, why) => {
    const said = problems(withPayload(`{id: ${written}}`));
    expect(said).toEqual([expect.stringMatching(/^rollout\.yaml:9:23 health\.probes\[0\]\.invoke\.payload\.id: /)]);
    expect(said[0]).toContain(why);
    expect(said[0]).toContain(`"${written}"`);
  });

  test('from a variable that would lose digits is sent as text', () => {
    const env = { ORDER: '7205759403792793601', COUNT: '12' };
    const text = withPayload('\n          order: ${ORDER}\n          count: ${COUNT}');
    expect(payloadOf(text, env)).toEqual({ order: '7205759403792793601', count: 12 });
  });
});

describe('merge keys', () => {
  const strategy = (stages: string) => `${SMALLEST}strategy:\n  type: canary\n  stages:\n${stages}\n`;

  test("take the other mapping's values, and what is written beside them wins", () => {
    const spec = parseSpecText(
      strategy(
        '    - &a {weight: 10%, bake: 10m}\n    - {weight: 50%, <<: *a}\n    - {<<: [{bake: 3m}, *a], weight: 100%}',
      ),
    );
    expect(spec.strategy).toMatchObject({
      stages: [
        { weight: 10, bake: 600_000 },
        { weight: 50, bake: 600_000 },
        { weight: 100, bake: 180_000 },
      ],
    });
  });

  test('are refused with anything but mappings', () => {
    expect(problems(strategy('    - {<<: 5, weight: 100%}')).join()).toMatch(
      /^rollout\.yaml:8:8 strategy\.stages\[0\]: "<<" takes a mapping or a list of mappings/,
    );
  });
});

describe('a percentage needs its sign everywhere', () => {
  test.each([
    ['strategy: {type: canary, stages: [{weight: 100}]}', '100%'],
    ['strategy: {type: linear, step: 25}', '25%'],
    ['health: {judge: {ceiling: 5}}', '5%'],
    ['health: {judge: {alpha: 0.01}}', '0.01% or 1%, whichever you mean)'],
  ])('%s', (line, hint) => {
    const text = `${SMALLEST}${line}\n`;
    expect(problems(text)).toEqual([
      expect.stringContaining(`expected a percentage with its sign, such as 10% or 0.5% (write ${hint}`),
    ]);
  });
});

test('an environment that `environments:` does not list is an error, even if the file sets it', () => {
  const text = `${SMALLEST}environments:\n  staging: {}\n`;
  expect(problems(text)).toEqual([
    'rollout.yaml:5:1 environments: leaves out "production", the environment of this file (add `production:` here, also when nothing differs; here: staging)',
  ]);
  expect(problems(text, { environment: 'staging' })).toEqual([]);
});

describe('an error shows its line with a caret', () => {
  const shown = (text: string) => checkSpecText(text, { file: 'rollout.yaml', env: {} }).problems.map(showProblem);

  test('under the place', () => {
    expect(shown(`${SMALLEST}retain: lots\n`)).toEqual([
      ['rollout.yaml:5:9 retain: expected a whole number from 0 to 1000', '  5 | retain: lots', '    |         ^'].join(
        '\n',
      ),
    ]);
  });

  test('even after wide characters and tabs, without control characters', () => {
    const [said] = shown(`${SMALLEST}rollbackWindow: {世\u001b[31m: 5}\n`);
    expect(said).toContain('\n  5 | rollbackWindow: {世 [31m: 5}\n');
    const [wide] = shown(`${SMALLEST}health: {judge: {"世界": 1, alpha: 5}}\n`);
    const lines = wide?.split('\n') ?? [];
    expect(lines[2]).toBe(`    | ${' '.repeat('health: {judge: {'.length)}^`);
  });

  test('and only part of a long line', () => {
    const [said] = shown(`${SMALLEST}message: "${'x'.repeat(400)}" oops\n`);
    const [, line = '', caret = ''] = said?.split('\n') ?? [];
    expect(line.length).toBeLessThan(120);
    expect(line[caret.indexOf('^')]).toBe('o');
  });

  test('but never a line that may contain a secret', () => {
    const [said] = shown(`${SMALLEST}notify: [{url: https://x.example/, secret: hunter2}]\n`);
    expect(said).toContain('notify[0]');
    expect(said).not.toContain('hunter2');
  });
});

describe('an error in the YAML is reported in our own words', () => {
  test.each([
    ['message: {a: 7', 'the closing "}" or "]" is missing'],
    ['message: "no end', 'the closing quote is missing'],
    ['message: a: b', 'a second "key:" on one line'],
    ['\tretain: 5', 'tabs cannot indent'],
    ['message: *nowhere', 'nothing above is named "nowhere" (name it with &nowhere)'],
    ['retain: 5\nretain: 6', 'this key appears twice'],
    ['message: @home', 'a value cannot begin with this character'],
    ['just words', 'this line has no "key: value"'],
    ['message: "a\\qb"', 'this \\-escape does not exist'],
    ['---\nx: 1', 'a second document begins here'],
    ['retain: [5]]', 'has no partner before it'],
  ])('%j: %s', (line, words) => {
    expect(problems(`${SMALLEST}${line}\n`).join('\n')).toContain(words);
  });
});
