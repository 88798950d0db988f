/** What lies on disk after the rollouts: logs, the server's database, artifacts, temporary files. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { home } from '../../emulators/tools.js';
import type { Gathered } from './gathered.js';
import type { World } from './world.js';

/** Where processes of this project keep temporary files. */
const TEMP = path.join(home(), 'tmp');

export function gatherFiles({ kept }: World, to: Gathered): void {
  to.add('worker log', kept.workerLog, readFileSync(kept.workerLog));
  to.add('server log', kept.serverLog, readFileSync(kept.serverLog));
  for (const file of ['', '-wal'].map((end) => `${kept.database}${end}`).filter((one) => existsSync(one)))
    to.add('server database', file, readFileSync(file));
  for (const file of filesIn(kept.store)) to.add('artifact store', file, readFileSync(file));
  const workers = existsSync(TEMP) ? readdirSync(TEMP).filter((name) => name.startsWith('worker-')) : [];
  for (const file of workers.flatMap((name) => filesIn(path.join(TEMP, name)))) {
    try {
      to.add('temporary files', file, readFileSync(file));
    } catch {
      // Somebody else's worker has ended meanwhile.
    }
  }
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}
