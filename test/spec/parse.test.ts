// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a spec are what is tested
import path from 'node:path';
import { SluiceError } from '../../src/model/errors.js';
import type { Spec } from '../../src/model/spec.js';
import { parseSpecText, parseSpecValue } from '../../src/spec/index.js';
import { again, problems } from './problems.js';

const SMALLEST = `
app: shop
environment: production
target: {function: shop, region: eu-central-1}
release: {version: 7}
`;

describe('a minimal rollout.yaml', () => {
  test('gets every default', () => {
    expect(parseSpecText(SMALLEST)).toEqual({
      specSchema: 1,
      app: 'shop',
      environment: 'production',
      target: { platform: 'lambda', function: 'shop', alias: 'live', region: 'eu-central-1', account: 'default' },
      release: { version: 7 },
      configuration: {},
      strategy: {
        type: 'canary',
        stages: [
          { name: '10%', weight: 10, bake: 300_000, probes: [] },
          { name: '50%', weight: 50, bake: 300_000, probes: [] },
          { name: '100%', weight: 100, bake: 300_000, probes: [] },
        ],
      },
      health: {
        probes: [
          {
            name: 'default',
            kind: 'invoke',
            payload: {},
            expect: {},
            latency: 3_000,
            every: 1_000,
            safe: false,
            smoke: 3,
          },
        ],
        invocation: 'sync',
        metrics: [
          {
            name: 'requests',
            kind: 'cloudwatch',
            every: 5_000,
            namespace: 'AWS/Lambda',
            delay: 60_000,
            dryRun: false,
          },
        ],
        alarms: [],
        judge: {
          alpha: 0.01,
          ceiling: null,
          minRequests: 20,
          minErrors: 2,
          dispersion: null,
          margin: null,
          beta: 0.05,
          probeBack: true,
          onUnhealthy: 'rollback',
          onUndecided: 'hold',
          onNoData: 'hold',
          maxHold: 86_400_000,
          remindEvery: 3_600_000,
        },
      },
      onNewRelease: 'reject',
      rollbackWindow: 86_400_000,
      retain: 5,
      notify: [],
      deadlines: {
        worker: 120_000,
        deploy: 600_000,
        warm: 900_000,
        shift: 120_000,
        probe: 120_000,
        pause: 86_400_000,
        stuckAfter: 60_000,
      },
      allowUnjudged: false,
      allowBypass: [],
    });
  });

  test.each([
    ['direct', { type: 'direct', bake: 300_000 }],
    ['blueGreen', { type: 'blueGreen', bake: 300_000, testBake: 0 }],
    ['linear', { type: 'linear', step: 10, interval: 300_000, bake: 300_000 }],
    ['undo', { type: 'undo', bake: 60_000 }],
  ] as const)("started as %s gets that strategy's defaults", (type, strategy) => {
    expect(parseSpecText(SMALLEST, { type }).strategy).toEqual(strategy);
  });

  test('has paths relative to its file made absolute; a JSON value keeps its paths', () => {
    const text = SMALLEST.replace('{version: 7}', '{folder: ../v2}');
    expect(parseSpecText(text, { file: '/srv/app/deploy/rollout.yaml' }).release).toEqual({ folder: '/srv/app/v2' });
    expect(parseSpecText(text, { file: 'x/rollout.yaml' }).release).toEqual({ folder: path.resolve('v2') });
    expect(parseSpecText(text, { baseDir: '/base/x' }).release).toEqual({ folder: '/base/v2' });
  });
});

