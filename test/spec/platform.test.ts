import { jsonSchema, parseSpecText } from '../../src/spec/index.js';
import { again, problems } from './problems.js';

const SUBSCRIPTION = '01234567-89ab-cdef-0123-456789abcdef';
const PLACE = `platform: app-service, site: shop, resourceGroup: rg, region: westeurope, account: ${SUBSCRIPTION}`;
const SITE = `
app: shop
environment: production
target: {${PLACE}, slot: staging}
release: {folder: ./dist}
`;
const WITHOUT_SLOT = SITE.replace(', slot: staging', '');
const LAMBDA = `
app: shop
environment: production
target: {function: shop, region: eu-central-1}
release: {version: 7}
`;

/** The text with `line` in place of the line with the same key, or at the end. */
function withLine(text: string, line: string): string {
  const key = line.slice(0, line.indexOf(':'));
  return `${text.replace(new RegExp(`^${key}:.*\\n`, 'm'), '')}${line}\n`;
}

describe('a release of existing code', () => {
  const of = (base: string, release: string, ...lines: string[]) =>
    lines.reduce(withLine, withLine(base, `release: ${release}`));

  test.each([
    ['{latest: true}', LAMBDA, []],
    ['{latest: true}', LAMBDA, ['configuration: {provisionedConcurrency: 5}']],
    ['{current: true}', LAMBDA, ['configuration: {memory: 512}']],
    ['{current: true}', SITE, ['configuration: {environment: {LEVEL: debug}}']],
  ])('%s is read, and read again', (release, base, lines) => {
    const spec = parseSpecText(of(base, release, ...lines));
    expect(spec.release).toEqual({ [/\w+/.exec(release)?.[0] ?? '']: true });
    expect(again(spec)).toEqual(spec);
  });

  test.each([
    ['{latest: false}', LAMBDA, [], 'expected true'],
    ['{latest: true, version: 7}', LAMBDA, [], 'a release has exactly one of'],
    ['{latest: true}', LAMBDA, ['configuration: {memory: 512}'], 'cannot be used with release.latest'],
    ['{latest: true}', LAMBDA, ['configuration: {description: x}'], 'cannot be used with release.latest'],
    ['{latest: true}', SITE, [], 'release.latest: is not available on App Service, the platform of this target'],
    ['{current: true}', LAMBDA, [], 'configuration changes nothing of it'],
    ['{current: true}', LAMBDA, ['configuration: {provisionedConcurrency: 5}'], 'configuration changes nothing of it'],
    ['{current: true}', SITE, ['configuration: {marker: /release}'], 'write them in configuration.environment'],
  ])('%s is refused if it could not be released: %#', (release, base, lines, why) => {
    expect(problems(of(base, release, ...lines))).toEqual([expect.stringContaining(why)]);
  });
});

