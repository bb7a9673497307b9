/** Of the package; in every incarnation receipt. */
export const VERSION = '0.1.0'