describe('a spec parsed once', () => {
  const full = `
app: shop
environment: production
message: "costs $\${5}"
target: {function: shop, region: eu-central-1, roleArn: 'arn:aws:iam::123456789012:role/x'}
release: {s3: {bucket: b, key: k}}
configuration: {memory: 256, logFormat: JSON, environment: {TEMPLATE: '$\${name}'}, provisionedConcurrency: 2}
strategy:
  stages:
    - {weight: 0.5%, bake: 1h30m, probes: [page], approval: {within: 500s}}
    - {weight: 100%, name: all, bake: 15s}
health:
  probes:
    - {name: page, http: {url: 'https://{version}.example.com'}, every: 50ms}
    - {name: call, invoke: {payload: {rate: 5, bake: 3}}, expect: {path: '$.a', equals: null}}
  metrics:
    - {name: minutes, cloudwatch: {namespace: Shop, delay: 90s}, latency: 800ms, dryRun: true}
    - {name: logs, lambdaLogs: {window: 2s}, latency: 1s}
    - {name: prom, prometheus: {url: 'http://p', requests: 'r{v="{version}"}', errors: 'e{v="{release}"}', slow: 's{version}', token: 'secret://aws-ssm/shop/prom'}}
    - {name: any, http: {url: 'http://c/{version}/{from}/{to}', headers: {a: b, key: 'secret://env/SLUICE_SECRET_K'}, requests: $.r, errors: '$.e[0]', every: 1500ms}}
  judge: {ceiling: 7%, alpha: 0.1%, maxHold: 1500ms}
notify: [{webhook: 'https://example.com', secret: 'secret://file/webhook#key'}]
`;

  test.each<[string, Spec]>([
    ['a minimal one', parseSpecText(SMALLEST)],
    ['a full one', parseSpecText(full)],
    ...(['direct', 'blueGreen', 'linear', 'undo'] as const).map((type): [string, Spec] => [
      type,
      parseSpecText(SMALLEST, { type }),
    ]),
  ])('parses to itself as JSON: %s', (_, spec) => {
    expect(again(spec)).toEqual(spec);
    expect(again(again(spec))).toEqual(spec);
  });

  test('keeps each number as it is, even one that no text with a unit would give', () => {
    const spec = parseSpecText(full);
    const odd = {
      ...spec,
      rollbackWindow: 1_234_567,
      health: { ...spec.health, judge: { ...spec.health.judge, ceiling: 0.012345678901 } },
    };
    expect(again(odd)).toEqual(odd);
  });

  test('may leave out fields with a default, like one that an earlier Sluice stored', () => {
    const { retain: _, rollbackWindow: __, ...spec } = parseSpecText(full);
    const { pause: ___, ...deadlines } = spec.deadlines;
    expect(parseSpecValue({ ...spec, deadlines })).toEqual(parseSpecText(full));
  });

  test.each<[string, (spec: Spec) => object, string]>([
    [
      'a duration as text',
      (spec) => ({ ...spec, rollbackWindow: '5m' }),
      'rollbackWindow: expected whole milliseconds',
    ],
    ['a negative duration', (spec) => ({ ...spec, rollbackWindow: -1 }), 'rollbackWindow: expected whole milliseconds'],
    [
      'a deadline out of range',
      (spec) => ({ ...spec, deadlines: { ...spec.deadlines, shift: 999 } }),
      'deadlines.shift: expected whole milliseconds as a number from 1000',
    ],
    ['half a millisecond', (spec) => ({ ...spec, rollbackWindow: 0.5 }), 'rollbackWindow: expected whole milliseconds'],
    [
      'a value that is not a number',
      (spec) => ({ ...spec, rollbackWindow: Number.NaN }),
      'rollbackWindow: expected whole milliseconds',
    ],
    ['an unknown member', (spec) => ({ ...spec, retian: 5 }), 'unknown key "retian" (did you mean "retain"?)'],
    ['a weight of 0', (spec) => withStage(spec, { weight: 0 }), 'strategy.stages[0].weight: expected'],
    [
      'a weight with too many decimals',
      (spec) => withStage(spec, { weight: 0.123 }),
      'is too fine (two decimals at most)',
    ],
    ['weights that fall', (spec) => withStage(spec, { weight: 100 }), 'weights must rise'],
    [
      'a bake whose minimum exceeds its maximum',
      (spec) => withStage(spec, { bake: { min: 9_000, max: 5_000 } }),
      'min 9s must be shorter than max 5s',
    ],
    ['a probe that does not exist', (spec) => withStage(spec, { probes: ['pgae'] }), 'there is no probe "pgae"'],
    [
      'a share over 1',
      (spec) => withPolicy(spec, { ceiling: 7 }),
      'health.judge.ceiling: expected a share as a number from 0 to 1',
    ],
    [
      'a probability over a half',
      (spec) => withPolicy(spec, { alpha: 0.6 }),
      'health.judge.alpha: expected more than 0%, at most 50%',
    ],
  ])('is refused with %s', (_, change, why) => {
    expect(() => parseSpecValue(change(parseSpecText(full)))).toThrow(why);
  });

  test('keeps text that looks like a variable', () => {
    const spec = parseSpecText(full);
    expect(spec.configuration.environment).toEqual({ TEMPLATE: '${name}' });
    expect(again(spec).configuration.environment).toEqual({ TEMPLATE: '${name}' });
  });

  test('becomes an undo with the same target and another release', () => {
    const spec = parseSpecText(full);
    const undo = parseSpecValue({ ...spec, release: { version: 3 } }, { type: 'undo' });
    expect(undo).toEqual({ ...spec, release: { version: 3 }, strategy: { type: 'undo', bake: 60_000 } });
  });

  test('is refused if its schema belongs to another Sluice', () => {
    expect(() => parseSpecValue({ ...parseSpecText(full), specSchema: 2 })).toThrow('spec schema 2 is not known here');
  });
});

