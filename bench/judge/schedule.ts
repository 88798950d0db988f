/** Runs beside each other, as many as the machine is said to carry. */

export interface Job<T> {
  /** Requests a second. */
  load: number;
  run(): Promise<T>;
}

/** All results, in the order in which they came. A job starts when the load at one time stays within `most`, or when nothing else runs. Fails with the first failure. */
export async function inParallel<T>(jobs: readonly Job<T>[], most: number, done: (result: T) => void): Promise<void> {
  const waiting = [...jobs];
  const running = new Set<Promise<void>>();
  let load = 0;
  const start = (job: Job<T>) => {
    load += job.load;
    const mine = job.run().then((result) => {
      load -= job.load;
      running.delete(mine);
      done(result);
    });
    running.add(mine);
  };
  while (waiting.length > 0 || running.size > 0) {
    for (;;) {
      const at = waiting.findIndex((job) => load + job.load <= most || running.size === 0);
      const [job] = at === -1 ? [] : waiting.splice(at, 1);
      if (job === undefined) break;
      start(job);
    }
    await Promise.race(running);
  }
}
