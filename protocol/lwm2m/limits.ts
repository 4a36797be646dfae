/** The most values that one payload may hold: more than any device sends, and little enough to hold in memory. */
export const MAX_RECORDS = 10_000;

/** How deep a payload may nest where its format allows nesting; only what is skipped nests at all. */
export const MAX_DEPTH = 16;

/** The longest name of a SenML record, base name included; a path has at most 24 characters. */
export const MAX_NAME_LENGTH = 64;