test('an asynchronous function gets no default probe, and its failures count three times', () => {
  const { health } = parseSpecText(`${SMALLEST}health: {invocation: async}\n`);
  expect(health).toMatchObject({ probes: [], judge: { dispersion: 3 } });
  const own = parseSpecText(`${SMALLEST}health: {invocation: async, judge: {dispersion: 1}}\n`);
  expect(own.health.judge.dispersion).toBe(1);
});

function withPolicy(spec: Spec, policy: object): object {
  return { ...spec, health: { ...spec.health, judge: { ...spec.health.judge, ...policy } } };
}

function withStage({ strategy, ...spec }: Spec, change: object): object {
  const [first, ...more] = strategy.type === 'canary' ? strategy.stages : [];
  return { ...spec, strategy: { ...strategy, stages: [{ ...first, ...change }, ...more] } };
}

describe('errors', () => {
  test('name file, line, column and path, all together', () => {
    const text = `app: shop
environment: production
target:
  function: shop
  regoin: eu-central-1
release: {version: 7, zip: x.zip}
strategy:
  type: canary
  stages:
    - {weight: 50%, bake: 300}
    - {weight: 10%}
retain: many
`;
    expect(problems(text)).toEqual([
      'rollout.yaml:3:1 target.region: is missing',
      'rollout.yaml:5:3 target: unknown key "regoin" (did you mean "region"?)',
      'rollout.yaml:6:1 release: a release has exactly one of folder, zip, s3, image, version, latest, current, artifact (here: zip and version)',
      'rollout.yaml:10:27 strategy.stages[0].bake: expected a duration such as 500ms, 30s, 5m, 2h or 1d (write the unit: 300s?)',
      'rollout.yaml:12:9 retain: expected a whole number from 0 to 1000',
    ]);
  });

  test('are one SluiceError with a line each', () => {
    const parse = () => parseSpecText('app: shop\nretain: x\n', { file: 'a/b.yaml' });
    expect(parse).toThrow(SluiceError);
    expect(parse).toThrow(/^a\/b\.yaml:1:1 .*(?:\n.*)*\na\/b\.yaml:2:9 retain: /);
  });

  test('in a JSON value are named by path', () => {
    const value = { app: 'shop', target: { function: 'shop', region: 'eu-central-1' }, release: { version: 0 } };
    expect(() => parseSpecValue(value, { environment: 'production' })).toThrow(
      /^release\.version: expected a whole number from 1 to \d+$/,
    );
  });

  test.each([null, undefined, 'text', 7, [], [{}]])('refuse %j as an argument', (value) => {
    expect(() => parseSpecValue(value)).toThrow('expected one JSON object');
  });

  test.each([
    ['a duplicate key', `${SMALLEST}app: other\n`, 'rollout.yaml:6:1 this key appears twice'],
    ['a syntax error', 'app: [shop\ntarget: {', 'rollout.yaml:2:'],
    ['a tag', `${SMALLEST}message: !secret x\n`, 'rollout.yaml:6:10 this value cannot be read with its tag'],
    ['an empty file', '', 'rollout.yaml:1:1 expected a mapping'],
    ['an alias that expands endlessly', bomb(), 'nested too deep, or too large'],
    ['a file that is too large', `# ${'x'.repeat(300_000)}`, 'rollout.yaml:1:1 the file is larger than 262144 bytes'],
  ])('report %s', (_, text, said) => {
    expect(problems(text).join('\n')).toContain(said);
  });

  test.each([
    ['app: shop', 'app: companion', 'app: the name "companion" is reserved'],
    ['app: shop', 'app: a/b', 'app: letters, digits'],
    ['function: shop', 'function: "arn:aws:lambda:x"', 'target.function: expected the name of a function'],
    ['function: shop', 'function: shop, alias: "7"', 'target.alias: expected the name of an alias'],
    ['version: 7', 'image: shop:latest', 'release.image: expected an image by digest'],
    ['version: 7', 'verison: 7', 'release: unknown key "verison" (did you mean "version"?)'],
  ])('say what is wrong if %s is %s', (right, wrong, said) => {
    expect(problems(SMALLEST.replace(right, wrong)).join('\n')).toContain(said);
  });

  test.each([
    ['notify: https://example.com/a', ['notify: expected a list, not "https://example.com/a"']],
    [`message: [${'a, '.repeat(600)}a]`, ['message: expected text, not a list']],
    [
      'health: {probes: "a long text in the place of a list"}',
      ['health.probes: expected a list, not "a long text in the place of a list"'],
    ],
  ])('complain of the kind alone where a value is of another: %#', (line, said) => {
    const found = problems(`${SMALLEST}${line}\n`).map((each) => each.replace(/^\S+ /, ''));
    expect(found).toEqual(said);
  });

  test.each([
    ['strategy: {type: rolling}', 'strategy.type: expected one of direct, blueGreen, canary, linear'],
    ['strategy: {stages: [{bake: 5m}]}', 'strategy.stages[0].weight: is missing'],
    ['notify: [{}]', 'notify[0].webhook: is missing'],
    ['strategy: {stages: []}', 'a canary needs at least one stage'],
    [
      'strategy: {stages: [{weight: 10%}]}',
      'the last stage must have weight 100%, not 10% (add a stage {weight: 100%})',
    ],
    ['strategy: {stages: [{weight: 50%}, {weight: 50%}, {weight: 100%}]}', 'weights must rise: 50% comes after 50%'],
    ['strategy: {stages: [{weight: 101%}]}', '101% is out of range'],
    ['strategy: {stages: [{weight: 0%}, {weight: 100%}]}', '0% is out of range'],
    ['strategy: {stages: [{weight: 1%, name: 100%}, {weight: 100%}]}', '"100%" names two stages'],
    ['strategy: {stages: [{weight: 100%, name: deploy}]}', '"deploy" is the name of the first stage'],
    ['strategy: {stages: [{weight: 100%, probes: [defalt]}]}', 'there is no probe "defalt" (did you mean "default"?)'],
    [`strategy: {stages: [${many(99)}]}`, 'at most 98 stages'],
    ['strategy: {type: linear, step: 1%}', '1% makes more than 98 steps'],
    ['strategy: {type: direct, stages: []}', 'strategy: unknown key "stages"'],
    ['strategy: {type: undo}\nrelease: {folder: x}', 'undo rolls back to a version'],
    ['health: {probes: [], metrics: []}', 'health: nothing can judge the candidate'],
    [
      'health: {probes: [], metrics: [{name: a, cloudwatch: {}, dryRun: true}]}',
      'health: nothing can judge the candidate',
    ],
    ['health: {probes: [{name: a, invoke: {}}, {name: a, invoke: {}}]}', 'health.probes[1].name: "a" appears twice'],
    ['health: {probes: [{name: a}]}', 'a probe has exactly one of invoke and http'],
    ['health: {probes: [{name: a, invoke: {}, every: 49ms}]}', '49ms is out of range (from 50ms to 1m)'],
    ['health: {probes: [{name: a, invoke: {}, every: 61s}]}', '61s is out of range'],
    ['health: {probes: [{name: a, http: {url: "https://x"}}]}', 'must contain {version} or {host}'],
    ['health: {probes: [{name: a, invoke: {}, expect: {equals: 1}}]}', 'equals needs a path'],
    ['health: {judge: {ceiling: 0.05}}', 'expected a percentage with its sign'],
    ['health: {judge: {alpha: 80%}}', 'expected more than 0%, at most 50%'],
    ['strategy: {type: direct, bake: {min: 5m, max: 1m}}', 'min 5m must be shorter than max 1m'],
    ['strategy: {type: direct, bake: {min: 5m}}', 'is missing'],
    ['strategy: {type: direct, bake: {min: 5m, mix: 9m}}', 'unknown key "mix" (did you mean "min"?)'],
    ['health: {invocation: async, probes: [{name: p, invoke: {}}]}', 'would trigger the same side effects as an event'],
    ['health: {invocation: stream}\nstrategy: {type: direct, bake: 1m}', 'its last retry fails after 3 minutes'],
    ['health: {probes: []}\nstrategy: {type: blueGreen, testBake: 1m}', 'nothing can judge the idle environment'],
    [
      'health: {metrics: [{name: a}]}',
      'a metric has exactly one of cloudwatch, lambdaLogs, prometheus, http, azureMonitor',
    ],
    ['health: {metrics: [{name: a, cloudwatch: {}, lambdaLogs: {}}]}', '(here: cloudwatch and lambdaLogs)'],
    ['health: {metrics: [{name: a, lambdaLogs: {window: 1500ms}}]}', 'expected whole seconds'],
    [
      'health: {metrics: [{name: a, latency: 1s, prometheus: {url: "http://p", requests: "a{version}", errors: "b{version}"}}]}',
      'latency is for cloudwatch and lambdaLogs',
    ],
    [
      'health: {metrics: [{name: a, prometheus: {url: "http://p", requests: up, errors: "b{release}"}}]}',
      'prometheus.requests: must contain {version} or {release}',
    ],
    [
      'health: {metrics: [{name: a, prometheus: {url: "http://p", requests: "a{version}", errors: "b{version}", token: AWS_SECRET_ACCESS_KEY}}]}',
      'prometheus.token: expected a reference to a secret',
    ],
    [
      'health: {metrics: [{name: a, http: {url: "http://c/{version}?to={to}", requests: $.r, errors: $.e}}]}',
      'must contain {from}',
    ],
    ['configuration: {environment: {N: 5}}', 'expected text, not 5 (quote it: "5")'],
    ['message:', 'message: expected text, not nothing'],
    ['notify: [{webhook: "ftp://x"}]', 'notify[0].webhook: expected an http or https URL'],
    [`configuration: {description: ${'x'.repeat(257)}}`, 'at most 256 characters'],
  ])('refuse %s', (line, said) => {
    const base = line.includes('release:') ? SMALLEST.replace(/^release.*\n/m, '') : SMALLEST;
    expect(problems(`${base}${line}\n`).join('\n')).toContain(said);
  });

  test('allow a spec without a judge if it says so', () => {
    expect(problems(`${SMALLEST}health: {probes: [], metrics: []}\nallowUnjudged: true\n`)).toEqual([]);
  });

  test('mention callers of the bare function that may get a release when it is deployed', () => {
    const ids = ['mapping/91eaeb7e-0d4f-4b5e-9c2a-6f1d2c3b4a59', 'url', 'calls', 'calls-until/2026-11-30T15:05Z'];
    expect(parseSpecText(`${SMALLEST}allowBypass: [${ids.join(', ')}]\n`).allowBypass).toEqual(ids);
    for (const wrong of ['mapping/1', 'urls', '"*"', 'calls-until/2026-13-01T00:00Z', 'calls-until/today']) {
      expect(problems(`${SMALLEST}allowBypass: [${wrong}]\n`).join('\n')).toContain(
        'allowBypass[0]: expected mapping/UUID, url, calls, or calls-until/TIME',
      );
    }
  });

  describe('refuse a bake that can never pass', () => {
    const [LOGS, PROBES] = ['metrics: [{name: logs, lambdaLogs: {}}]', 'metrics: []'];
    const MINUTES = 'metric "requests" counts by 1m, is final 1m later and is read every 5s';

    test.each([
      [
        'strategy: {type: direct, bake: 2m}',
        `rollout.yaml:6:32 strategy.bake: is too short to ever pass: ${MINUTES} (use 125s or longer, or lambdaLogs, which counts within seconds)`,
      ],
      ['strategy: {type: direct, bake: {min: 10s, max: 2m}}', MINUTES],
      ['strategy: {type: linear, interval: 1m}', `strategy.interval: is too short to ever pass: ${MINUTES}`],
      ['strategy: {type: linear, bake: 1m}', 'strategy.bake: is too short to ever pass'],
      ['strategy: {type: blueGreen, bake: 0s}', 'strategy.bake: is too short to ever pass'],
      ['strategy: {stages: [{weight: 10%}, {weight: 100%, bake: 1m}]}', 'strategy.stages[1].bake: is too short'],
      // The slowest metric says how long, whatever the probes do.
      [
        `health: {${LOGS}}\nstrategy: {type: direct, bake: 14s}`,
        'metric "logs" counts by 5s, is final 5s later and is',
      ],
      [
        'health: {metrics: [{name: a, cloudwatch: {delay: 3m}}, {name: b, lambdaLogs: {}}]}\nstrategy: {type: direct, bake: 4m}',
        'metric "a" counts by 1m, is final 3m later and is read every 5s (use 245s or longer',
      ],
      [
        `health: {${PROBES}}\nstrategy: {type: direct, bake: 19s}`,
        'the probes make 20 calls in 20s, and minRequests is 20 (use 20s or longer, or call more often)',
      ],
      [
        `health: {${PROBES}, probes: [{name: a, invoke: {}, every: 3s}, {name: b, invoke: {}, every: 6s}]}\nstrategy: {type: direct, bake: 39s}`,
        'the probes make 20 calls in 40s',
      ],
      [
        `health: {${PROBES}}\nstrategy: {stages: [{weight: 100%, bake: 30s, health: {minRequests: 31}}]}`,
        'the probes make 31 calls in 31s',
      ],
      [
        'strategy: {type: blueGreen, testBake: 19s}',
        'strategy.testBake: is too short to ever pass: the probes make 20',
      ],
      // What is only tried out shows nothing.
      [
        'health: {metrics: [{name: a, cloudwatch: {}, dryRun: true}]}\nstrategy: {type: direct, bake: 10s}',
        'the probes make 20 calls in 20s',
      ],
    ])('%s', (lines, said) => {
      expect(problems(`${SMALLEST}${lines}\n`).join('\n')).toContain(said);
    });

    test.each([
      'strategy: {type: direct, bake: 125s}',
      'strategy: {type: direct, bake: {min: 10s, max: 125s}}',
      'strategy: {type: linear, interval: 125s, bake: 125s}',
      `health: {${LOGS}}\nstrategy: {type: direct, bake: 15s}`,
      `health: {${PROBES}}\nstrategy: {type: direct, bake: 20s}`,
      `health: {${PROBES}, probes: [{name: a, invoke: {}, every: 50ms}]}\nstrategy: {type: direct, bake: 1s}`,
      'strategy: {type: blueGreen, testBake: 20s}',
      // Somebody says by name that it may go on without data, or undecided.
      'health: {judge: {onNoData: promote}}\nstrategy: {type: direct, bake: 1s}',
      'strategy: {stages: [{weight: 10%, bake: 1s, health: {onNoData: promote}}, {weight: 100%}]}',
      `health: {${PROBES}, judge: {onUndecided: promote}}\nstrategy: {type: direct, bake: 1s}`,
      'health: {probes: [], metrics: []}\nallowUnjudged: true\nstrategy: {type: direct, bake: 0s}',
    ])('but not one that can pass: %s', (lines) => {
      expect(problems(`${SMALLEST}${lines}\n`)).toEqual([]);
    });
  });

  test('refuse a spec that does not fit into a history', () => {
    const value = {
      app: 'shop',
      environment: 'production',
      target: { function: 'shop', region: 'eu-central-1' },
      release: { version: 7 },
      health: { probes: [{ name: 'a', invoke: { payload: 'x'.repeat(300_000) } }] },
    };
    expect(() => parseSpecValue(value)).toThrow('the limit is 262144');
  });

  test('refuse a spec of another app, environment or strategy than the one being started', () => {
    const text = `${SMALLEST}strategy: {type: direct}\n`;
    expect(problems(text, { app: 'other', environment: 'staging', type: 'canary' })).toEqual([
      'rollout.yaml:2:6 app: is "shop", but this is a rollout of "other" (the workflow id is <app>/<environment>)',
      'rollout.yaml:3:14 environment: this spec has no environment "staging" (known: production)',
      'rollout.yaml:6:18 strategy.type: is direct, but this is a canary rollout (start it as direct, or remove strategy)',
    ]);
  });
});

