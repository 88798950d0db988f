/** Commands and addresses as messages show them. Pure. */
import { clean } from '../../../model/text.js';
import type { Session } from './client.js';

/** A command of the AWS CLI for Lambda, in the target's region. */
export function aws({ target: { region } }: Session, verb: string, options: string): string {
  return `aws lambda ${verb} --region ${region} ${options}`;
}

/** `function:alias` of the target. */
export function address({ target: { function: fn, alias } }: Session): string {
  return `${fn}:${alias}`;
}

/** How the users of a URL of the bare name get to one of the alias: a URL itself cannot be moved. */
export function urlCommands(session: Session, authType: string): string {
  const { function: fn, alias } = session.target;
  return `A URL cannot be moved: make one of the alias, \`${aws(session, 'create-function-url-config', `--function-name ${fn} --qualifier ${alias} --auth-type ${authType}`)}\`, send its users there, then \`${aws(session, 'delete-function-url-config', `--function-name ${fn}`)}\``;
}

/** A foreign text as one word of a shell command. */
export function word(text: string): string {
  const shown = clean(text, 300);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
