import path from 'node:path';
import { CliGatherer } from './gather-cli.js';
import { gatherFiles } from './gather-files.js';
import { bearersIn, gatherRequests } from './gather-requests.js';
import { TemporalGatherer } from './gather-temporal.js';
import { Gathered, PLACES } from './gathered.js';
import { tokenMarks } from './marks.js';
import { Player } from './play.js';
import { specOf } from './release.js';
import { lanesOf } from './scenarios.js';
import { Finder } from './search.js';
import { startWorld } from './world.js';

const folder = path.resolve('.sluice', 'leaks', String(process.pid));
const t0 = Date.now();
const t = (what: string) => console.log(what, ((Date.now() - t0) / 1000).toFixed(1));
const world = await startWorld(folder);
t('world');
const only = process.env.ONLY;
try {
  const to = new Gathered();
  const cli = new CliGatherer(world, to);
  const temporal = await TemporalGatherer.start(world.temporal.address, to);
  const player = new Player(world, (app) => cli.waiting(app));
  const lanes = lanesOf(process.argv.includes('--all')).filter((l) => !only || l.app.match(only));
  await player.play(lanes);
  t('played');
  for (const { app } of lanes) await cli.target(app);
  for (const one of player.played) if (one.run) await cli.report(one);
  await cli.all();
  for (const { app, platform } of lanes)
    if (app.includes('direct'))
      await cli.plan(
        specOf({
          app,
          platform,
          strategy: 'canary',
          bad: false,
          number: 999,
          releases: world.releases,
          receiver: world.receiver.url,
          subscription: world.azure.subscription,
        }),
      );
  t('cli');
  await temporal.whole();
  await temporal.close();
  t('temporal');
  gatherFiles(world, to);
  const arrived = gatherRequests(world, to);
  t('gathered');
  const marks = [...world.marks.all, ...tokenMarks(bearersIn(world))];
  const found = to.search(new Finder(marks));
  t('searched');
  for (const p of player.played) console.log(p.scenario.padEnd(40), p.seconds.toFixed(1), p.fault ?? '');
  for (const p of PLACES) console.log(p.padEnd(20), JSON.stringify(to.size(p)));
  console.log('arrived', [...arrived, ...found.arrived].join(' '));
  console.log('leaks', found.leaks.length);
  const short = new Map<string, number>();
  for (const l of found.leaks) {
    const k = `${l.place} | ${l.mark} | ${l.form} | ${l.where.replace(/[0-9a-f-]{36}/g, 'RUN').slice(0, 120)}`;
    short.set(k, (short.get(k) ?? 0) + 1);
  }
  for (const [k, n] of [...short].slice(0, 60)) console.log(n, k);
} finally {
  t('total');
  await world.stop();
}
