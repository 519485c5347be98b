/**
 * `script_security`: whoever can change a program, or a folder on the way to it, decides what runs as the user that it
 * runs as. So all of them may be writable by root and by that user alone. Symbolic links are followed by hand, because
 * the folder that holds a link is as much on the way as the one that it leads to. Pure: what is there comes in.
 */

export interface FileFacts {
  readonly kind: "directory" | "file" | "link" | "other";
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, sticky bit included. */
  readonly mode: number;
  /** Where a link leads, as written in it. */
  readonly target?: string;
}

/** Facts of a path itself, links not followed, or why it cannot be looked at. */
export type LookAt = (path: string) => FileFacts | string;

export type Inspection =
  /** `path` has no link in it any more. */
  { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string };

const mostLinks = 40;

/** `runAs`: the user that the program runs as, with its group. `path` begins with "/". */
export function inspectProgram(
  path: string,
  runAs: { readonly uid: number; readonly gid: number },
  lookAt: LookAt,
): Inspection {
  const done: string[] = [];
  let ahead = parts(path);
  let links = 0;
  let reached: FileFacts["kind"] = "directory";
  let complaint = whoElseWrites("/", lookAt("/"), runAs);
  while (complaint === undefined) {
    const part = ahead.shift();
    if (part === undefined) {
      const here = join(done);
      return reached === "file" ? { ok: true, path: here } : { ok: false, reason: `${here} is not a file` };
    }
    if (part === "..") {
      done.pop();
      reached = "directory";
      continue;
    }
    const here = join([...done, part]);
    const facts = lookAt(here);
    if (typeof facts === "string") return { ok: false, reason: `${here}: ${facts}` };
    if (facts.kind === "link") {
      if (++links > mostLinks) return { ok: false, reason: `${here}: more than ${mostLinks} symbolic links` };
      const target = facts.target ?? "";
      ahead = [...parts(target), ...ahead];
      if (target.startsWith("/")) done.length = 0;
      continue;
    }
    done.push(part);
    if (ahead.length > 0 && facts.kind !== "directory") return { ok: false, reason: `${here} is not a directory` };
    reached = facts.kind;
    complaint = whoElseWrites(here, facts, runAs);
  }
  return { ok: false, reason: complaint };
}

/** "/srv/x is writable by everyone (mode 0777)" */
function whoElseWrites(
  path: string,
  facts: FileFacts | string,
  runAs: { readonly uid: number; readonly gid: number },
): string | undefined {
  if (typeof facts === "string") return `${path}: ${facts}`;
  const mode = `mode 0${facts.mode.toString(8)}`;
  if (facts.uid !== 0 && facts.uid !== runAs.uid) return `${path} belongs to user ${facts.uid} (${mode})`;
  // A sticky bit does not help: files of one's own can be put there.
  if ((facts.mode & 0o002) !== 0) return `${path} is writable by everyone (${mode})`;
  if ((facts.mode & 0o020) !== 0 && facts.gid !== 0 && (runAs.uid === 0 || facts.gid !== runAs.gid)) {
    return `${path} is writable by group ${facts.gid} (${mode})`;
  }
  return undefined;
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function join(names: readonly string[]): string {
  return `/${names.join("/")}`;
}

/** The interpreter that the first bytes of a file name, and what they pass to it. */
export function interpreterOf(head: Uint8Array): string | undefined {
  const line = new TextDecoder().decode(head).split("\n")[0] ?? "";
  return /^#![ \t]*(\S+)/.exec(line)?.[1];
}
