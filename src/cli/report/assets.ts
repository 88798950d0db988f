/** The files that a report carries: the chart library, and the page's own script and style. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { SluiceError } from '../../model/errors.js';
import { projectRoot } from '../version.js';
import type { Assets } from './index.js';

/** Errors: SLUICE_SETUP when one is missing. */
export function reportAssets(): Assets {
  const require = createRequire(import.meta.url);
  const own = (name: string) => read(path.join(projectRoot(), 'page', name));
  return {
    styles: [read(require.resolve('uplot/dist/uPlot.min.css')), own('report.css')],
    scripts: [read(require.resolve('uplot/dist/uPlot.iife.min.js')), own('report.js')],
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new SluiceError(
      'SLUICE_SETUP',
      `${file} is missing; this installation is not complete: run \`npm run setup\``,
    );
  }
}
