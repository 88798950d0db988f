/** The site's tags hold our mark: unlike app settings they restart nothing. */
import { randomBytes } from 'node:crypto';
import { parseMark } from '../../../model/ids.js';
import { describe } from '../../shared/description.js';
import { armCall, type Session, siteId } from './client.js';

/** The owner's text and our mark behind it, as in an alias's description. */
export const MARK_TAG = 'sluice';
/** Written by restoring alone, so that a late mark of a dead worker does not hide that there was one. */
export const GENERATION_TAG = 'sluice-generation';

/** "Tags - Update At Scope" of Azure Resource Manager. */
const API = 'api-version=2021-04-01';

/** Leaves a mark at the site, before the write it announces. */
export function announce(session: Session, { text, mark }: { text: string; mark: string }): Promise<void> {
  return merge(session, { [MARK_TAG]: describe(text, mark) });
}

/** Leaves a mark, and makes everything late that was announced before. */
export function spend(session: Session, { text, mark }: { text: string; mark: string }): Promise<void> {
  const generation = `${parseMark(mark)?.run ?? ''}.${randomBytes(6).toString('hex')}`;
  return merge(session, { [MARK_TAG]: describe(text, mark), [GENERATION_TAG]: generation });
}

async function merge(session: Session, tags: Record<string, string>): Promise<void> {
  const url = `${siteId(session)}/providers/Microsoft.Resources/tags/default?${API}`;
  await armCall(session, 'UpdateTags', url, { method: 'PATCH', body: { operation: 'Merge', properties: { tags } } });
}
