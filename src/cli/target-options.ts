/** The options of a command that name parts of a target: each platform has its own. */
import { allKits } from '../platforms/registry.js';
import { type Option, text } from './inputs.js';

/** By name, of all platforms; those that `adopt` reads from its argument are for `init` alone. */
export function targetOptions(of: 'init' | 'adopt'): Record<string, Option<string | undefined>> {
  const options = allKits().flatMap(([, { commandLine }]) => commandLine.options);
  const taken = options.filter(({ initOnly = false }) => of === 'init' || !initOnly);
  return Object.fromEntries(taken.map(({ name, help }) => [name, text('name', help)]));
}

/** What was given for such an option, whose name no command knows. */
export function givenIn(options: object): (name: string) => string | undefined {
  const given = new Map<string, unknown>(Object.entries(options));
  return (name) => {
    const value = given.get(name);
    return typeof value === 'string' ? value : undefined;
  };
}
