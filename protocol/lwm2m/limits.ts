/** The most values that one payload may hold: more than any device sends, and little enough to hold in memory. */
export const MAX_RECORDS = 10_000;

/** How deep a payload may nest where its format allows nesting; only what is skipped nests at all. */
export const MAX_DEPTH = 16;

/** The longest name or base name of a SenML record: a path of 24 characters at most, and the client's root path. */
export const MAX_NAME_LENGTH = 256;
