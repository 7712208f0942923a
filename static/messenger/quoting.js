// Quoting a part of a message: what is selected in it, as lines of a quotation.

/** What is selected within a message, without the words for screen readers. @param {Element | null} row */
export function selectedIn(row) {
  const selection = getSelection();
  const bubble = row?.querySelector('.bubble');
  if (!selection || selection.isCollapsed || !bubble?.contains(selection.getRangeAt(0).commonAncestorContainer)) return '';
  const spoken = bubble.querySelector('.sr-only')?.textContent?.trim() ?? '';
  const text = selection.toString().trim();
  return (spoken !== '' && text.startsWith(spoken) ? text.slice(spoken.length) : text).trim();
}

/** A text as Markdown quotes it. @param {string} text */
export const quoted = (text) => text.replace(/^/gmu, '> ');
