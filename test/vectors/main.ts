/** `npm run judge:vectors -- FILE`: checks the judge's kernel against a file of expected values; exit 1 on a failure, 2 on a file that is none. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { checkVectors } from './check.js';

const [file, ...rest] = process.argv.slice(2);
if (file === undefined || rest.length > 0) {
  process.stderr.write('usage: npm run judge:vectors -- FILE   (JSON, as test/judge/vectors.json)\n');
  process.exit(2);
}
try {
  // npm starts scripts in the root of the project, whoever calls from wherever.
  const whole = path.resolve(process.env.INIT_CWD ?? process.cwd(), file);
  const report = checkVectors(JSON.parse(readFileSync(whole, 'utf8')), (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = report.failed === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
