// Words of a command line, for whoever copies one from a page: they stay one word each, whatever is in them.

/** One word of a shell. What a terminal would not show as it is, bash is told by its bytes. */
export function quoted(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/[^\x20-\x7e]/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const bytes = [...new TextEncoder().encode(text)];
  const shown = (byte) => (byte > 0x1f && byte < 0x7f && byte !== 0x27 && byte !== 0x5c
    ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`);
  return `$'${bytes.map(shown).join("")}'`;
}

/** JSON in which everything is seen: what is not ASCII is written out. */
export const plain = (json) => json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
