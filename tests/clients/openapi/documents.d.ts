// What the programs of the documents take for granted: a reader's own values, and what Node has.
declare const token: string;
declare const key: string;
declare const ownerToken: string;
declare function loadWhatIsShown(): void;
declare const process: { argv: string[] };
declare const Buffer: { from(text: string, encoding: 'base64'): { toString(): string } };
