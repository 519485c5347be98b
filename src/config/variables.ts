/** Environment variables inside values: `${NAME}`, `${NAME:-default}`, and `$$` for a dollar sign. */

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Filled {
  readonly text: string;
  /** What could not be filled in, in sentences. */
  readonly complaints: readonly string[];
}

export function fillVariables(text: string, environment: Environment): Filled {
  if (!text.includes("$")) return { text, complaints: [] };
  const complaints: string[] = [];
  const filled = text.replace(
    /\$\$|\$\{([^}]*)(\})?/g,
    (whole, inside: string | undefined, end: string | undefined) => {
      if (inside === undefined) return "$";
      if (end === undefined) {
        complaints.push(`"\${" without its "}": write "$\${" for the two characters themselves`);
        return whole;
      }
      const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside);
      if (match === null) {
        complaints.push(`expected \${NAME} or \${NAME:-default}: write "$\${" for the two characters themselves`);
        return whole;
      }
      const [, name = "", fallback] = match;
      const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
      // As in a shell, ":-" also stands in for an empty value.
      if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
      if (value === undefined) {
        complaints.push(`environment variable ${name} is not set: set it, or write \${${name}:-default}`);
        return whole;
      }
      return value;
    },
  );
  return { text: filled, complaints };
}

/** The text that is filled in to be `text`. */
export function withoutVariables(text: string): string {
  return text.replace(/\$(?=[${])/g, () => "$$");
}

/** The value of an unquoted scalar under the YAML 1.2 core schema. */
export function resolvePlain(text: string): string | number | boolean | null {
  // What is no text begins with one of these; most of a file are words.
  if (/^[^-+.\d~nNtTfF]/.test(text)) return text;
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text);
  if (/^0x[0-9a-fA-F]+$/.test(text) || /^0o[0-7]+$/.test(text)) return Number(text);
  return text;
}
