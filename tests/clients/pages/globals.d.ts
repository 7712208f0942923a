// What classic scripts leave on the global object for the modules of the pages.

declare var ParlanceSocket: any;
declare var parlanceTheme: { get(): string; set(theme: string): void };
declare var ParlanceWidget: { open(): void; close(): void; reset(): void; ready: Promise<boolean> };
