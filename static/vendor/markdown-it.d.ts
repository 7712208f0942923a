// What the pages use of markdown-it.

export interface Token {
  type: string;
  tag: string;
  nesting: -1 | 0 | 1;
  content: string;
  info: string;
  markup: string;
  level: number;
  hidden: boolean;
  children: Token[] | null;
  attrGet(name: string): string | null;
}

export interface StateInline {
  src: string;
  scanDelims(start: number, canSplitWord: boolean): { can_open: boolean; can_close: boolean; length: number };
}

export default class MarkdownIt {
  constructor(preset: 'default', options: { html: boolean; linkify: boolean; breaks: boolean; maxNesting: number });
  validateLink: (url: string) => boolean;
  linkify: {
    set(options: { fuzzyLink: boolean; fuzzyEmail: boolean; fuzzyIP: boolean }): void;
    add(schema: string, definition: null): void;
  };
  inline: { State: { prototype: StateInline } };
  disable(rules: string[]): void;
  parse(text: string, environment: object): Token[];
}
