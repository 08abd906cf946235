/** Stands for the editor where a test needs none. */

export {};
