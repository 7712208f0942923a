// Writes static/vendor/emoji.txt: node vendor/pages/emoji.mjs <folder with unicode-emoji-json and emojibase-data>
//
// The list, its order, groups and names are those of Unicode's emoji-test.txt; the words to search by are CLDR's annotations.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const read = (path) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
const groups = read('unicode-emoji-json/data-by-group.json');
const plain = (emoji) => emoji.replace(/\uFE0F/gu, '');
const tags = new Map(read('emojibase-data/en/data.json').map((entry) => [plain(entry.emoji), entry.tags ?? []]));

const lines = [
  '# Emoji 17.0: the fully-qualified sequences of https://unicode.org/Public/emoji/latest/emoji-test.txt with CLDR 48 annotations.',
  '# © 2025 Unicode, Inc., licence Unicode-3.0 (https://www.unicode.org/license.txt). Made by vendor/pages/emoji.mjs.',
  '# A line: the emoji, + where it takes a skin tone, its name, further words.',
];
for (const { name, emojis } of groups) {
  lines.push(`## ${name}`);
  for (const { emoji, skin_tone_support: toned, name: title } of emojis) {
    const known = new Set(title.toLowerCase().split(/[^\p{L}\p{N}+-]+/u));
    const words = (tags.get(plain(emoji)) ?? []).flatMap((tag) => tag.toLowerCase().split(' ')).filter((word) => !known.has(word) && known.add(word));
    lines.push([emoji + (toned ? '+' : ''), title, words.join(' ')].join('\t').trimEnd());
  }
}
writeFileSync(new URL('../../static/vendor/emoji.txt', import.meta.url), `${lines.join('\n')}\n`);
