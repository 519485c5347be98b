/** Colour for people; plain text for everything else. */
export type Colour = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";
export type Paint = (colour: Colour, text: string) => string;

const codes: Record<Colour, number> = { bold: 1, dim: 2, green: 32, yellow: 33, red: 31, cyan: 36 };

export const plain: Paint = (_colour, text) => text;

/** Colour only on a terminal whose user did not ask for none (no-color.org). */
export function createPaint(stream: { readonly isTTY?: boolean }): Paint {
  const colourless = stream.isTTY !== true || (process.env.NO_COLOR ?? "") !== "" || process.env.TERM === "dumb";
  return colourless ? plain : (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`;
}

/** How wide a text is on the screen: colours take no room. */
export function widthOf(text: string): number {
  return piecesOf(text).filter(({ isColour }) => !isColour).length;
}

/** The characters of a text, and whole what switches a colour. */
export function piecesOf(text: string): readonly { readonly piece: string; readonly isColour: boolean }[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what a colour begins with
  const pieces = text.match(/\u001b\[[\d;]*m|./gsu) ?? [];
  return pieces.map((piece) => ({ piece, isColour: piece.length > 1 && piece.startsWith("\u001b") }));
}

export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}
