import path from 'node:path';
import { Player } from './play.js';
import { lanesOf } from './scenarios.js';
import { startWorld } from './world.js';

const folder = path.resolve('.sluice', 'leaks', String(process.pid));
const t0 = Date.now();
const world = await startWorld(folder);
console.log('world', Date.now() - t0);
const only = process.env.ONLY;
try {
  const player = new Player(world, async () => undefined);
  await player.play(lanesOf(process.argv.includes('--all')).filter((l) => !only || l.app.match(only)));
  for (const p of player.played) console.log(p.scenario.padEnd(40), p.seconds.toFixed(1), p.fault ?? '');
  if (process.env.TIMES)
    for (const p of player.played) {
      console.log(p.scenario);
      const { events } = await world.client.workflow.getHandle(p.app + '/production', p.run).fetchHistory();
      let first: number | undefined;
      for (const e of events ?? []) {
        const at = Number(e.eventTime?.seconds) * 1000 + (e.eventTime?.nanos ?? 0) / 1e6;
        first ??= at;
        const a = e.activityTaskScheduledEventAttributes;
        if (
          a ||
          e.activityTaskCompletedEventAttributes ||
          e.timerFiredEventAttributes ||
          e.activityTaskStartedEventAttributes
        )
          console.log(
            '   ',
            ((at - first) / 1000).toFixed(2),
            a
              ? a.activityType?.name
              : e.activityTaskStartedEventAttributes
                ? 'started' + e.activityTaskStartedEventAttributes.scheduledEventId
                : e.timerFiredEventAttributes
                  ? 'timer'
                  : 'done ' + e.activityTaskCompletedEventAttributes?.scheduledEventId,
            String(e.eventId),
          );
      }
    }
  console.log('calls', world.calls.length);
} finally {
  console.log('total', Date.now() - t0);
  await world.stop();
}
