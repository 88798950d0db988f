/** The recipes of docs/recipes.md by the tools' own transforms: what CloudFormation would get. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseSpecText } from '../../src/spec/index.js';
import { ROOT } from '../support/tools.js';

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}
type Resources = Record<string, Resource>;

interface Template {
  Resources: Resources;
}

const page = readFileSync(path.join(ROOT, 'docs/recipes.md'), 'utf8');

/** A block of the page, by its language and a text in it. */
function block(language: string, holds: string): string {
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, of]) => of === language);
  const found = blocks.map(([, , text = '']) => text).filter((text) => text.includes(holds));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

let folder: string;
beforeAll(() => {
  mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'recipes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environmentOf = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this suite with npm run test:services`);
  return value;
};

/** What `sam deploy` gives CloudFormation for each template of a list, after `sam package` has put the code somewhere. */
const TRANSFORM = `
import json, sys, boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse
session = boto3.session.Session(region_name="eu-central-1")
transform = lambda text: Translator({}, Parser(), boto_session=session).translate(yaml_parse(text), {})
with open(sys.argv[2], "w") as out:
    json.dump([transform(text) for text in json.load(open(sys.argv[1]))], out)
`;

function sam(...templates: [string, string]): [Resources, Resources] {
  const [given, made] = [path.join(folder, 'sam.json'), path.join(folder, 'made.json')];
  writeFileSync(given, JSON.stringify(templates));
  const env = { ...process.env, PYTHONPATH: environmentOf('SLUICE_SAM'), AWS_DEFAULT_REGION: 'eu-central-1' };
  execFileSync(environmentOf('SLUICE_PYTHON'), ['-c', TRANSFORM, given, made], { env, stdio: 'ignore' });
  const [one, two] = JSON.parse(readFileSync(made, 'utf8')) as [Template, Template];
  return [one.Resources, two.Resources];
}

/** What `cdk deploy` gives CloudFormation for the stack with two codes and two sizes of memory. */
function cdk(stack: string): [Resources, Resources] {
  const at = mkdtempSync(path.join(folder, 'cdk-'));
  symlinkSync(path.join(environmentOf('SLUICE_CDK'), 'node_modules'), path.join(at, 'node_modules'));
  writeFileSync(path.join(at, 'shop.mjs'), stack);
  writeFileSync(
    path.join(at, 'app.mjs'),
    `import { App } from 'aws-cdk-lib';
import { Shop } from './shop.mjs';
for (const [code, memorySize] of [['one', 128], ['two', 256]]) {
  const app = new App({ analyticsReporting: false, outdir: 'out-' + code });
  new Shop(app, 'shop', { code, memorySize });
  app.synth();
}
`,
  );
  for (const code of ['one', 'two']) {
    mkdirSync(path.join(at, code));
    writeFileSync(path.join(at, code, 'index.js'), `exports.handler = async () => '${code}';\n`);
  }
  execFileSync(process.execPath, ['app.mjs'], { cwd: at, stdio: 'ignore' });
  const made = (code: string) =>
    (JSON.parse(readFileSync(path.join(at, `out-${code}`, 'shop.template.json'), 'utf8')) as Template).Resources;
  return [made('one'), made('two')];
}

const ofType = (resources: Resources, ...types: string[]) =>
  Object.fromEntries(Object.entries(resources).filter(([, { Type }]) => types.includes(Type)));

const KEPT = [
  'AWS::Lambda::Version',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Permission',
];

/** The name of the only resource of a type. */
function only(resources: Resources, type: string): [string, Resource] {
  const found = Object.entries(ofType(resources, type));
  expect(found).toHaveLength(1);
  return found[0] as [string, Resource];
}

test('the rollout.yaml on the page is a valid spec', () => {
  expect(parseSpecText(block('yaml', 'latest: true')).release).toEqual({ latest: true });
});

describe('SAM', () => {
  const template = block('yaml', 'AWS::Serverless-2016-10-31');
  const packaged = (of: string, key: string, memory: number) =>
    of
      .replace('CodeUri: ./dist', `CodeUri: { Bucket: builds, Key: ${key} }`)
      .replace('MemorySize: 128', `MemorySize: ${memory}`);

  test('changes only the function: version, alias and events stay', () => {
    const [one, two] = sam(packaged(template, 'one.zip', 128), packaged(template, 'two.zip', 256));
    const [, before] = only(one, 'AWS::Lambda::Function');
    const [, after] = only(two, 'AWS::Lambda::Function');
    expect([before.Properties.Code, after.Properties.Code]).toMatchObject([{ S3Key: 'one.zip' }, { S3Key: 'two.zip' }]);
    expect([before.Properties.MemorySize, after.Properties.MemorySize]).toEqual([128, 256]);
    expect(ofType(two, ...KEPT)).toEqual(ofType(one, ...KEPT));
    const [alias] = only(one, 'AWS::Lambda::Alias');
    expect(only(one, 'AWS::Lambda::EventSourceMapping')[1].Properties.FunctionName).toEqual({ Ref: alias });
    expect(only(one, 'AWS::Lambda::Permission')[1].Properties.FunctionName).toEqual({ Ref: alias });
    expect(alias).toBe('CheckoutAliaslive');
  });

  test('would publish and move the alias by itself without the constant', () => {
    const other = template.replace(/^ *AutoPublishCodeSha256:.*\n/m, '');
    expect(other).not.toBe(template);
    const [one, two] = sam(packaged(other, 'one.zip', 128), packaged(other, 'two.zip', 256));
    expect(ofType(two, 'AWS::Lambda::Alias')).not.toEqual(ofType(one, 'AWS::Lambda::Alias'));
  });
});

describe('CDK', () => {
  const stack = block('js', 'aws-cdk-lib');

  test('changes only the function: alias and events stay, and no version is published', () => {
    const [one, two] = cdk(stack);
    const [, before] = only(one, 'AWS::Lambda::Function');
    const [, after] = only(two, 'AWS::Lambda::Function');
    expect(after.Properties.Code).not.toEqual(before.Properties.Code);
    expect([before.Properties.MemorySize, after.Properties.MemorySize]).toEqual([128, 256]);
    expect(ofType(two, ...KEPT)).toEqual(ofType(one, ...KEPT));
    expect(ofType(one, 'AWS::Lambda::Version')).toEqual({});
    const [alias] = only(one, 'AWS::Lambda::Alias');
    const mapping = JSON.stringify(only(one, 'AWS::Lambda::EventSourceMapping')[1].Properties.FunctionName);
    expect(mapping).toContain(`{"Ref":"${alias}"}`);
    expect(mapping).toContain(':live');
  });

  test('would move the alias by itself with currentVersion', () => {
    const other = stack.replace(
      "aliasName: 'live', version }",
      "aliasName: 'live', version: checkout.currentVersion }",
    );
    expect(other).not.toBe(stack);
    const [one, two] = cdk(other);
    expect(ofType(two, 'AWS::Lambda::Alias')).not.toEqual(ofType(one, 'AWS::Lambda::Alias'));
  });
});
