/** Of the package; in every incarnation receipt. */
export declare const VERSION = '0.1.0'
