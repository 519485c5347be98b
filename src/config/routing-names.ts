/** Names of routing tables and protocols, as iproute2's files have them: `NUMBER NAME` in each line. Pure. */
import { expected } from "./kinds.ts";
import { nearest } from "./suggest.ts";

export type Names = ReadonlyMap<string, number>;

export interface RoutingNames {
  readonly tables: Names;
  readonly protocols: Names;
}

export const scopeNames: Names = new Map([
  ["global", 0],
  ["universe", 0],
  ["site", 200],
  ["link", 253],
  ["host", 254],
  ["nowhere", 255],
]);

/** What every host knows, files or not. */
const builtIn: RoutingNames = {
  tables: new Map([
    ["default", 253],
    ["main", 254],
    ["local", 255],
  ]),
  protocols: new Map([
    ["boot", 3],
    ["static", 4],
  ]),
};

/** One file; later lines win, as iproute2 has it. What it does not understand it passes over. */
export function parseNames(text: string, known: Names): Names {
  const names = new Map(known);
  for (const line of text.split("\n")) {
    const [, number = "", name = ""] = /^\s*(0[xX][0-9a-fA-F]+|\d+)\s+([^\s#]+)/.exec(line) ?? [];
    if (name !== "" && Number(number) <= 0xffffffff) names.set(name, Number(number));
  }
  return names;
}

/** Directories in which the files are looked for, the first that has one wins; iproute2 keeps its own below /usr. */
const directories = ["/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"];

/** `read` gives undefined for a file that is not there, `list` the names in a directory. */
export function readRoutingNames(
  read: (path: string) => string | undefined,
  list: (path: string) => readonly string[],
): RoutingNames {
  const all = (file: string, known: Names): Names => {
    const main = directories.map((directory) => read(`${directory}/${file}`)).find((text) => text !== undefined);
    let names = parseNames(main ?? "", known);
    for (const directory of directories.toReversed()) {
      const parts = list(`${directory}/${file}.d`).filter((name) => name.endsWith(".conf") && !name.startsWith("."));
      for (const part of parts.toSorted()) names = parseNames(read(`${directory}/${file}.d/${part}`) ?? "", names);
    }
    return names;
  };
  return { tables: all("rt_tables", builtIn.tables), protocols: all("rt_protos", builtIn.protocols) };
}

/** The number, or a complaint about the name. */
export function lookUp(what: string, name: string, names: Names, most: number): number | string {
  const number = names.get(name);
  if (number !== undefined && number <= most) return number;
  const near = nearest(name, names.keys());
  const advice = near === undefined ? `known are ${[...names.keys()].slice(0, 8).join(", ")}` : `did you mean ${near}?`;
  return expected(`a ${what} that is known here, or its number`, name, advice);
}
