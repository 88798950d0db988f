/**
 * Runs that only answer a question or mark something as used. They share one workflow type, so that one filter hides them
 * from a list.
 */

/** Their workflow type. Its first argument says what the run is for. */
export const HELPER = 'helper';

export const HELPS = ['planOnly', 'sweepAccount', 'lookCallers', 'workerIdentity', 'usedSignature'] as const;
/** What a helper is for. */
export type Help = (typeof HELPS)[number];

/** For a list of workflows: everything but the helpers. */
const WITHOUT_HELPERS = `WorkflowType != "${HELPER}"`;

/** The page of Temporal's UI that lists the workflows of a namespace without the helpers. */
export function listPage(ui: string, namespace: string): string {
  return `${ui.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows?query=${encodeURIComponent(WITHOUT_HELPERS)}`;
}
