/** What `sluice` says, as text and as JSON, and the files it writes. */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Gathered, PlaceName } from './gathered.js';
import type { Played } from './play.js';
import type { World } from './world.js';

const FORMS = [[], ['-o', 'json']];

export class CliGatherer {
  constructor(
    private readonly world: World,
    private readonly to: Gathered,
  ) {}

  /** While a rollout of the app waits for a person. */
  async waiting(app: string): Promise<void> {
    await this.#say('sluice approvals', app, ['approvals']);
    await this.#say('sluice get', app, ['get', `${app}/production`]);
  }

  /** What a person asks of a target. */
  async target(app: string): Promise<void> {
    const id = `${app}/production`;
    await this.#say('sluice get', id, ['get', id]);
    await this.#say('sluice status', id, ['status', id]);
    await this.#say('sluice history', id, ['history', id]);
    await this.#say('sluice releases', id, ['releases', id]);
    const out = this.#file('ndjson');
    this.to.add('sluice audit', id, await this.world.cli(['audit', id, '--out', out]));
    this.to.add('sluice audit', id, readFileSync(out));
  }

  async all(): Promise<void> {
    await this.#say('sluice list', 'all', ['list', '--all']);
  }

  async plan(spec: object): Promise<void> {
    const file = this.#file('yaml');
    // YAML holds all of JSON.
    writeFileSync(file, JSON.stringify(spec));
    await this.#say('sluice plan', JSON.stringify((spec as { app?: string }).app), ['plan', file]);
  }

  async report({ app, run }: Pick<Played, 'app' | 'run'>): Promise<void> {
    const out = this.#file('html');
    const said = await this.world.cli(['report', `${app}/production`, '--run', run, '--out', out, '--open', 'no']);
    this.to.add('sluice report', `${app}/production ${run}`, said);
    this.to.add('sluice report', `${app}/production ${run}`, readFileSync(out));
  }

  async #say(place: PlaceName, where: string, argv: string[]): Promise<void> {
    for (const form of FORMS) this.to.add(place, where, await this.world.cli([...argv, ...form]));
  }

  #file(end: string): string {
    // Of its own, whoever else gathers in this world: an audit is never written over another.
    return path.join(this.world.folder, `said-${randomUUID()}.${end}`);
  }
}