describe('a target on App Service', () => {
  test('gets the defaults of its platform', () => {
    const spec = parseSpecText(SITE);
    expect(spec.target).toEqual({
      platform: 'app-service',
      site: 'shop',
      resourceGroup: 'rg',
      slot: 'staging',
      region: 'westeurope',
      account: SUBSCRIPTION,
    });
    expect(spec.configuration).toEqual({ warmUp: { path: '/', statuses: [200] }, idle: 'keep' });
    expect(spec.health.metrics).toEqual([
      { name: 'requests', kind: 'azureMonitor', every: 5_000, delay: 180_000, dryRun: false },
    ]);
    expect(spec.health.probes.map(({ kind }) => kind)).toEqual(['invoke']);
    expect(spec.strategy.type).toBe('canary');
    const [minute, half] = [60_000, 30 * 60_000];
    expect(spec.deadlines).toMatchObject({ deploy: half, shift: 15 * minute, stuckAfter: 15 * minute });
    expect(spec.health.judge.probeBack).toBe(false);
  });

  test('keeps explicit values instead', () => {
    const spec = parseSpecText(`${SITE}deadlines: {stuckAfter: 1m}\nhealth: {judge: {probeBack: true}}\n`);
    expect(spec.deadlines).toMatchObject({ deploy: 30 * 60_000, stuckAfter: 60_000 });
    expect(spec.health.judge.probeBack).toBe(true);
    expect(again(spec)).toEqual(spec);
  });

  test.each([
    ['with a slot', SITE],
    ['without a slot', `${WITHOUT_SLOT}strategy: {type: direct}\n`],
    [
      'with every value set',
      `${SITE}configuration: {environment: {A: b}, description: d, marker: /release, warmUp: {path: /health, statuses: [200, 204]}, idle: stop}\n`,
    ],
    ['with a query that names the slot', withLine(SITE, query('{site}', '{slot}'))],
  ])('is the same when parsed twice: %s', (_, text) => {
    const spec = parseSpecText(text);
    expect(again(spec)).toEqual(spec);
  });

  test('has no default probe if nothing runs the candidate before all users have it', () => {
    expect(parseSpecText(`${WITHOUT_SLOT}strategy: {type: direct}\n`).health.probes).toEqual([]);
  });

  test('accepts a release id, and keeps it as text', () => {
    const spec = parseSpecText(withLine(SITE, 'release: {version: r-0123456789ab}'));
    expect(spec.release).toEqual({ version: 'r-0123456789ab' });
    expect(again(spec)).toEqual(spec);
  });

  test('accepts an http probe at the host of each release', () => {
    const [probe] = parseSpecText(`${SITE}health: {probes: [{name: p, http: {url: "https://{host}/health"}}]}\n`).health
      .probes;
    expect(probe?.url).toBe('https://{host}/health');
  });

  test.each([
    [
      'strategy: {type: direct}\nhealth: {judge: {probeBack: true}}',
      'health.judge.probeBack: needs the stable release beside the candidate',
    ],
    ['configuration: {memory: 256}', '6:25 configuration.memory: is not available on App Service'],
    [
      'configuration: {provisionedConcurrency: 1}',
      'configuration.provisionedConcurrency: is not available on App Service',
    ],
    ['configuration: {marker: release}', 'configuration.marker: expected a path such as /health'],
    ['configuration: {warmUp: {statuses: []}}', 'configuration.warmUp.statuses: at least one status'],
    ['configuration: {idle: delete}', 'configuration.idle: expected keep or stop'],
    ['configuration: {environment: {SLUICE_RELEASE: x}}', 'SLUICE_RELEASE: is an app setting that Sluice sets itself'],
    [
      'configuration: {environment: {WEBSITE_SWAP_WARMUP_PING_PATH: /x}}',
      'sets itself (write configuration.warmUp.path)',
    ],
    [
      'release: {s3: {bucket: b, key: k}}',
      'release.s3: is not available on App Service, the platform of this target (give one of folder',
    ],
    [`release: {image: "r/n@sha256:${'0'.repeat(64)}"}`, 'release.image: is not available on App Service'],
    ['release: {version: 7}', 'release.version: is a version of Lambda (on App Service give a release id'],
    ['health: {metrics: [{name: a, cloudwatch: {}}]}', 'health.metrics[0].cloudwatch: is not available on App Service'],
    ['health: {metrics: [{name: a, lambdaLogs: {}}]}', '(use one of azureMonitor, prometheus, http)'],
    ['health: {metrics: [{name: a, azureMonitor: {}, latency: 1s}]}', 'latency is for cloudwatch and lambdaLogs'],
    ['health: {alarms: [{name: a, cloudwatch: b}]}', 'health.alarms[0].cloudwatch: is not available on App Service'],
    [
      'allowBypass: [calls]',
      'allowBypass: is for callers that reach a release past its target, and on App Service all callers go through the site',
    ],
    ['health: {invocation: async}', 'health.invocation: is async, and only requests over HTTP'],
    [query('{function}', 'x'), 'prometheus.requests: {function} means nothing on app-service (write {site} or {slot})'],
    [`target: {${PLACE}, slot: production}`, 'target.slot: expected the name of a slot beside production'],
    [`target: {${PLACE}, function: shop}`, 'function is for platform lambda, and this target is on app-service'],
    [
      `target: {${PLACE.replace(SUBSCRIPTION, SUBSCRIPTION.toUpperCase())}}`,
      "target.account: expected the subscription's id, a GUID in lower case",
    ],
    ['target: {platform: azure}', 'target.platform: expected one of lambda, app-service'],
  ])('refuses %s', (line, said) => {
    expect(problems(withLine(SITE, line)).join('\n')).toContain(said);
  });

  test.each(['canary', 'linear', 'blueGreen'])('without a slot refuses %s', (type) => {
    expect(problems(`${WITHOUT_SLOT}strategy: {type: ${type}}\n`)).toEqual([
      `rollout.yaml:6:18 strategy.type: is ${type}, which needs a slot beside production (name it: target.slot; without one use direct)`,
    ]);
  });

  test.each(['{name: p, invoke: {}}', '{name: p, http: {url: "https://{host}/health"}}'])(
    'without a slot refuses the probe %s',
    (probe) => {
      const text = `${WITHOUT_SLOT}strategy: {type: direct}\nhealth: {probes: [${probe}]}\n`;
      expect(problems(text).join('\n')).toContain(
        'health.probes[0]: probe "p" calls the release before it has traffic',
      );
    },
  );
});

