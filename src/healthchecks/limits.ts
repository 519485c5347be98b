/** What the configuration and the checks have to agree on. */

/** Of an answer to the steps of a TCP check so many bytes are looked at. */
export const longestAnswer = 64 * 1024;
