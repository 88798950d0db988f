/** Names that Sluice gives on AWS Lambda. Pure. */

/** The alias where nobody says: most people call it so. */
export const DEFAULT_ALIAS = 'live';
