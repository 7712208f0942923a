// The widget's style sheet, constructed by script so that the site's Content-Security-Policy need not allow it.

const STYLE = `
:host { all: initial; display: block; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.frame {
  --accent: #24695a; --accent-ink: #fff; --paper: #f7f5f1; --surface: #fff; --ink: #1f2328; --muted: #5c626b; --line: #d9d4ca; --edge: #8d8a83; --bad: #a8322a;
  position: fixed; z-index: 2147483000; bottom: calc(20px + env(safe-area-inset-bottom)); right: 20px;
  font: 400 15px/1.45 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); text-align: start;
}
.frame.left { right: auto; left: 20px; }
@media (prefers-color-scheme: dark) {
  .frame { --paper: #131518; --surface: #1d2025; --ink: #e7e8ea; --muted: #a0a6b0; --line: #33373f; --edge: #747b87; --bad: #f3958b; }
}
button, input, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus { outline: none; }
:focus-visible { outline: 2px solid #2b6fd6; outline-offset: 2px; }
svg { width: 24px; height: 24px; display: block; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.opener {
  display: flex; align-items: center; gap: 10px; min-height: 54px; padding: 0 22px 0 18px; border: 0; border-radius: 27px;
  background: var(--accent); color: var(--accent-ink); font-weight: 600; box-shadow: 0 4px 18px rgb(0 0 0 / 22%);
}
.badge { min-width: 22px; padding: 0 6px; border-radius: 11px; background: var(--accent-ink); color: var(--accent); font-size: 13px; line-height: 22px; text-align: center; }
.panel {
  display: flex; flex-direction: column; width: min(370px, calc(100vw - 24px)); height: min(560px, calc(100dvh - 40px));
  border: 1px solid var(--line); border-radius: 18px; overflow: hidden; background: var(--paper); box-shadow: 0 10px 40px rgb(0 0 0 / 25%);
}
header { display: flex; align-items: center; gap: 8px; padding: 10px 8px 10px 18px; background: var(--accent); color: var(--accent-ink); }
h2 { flex: 1; margin: 0; font-size: 16px; font-weight: 650; overflow-wrap: anywhere; }
.close { display: grid; place-items: center; width: 42px; height: 42px; border: 0; border-radius: 10px; background: transparent; color: inherit; }
.close:focus-visible { outline-color: currentColor; outline-offset: -3px; }
.note { margin: 0; padding: 8px 18px; background: var(--surface); border-bottom: 1px solid var(--line); color: var(--muted); font-size: 13px; }
.scroll { flex: 1; min-height: 0; overflow-y: auto; padding: 16px 14px 8px; display: flex; flex-direction: column; overscroll-behavior: contain; }
.greeting { margin: 0 0 12px; padding: 10px 14px; border-radius: 15px 15px 15px 5px; border: 1px solid var(--line); background: var(--surface); max-width: 85%; overflow-wrap: anywhere; }
ol { margin: auto 0 0; padding: 0; list-style: none; display: flex; flex-direction: column; gap: 4px; }
li { max-width: 85%; align-self: flex-start; overflow-wrap: anywhere; }
li.notice { align-self: center; text-align: center; }
li.mine { align-self: flex-end; text-align: end; }
.bubble { display: inline-block; max-width: 100%; padding: 8px 13px; border-radius: 15px 15px 15px 5px; border: 1px solid var(--line); background: var(--surface); white-space: pre-wrap; text-align: start; }
.mine .bubble { border-radius: 15px 15px 5px 15px; border-color: var(--accent); background: var(--accent); color: var(--accent-ink); }
.pending .bubble { background: transparent; color: var(--ink); border-style: dashed; }
.failed .bubble { background: transparent; color: var(--ink); border-color: var(--bad); }
.bubble a { color: inherit; text-underline-offset: 2px; }
.meta { padding: 2px 4px 6px; color: var(--muted); font-size: 12px; }
.failed .meta { color: var(--bad); }
.link { min-height: 24px; padding: 2px 6px; border: 0; background: none; color: inherit; text-decoration: underline; }
.typing { min-height: 22px; padding: 0 18px; color: var(--muted); font-size: 13px; }
form { display: grid; gap: 10px; padding: 12px 14px 14px; border-top: 1px solid var(--line); background: var(--surface); }
.hello { border-top: 0; background: transparent; padding: 0; }
.field { display: grid; gap: 4px; font-size: 14px; }
input, textarea { width: 100%; padding: 9px 12px; border: 1px solid var(--edge); border-radius: 11px; background: var(--surface); font-size: 16px; resize: none; }
input:focus-visible, textarea:focus-visible { outline-offset: -1px; }
[aria-invalid="true"] { border-color: var(--bad); }
.error { margin: 0; color: var(--bad); font-size: 14px; }
.go { min-height: 44px; border: 0; border-radius: 11px; background: var(--accent); color: var(--accent-ink); font-weight: 600; }
.write { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 8px; }
.write .error { flex: 100%; }
.write textarea { flex: 1; min-width: 0; min-height: 44px; max-height: 142px; overflow-y: auto; border-radius: 22px; padding: 10px 16px; line-height: 22px; }
.send { flex: none; display: grid; place-items: center; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%; background: var(--accent); color: var(--accent-ink); }
.sr-only { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 480px) {
  .frame.open { inset: 0; }
  .frame.open .panel { width: 100%; height: 100%; border: 0; border-radius: 0; }
  .opener .words { display: none; }
  .opener { padding: 0 15px; }
}
`;

export function styleSheet() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  return sheet;
}
