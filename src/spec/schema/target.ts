/** What is rolled out, and to where: the platforms say what their targets and their releases are configured by. */
import { z } from 'zod';
import { type Configuration, PLATFORMS, type PlatformName, type Target } from '../../model/target.js';
import { allKits } from '../../platforms/registry.js';
import { SPECS } from '../../platforms/specs.js';
import { strict, text, whole } from './parts.js';

/** The keys that targets of other platforms have and this one has not, each with what to do about it. */
function keysOfOthers(here: PlatformName): Record<string, string> {
  const own = SPECS[here].target;
  const others = PLATFORMS.filter((platform) => platform !== here).flatMap((platform) =>
    Object.keys(SPECS[platform].target)
      .filter((key) => !Object.hasOwn(own, key))
      .map((key): [string, string] => [
        key,
        `is for platform ${platform}, and this target is on ${here} (remove it, or write platform: ${platform})`,
      ]),
  );
  return Object.fromEntries(others);
}

type TargetShape = ReturnType<typeof strict<(typeof SPECS)[PlatformName]['target']>>;

/** The parser fills in the platform before this is asked. What the fields of each are, the type of SPECS has made sure of. */
export const target = z.discriminatedUnion(
  'platform',
  PLATFORMS.map((platform) => strict(SPECS[platform].target, keysOfOthers(platform))) as [
    TargetShape,
    ...TargetShape[],
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? `expected one of ${PLATFORMS.join(', ')}` : undefined) },
) as unknown as z.ZodType<Target>;

const artifact = strict({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
    .describe('SHA-256 of its bytes, in hex.'),
  bytes: z.int().min(1).describe('Its size in bytes.'),
});

const s3 = strict({
  bucket: text().describe("The bucket, in the function's region."),
  key: text(1024).describe('The key of the zip.'),
  version: text(1024).exactOptional().describe('The version of the object, for a versioned bucket.'),
});

/** As any of the platforms names a release; the check refuses the names of another one. */
const VERSION = new RegExp(
  `^(?:${allKits()
    .map(([, kit]) => kit.version.form)
    .join('|')})$`,
);
const WRITE = allKits().map(([, { title, version }]) => `on ${title} ${version.write}`);

/** A source that is only named. */
const yes = () =>
  z
    .boolean({ error: 'expected true' })
    .refine((value) => value, 'expected true (or remove it)')
    .meta({ const: true });

const SOURCES = {
  folder: text(4096)
    .exactOptional()
    .describe(
      'A folder with the code, relative to this file. It is packed byte-identically, without what its `.sluiceignore` names.',
    ),
  zip: text(4096).exactOptional().describe('A zip with the code, relative to this file.'),
  s3: s3.exactOptional().describe('A zip in S3.'),
  image: z
    .string()
    .regex(
      /^\S+@sha256:[0-9a-f]{64}$/,
      'expected an image by digest: <registry>/<name>@sha256:… (a tag can be moved to another image)',
    )
    .exactOptional()
    .describe('A container image by digest.'),
  version: z
    .union([whole(1, Number.MAX_SAFE_INTEGER), z.string().regex(VERSION, `expected ${WRITE.join(', ')}`)])
    .exactOptional()
    .describe('An existing release: a published version, or on App Service a release id.'),
  latest: yes()
    .exactOptional()
    .describe('The code that SAM, CDK, Terraform or another tool has put into `$LATEST`, published unchanged. Lambda.'),
  current: yes()
    .exactOptional()
    .describe('The code that is live now, with the `configuration` of this spec: a release of settings only.'),
  artifact: artifact
    .exactOptional()
    .describe('A packed artifact, by its digest: what `sluice pack` prints for a `folder` or `zip`.'),
};

/** Exactly one member, as the check says; the parser reports it in these words. */
export const release = strict(SOURCES)
  .superRefine((value, ctx) => {
    const given = Object.keys(value);
    if (given.length === 1) return;
    ctx.addIssue(
      `a release has exactly one of ${Object.keys(SOURCES).join(', ')}${given.length > 1 ? ` (here: ${given.join(' and ')})` : ''}`,
    );
  })
  .meta({ minProperties: 1, maxProperties: 1 });

/** The fields of all platforms; the check refuses those of another one. */
export const configuration = strict(
  Object.fromEntries(PLATFORMS.flatMap((platform) => Object.entries(SPECS[platform].configuration))),
) as unknown as z.ZodType<Configuration>;