describe('environments', () => {
  const text = `
app: shop
target: {function: shop, region: eu-central-1}
release: {folder: v2}
strategy: {type: canary, stages: [{weight: 10%}, {weight: 100%}]}
environments:
  production:
  staging:
    target: {function: shop-staging}
    release: {version: 3}
    strategy: {type: direct, bake: 10m}
  test:
    strategy: {stages: [{weight: 100%, bake: 3m}]}
    message: \${UNSET}
    retain: lots
`;

  test('are merged over the rest: mappings merged, release and another strategy replaced', () => {
    const spec = parseSpecText(text, { environment: 'staging' });
    expect(spec.environment).toBe('staging');
    expect(spec.target).toMatchObject({ function: 'shop-staging', region: 'eu-central-1' });
    expect(spec.release).toEqual({ version: 3 });
    expect(spec.strategy).toEqual({ type: 'direct', bake: 600_000 });
  });

  test('replace lists', () => {
    const spec = parseSpecText(text.replace(/ {4}(message|retain).*\n/g, ''), { environment: 'test' });
    expect(spec.strategy).toMatchObject({ stages: [{ weight: 100, bake: 180_000 }] });
  });

  test('that are empty change nothing, and their neighbours are not checked', () => {
    expect(parseSpecText(text, { environment: 'production', env: {} }).target).toMatchObject({ function: 'shop' });
  });

  test('have their errors at their own place', () => {
    expect(problems(text, { environment: 'test' })).toEqual([
      'rollout.yaml:14:14 message: variable UNSET is not set (set it, or give a default: ${UNSET:-…})',
      'rollout.yaml:15:13 retain: expected a whole number from 0 to 1000',
    ]);
  });

  test('must be chosen if there is no default one', () => {
    expect(problems(text).join()).toContain('environment: is missing (choose one with -e: production, staging, test)');
  });

  test('that are not listed are refused, with the nearest name', () => {
    expect(problems(text, { environment: 'prodution' }).join()).toContain(
      'rollout.yaml:6:1 environments: this spec has no environment "prodution" (did you mean "production"?)',
    );
  });

  test('may have any name if the file names none', () => {
    const free = SMALLEST.replace(/^environment.*\n/m, '');
    expect(parseSpecText(free, { environment: 'anything' }).environment).toBe('anything');
  });
});

