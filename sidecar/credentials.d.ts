/** Content of a credential's file as it is now (a rotated Secret replaces it); undefined when there is none. */
export declare const readCredential: (path: string | undefined) => string | undefined