describe('a target on Lambda', () => {
  test('reads a version written as text as a number', () => {
    expect(parseSpecText(withLine(LAMBDA, 'release: {version: "7"}')).release).toEqual({ version: 7 });
  });

  test.each([
    [
      'configuration: {marker: /release}',
      'configuration.marker: is not available on Lambda, the platform of this target',
    ],
    ['configuration: {idle: stop}', 'configuration.idle: is not available on Lambda'],
    ['release: {version: r-0123456789ab}', 'release.version: is a release id of App Service'],
    [
      'release: {version: seven}',
      'release.version: expected on Lambda the number of a published version, on App Service a release id',
    ],
    ['health: {metrics: [{name: a, azureMonitor: {}}]}', 'health.metrics[0].azureMonitor: is not available on Lambda'],
    ['health: {probes: [{name: p, http: {url: "https://{host}/"}}]}', 'a version on Lambda has no host'],
    [query('{site}', 'x'), '{site} means nothing on lambda (write {function} or {alias})'],
    ['target: {function: shop, region: eu-central-1, slot: x}', 'slot is for platform app-service'],
  ])('refuses %s', (line, said) => {
    expect(problems(withLine(LAMBDA, line)).join('\n')).toContain(said);
  });
});

test('an override in the JSON Schema may match several forms, and each accepts what they share', () => {
  const { $defs } = jsonSchema() as { $defs: { overrides: { properties: { target: object } } } };
  expect($defs.overrides.properties.target).toHaveProperty('anyOf');
  expect(JSON.stringify($defs)).not.toContain('"oneOf"');
});

function query(place: string, other: string): string {
  const of = (name: string) => `'${name}{at="${place}", by="${other}", release="{release}"}'`;
  return `health: {metrics: [{name: a, prometheus: {url: "http://p", requests: ${of('r')}, errors: ${of('e')}}}]}`;
}