describe('variables', () => {
  const line = (written: string, env: Record<string, string>) => () =>
    parseSpecText(`${SMALLEST}${written}\n`, { env, file: 'rollout.yaml' });

  test('are filled in, with defaults for unset or empty ones', () => {
    const spec = line('message: "${A} ${B:-b} ${C:-c} $${D}"', { A: 'a', C: '' })();
    expect(spec.message).toBe('a b c ${D}');
  });

  test('become numbers only without quotes', () => {
    expect(line('retain: ${N}', { N: '9' })().retain).toBe(9);
    expect(line('retain: "${N}"', { N: '9' })).toThrow('rollout.yaml:6:9 retain');
    expect(line('message: "${N}"', { N: '9' })().message).toBe('9');
  });

  test('never add structure', () => {
    expect(line('message: ${X}', { X: 'a\nretain: 9' })().retain).toBe(5);
  });

  test('that are unset are reported with their place', () => {
    expect(line('message: "to ${NOWHERE}"', {})).toThrow('rollout.yaml:6:14 message: variable NOWHERE is not set');
  });

  test('that are unset are reported once, whatever form their place requires', () => {
    const text = SMALLEST.replace('eu-central-1', '"${REGION}"');
    expect(problems(text)).toEqual([
      'rollout.yaml:4:35 target.region: variable REGION is not set (set it, or give a default: ${REGION:-…})',
    ]);
  });

  test('without quotes inside braces are explained in one line', () => {
    const said = problems(SMALLEST.replace('eu-central-1', '${REGION}'));
    expect(said).toEqual([expect.stringMatching(/^rollout\.yaml:4:\d+ .* \(inside \{…\} put a value .* in quotes\)$/)]);
  });

  test('named like built-in object properties are unset', () => {
    expect(line('message: ${constructor}', {})).toThrow('variable constructor is not set');
  });

  test.each(['${a.b}', '${', '${}', '${A'])('are refused when malformed: %s', (written) => {
    expect(line(`message: '${written}'`, { A: 'a' })).toThrow('is not a variable');
  });

  test('are refused in a workflow argument, where the client has filled them in', () => {
    const value = { app: '${APP}', target: { function: 'shop', region: 'eu-central-1' }, release: { version: 7 } };
    expect(() => parseSpecValue(value, { environment: 'production' })).toThrow(
      'app: variable APP cannot be filled in here',
    );
    expect(parseSpecValue(value, { environment: 'production', env: { APP: 'shop' } }).app).toBe('shop');
  });
});

/** Nine aliases of nine aliases of … */
function bomb(): string {
  const lines = ['a0: &a0 [x]'];
  for (let i = 1; i < 9; i += 1)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  return lines.join('\n');
}

function many(count: number): string {
  return Array.from({ length: count }, (_, i) => `{weight: ${i + 2}%}`).join(', ');
}
