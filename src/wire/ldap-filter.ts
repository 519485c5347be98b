/** Search filters as they are written (RFC 4515), and as they are sent (RFC 4511 section 4.5.1.7). */
import { encode, encodeText } from "./ber.ts";

const deepest = 20;

/** Bytes, or what is wrong with it. */
export function encodeFilter(text: string): Uint8Array | string {
  const parser = new Parser(text.trim());
  try {
    const filter = parser.filter(0);
    return parser.rest === "" ? filter : `"${parser.rest}" follows its end`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

class Parser {
  rest: string;

  constructor(text: string) {
    this.rest = text;
  }

  filter(depth: number): Uint8Array {
    if (depth > deepest) throw new Error(`more than ${deepest} filters in each other`);
    this.#take("(");
    const filter = this.#inside(depth);
    this.#take(")");
    return filter;
  }

  #inside(depth: number): Uint8Array {
    switch (this.rest[0]) {
      case "&":
        return this.#list(0xa0, depth);
      case "|":
        return this.#list(0xa1, depth);
      case "!":
        this.#take("!");
        return encode(0xa2, this.filter(depth + 1));
      default:
        return this.#item();
    }
  }

  #list(tag: number, depth: number): Uint8Array {
    this.rest = this.rest.slice(1);
    const parts: Uint8Array[] = [];
    while (this.rest.startsWith("(")) parts.push(this.filter(depth + 1));
    return encode(tag, ...parts);
  }

  #item(): Uint8Array {
    const [whole, attribute = "", rule = "", sign = "", value = ""] =
      /^([A-Za-z0-9][A-Za-z0-9.;-]*)?((?::dn)?(?::[A-Za-z0-9][A-Za-z0-9.-]*)?)(=|~=|>=|<=|:=)([^()]*)/.exec(
        this.rest,
      ) ?? [];
    if (whole === undefined) throw new Error(`no attribute and = in ${JSON.stringify(this.rest.slice(0, 30))}`);
    this.rest = this.rest.slice(whole.length);
    if (sign === ":=") return extensible(attribute, rule, value);
    if (attribute === "" || rule !== "") throw new Error(`no attribute in ${JSON.stringify(whole)}`);
    if (sign === "=" && value === "*") return encodeText(attribute, 0x87);
    if (sign === "=" && value.includes("*")) return substrings(attribute, value);
    const tag = { "=": 0xa3, ">=": 0xa5, "<=": 0xa6 }[sign] ?? 0xa8;
    return encode(tag, encodeText(attribute), encode(0x04, unescaped(value)));
  }

  #take(character: string): void {
    if (!this.rest.startsWith(character)) {
      const found = this.rest === "" ? "its end" : JSON.stringify(this.rest.slice(0, 30));
      throw new Error(`expected ${character} at ${found}`);
    }
    this.rest = this.rest.slice(1);
  }
}

function substrings(attribute: string, value: string): Uint8Array {
  const parts = value.split("*");
  const encoded = parts.flatMap((part, i) => {
    if (part === "") return [];
    // The first, the last, and those between.
    return [encode(i === 0 ? 0x80 : i === parts.length - 1 ? 0x82 : 0x81, unescaped(part))];
  });
  if (encoded.length === 0) throw new Error(`nothing but * in ${JSON.stringify(value)}`);
  return encode(0xa4, encodeText(attribute), encode(0x30, ...encoded));
}

/** `attribute:dn:rule:=value`; `rule` holds both, with their colons. */
function extensible(attribute: string, rule: string, value: string): Uint8Array {
  const dn = /^:dn(?=:|$)/i.test(rule);
  const name = rule.slice(dn ? 3 : 0).slice(1);
  if (attribute === "" && name === "") throw new Error("neither an attribute nor a rule before :=");
  return encode(
    0xa9,
    ...(name === "" ? [] : [encodeText(name, 0x81)]),
    ...(attribute === "" ? [] : [encodeText(attribute, 0x82)]),
    encode(0x83, unescaped(value)),
    ...(dn ? [encode(0x84, Uint8Array.of(0xff))] : []),
  );
}

/** `\2a` is a byte. */
function unescaped(value: string): Uint8Array {
  const bytes: number[] = [];
  for (const [part] of value.matchAll(/\\[0-9A-Fa-f]{2}|[^\\]+|\\/g)) {
    if (part === "\\") throw new Error(`\\ without two hexadecimal digits in ${JSON.stringify(value)}`);
    if (part.startsWith("\\")) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...new TextEncoder().encode(part));
  }
  return Uint8Array.from(bytes);
}