describe('variable names and sizes', () => {
  const onLambda = (line: string) => problems(withLine(LAMBDA, line));
  const onSite = (line: string) => problems(withLine(SITE, line));

  test.each([
    ['AWS_REGION', 'is a variable that Lambda sets itself (remove it)'],
    ['LAMBDA_TASK_ROOT', 'is a variable that Lambda sets itself (remove it)'],
    ['_HANDLER', 'is a variable that Lambda sets itself (remove it)'],
    ['A', 'is too short: Lambda requires at least two characters'],
    ['spring.profile', 'is not a valid variable name on Lambda: letters, digits and "_" only, a letter first'],
    ['1ST', 'is not a valid variable name on Lambda: letters, digits and "_" only, a letter first'],
  ])('%s is refused on Lambda', (name, why) => {
    const found = onLambda(`configuration: {environment: {"${name}": x, GOOD: y}}`);
    expect(found).toEqual([expect.stringContaining(`configuration.environment`)]);
    expect(found[0]).toContain(why);
  });

  test.each(['TZ', 'AWS_LAMBDA_EXEC_WRAPPER', 'PATH', 'aB'])('%s is allowed on Lambda', (name) => {
    expect(onLambda(`configuration: {environment: {"${name}": x}}`)).toEqual([]);
  });

  test("all of them together have 4 KB on Lambda, measured as Lambda's JSON", () => {
    const sized = (bytes: number) => onLambda(`configuration: {environment: {HTML: "${'x'.repeat(bytes)}"}}`);
    const around = JSON.stringify({ HTML: '' }).length;
    expect(sized(4096 - around)).toEqual([]);
    expect(sized(4097 - around)).toEqual([
      expect.stringContaining('configuration.environment: has 4097 bytes as JSON, and Lambda takes 4096'),
    ]);
    const two = `configuration: {environment: {ONE: "${'ä'.repeat(1_100)}", TWO: "${'ö'.repeat(1_100)}"}}`;
    expect(onLambda(two)).toEqual([expect.stringContaining('for all variables together')]);
  });

  test.each(['spring.profiles.active', 'Logging:LogLevel:Default', 'A', '1', 'my-name', 'AWS_REGION'])(
    '%s is allowed on App Service',
    (name) => expect(onSite(`configuration: {environment: {"${name}": x}}`)).toEqual([]),
  );

  test.each([
    ['SLUICE_SETTINGS', 'is an app setting that Sluice sets itself (remove it)'],
    ['sluice_release', 'is an app setting that Sluice sets itself (remove it)'],
    ['WEBSITE_SWAP_WARMUP_PING_PATH', 'is an app setting that Sluice sets itself (write configuration.warmUp.path)'],
    ['with space', 'is not a valid app setting name'],
    ['', 'is not a valid app setting name'],
    ['good', 'differs from GOOD only in case'],
  ])('"%s" is refused on App Service', (name, why) => {
    const found = onSite(`configuration: {environment: {GOOD: y, "${name}": x}}`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(why);
  });
});

describe('regions and partitions', () => {
  const at = (region: string, more = '') =>
    problems(`${withLine(LAMBDA, `target: {function: shop, region: ${region}}`)}${more}`);
  const role = (partition: string) => `configuration: {role: "arn:${partition}:iam::123456789012:role/shop"}\n`;
  const layer = (partition: string, region: string) =>
    `configuration: {layers: ["arn:${partition}:lambda:${region}:123456789012:layer:tools:3"]}\n`;

  test.each(['eusc-de-east-1', 'us-gov-west-1', 'cn-north-1', 'us-isob-east-1', 'mx-central-1', 'xx-new-7'])(
    '%s is a region',
    (region) => expect(at(region)).toEqual([]),
  );

  test.each(['westeurope', 'eu-central', 'eu-central-1a', 'EU-CENTRAL-1', '"1"'])('%s is not a region', (region) => {
    expect(at(region)).toEqual([expect.stringContaining('target.region: expected a region such as eu-central-1')]);
  });

  test.each([
    ['eusc-de-east-1', 'aws-eusc'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['cn-north-1', 'aws-cn'],
    ['eu-central-1', 'aws'],
  ])('in %s a role and a layer have the partition %s', (region, partition) => {
    expect(at(region, role(partition))).toEqual([]);
    expect(at(region, layer(partition, region))).toEqual([]);
    const other = partition === 'aws' ? 'aws-cn' : 'aws';
    const said = `is in the partition ${other}, and ${region} is in ${partition} (write arn:${partition}:…)`;
    expect(at(region, role(other))).toEqual([expect.stringContaining(`configuration.role: ${said}`)]);
    expect(at(region, layer(other, region))).toEqual([expect.stringContaining(`configuration.layers[0]: ${said}`)]);
  });

  test("a layer in another region is refused, and so is the worker's role in another partition", () => {
    expect(at('eu-central-1', layer('aws', 'eu-west-1'))).toEqual([
      expect.stringContaining('configuration.layers[0]: is a layer of eu-west-1, and the function is in eu-central-1'),
    ]);
    const target = 'target: {function: shop, region: eusc-de-east-1, roleArn: "arn:aws:iam::123456789012:role/x"}';
    expect(problems(withLine(LAMBDA, target))).toEqual([
      expect.stringContaining('target.roleArn: is in the partition aws, and eusc-de-east-1 is in aws-eusc'),
    ]);
  });
});
