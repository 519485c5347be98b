/** Users and groups by name, from the text of /etc/passwd and /etc/group (passwd(5), group(5)). Pure. */

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** `user`, `user:group`, names or numbers. A text says why not: reads after "the user NAME ". */
export function resolveAccount(written: string, files: AccountFiles): Account | string {
  const [user = "", group, ...more] = written.split(":");
  if (user === "" || group === "" || more.length > 0) return "is not written as user or user:group";
  const found = findUser(user, files.passwd);
  if (found === undefined) return "does not exist in /etc/passwd";
  if (group === undefined) return found;
  const gid = findGroup(group, files.group);
  if (gid === undefined) return `cannot be used: there is no group ${group} in /etc/group`;
  return { ...found, gid };
}

function findUser(user: string, passwd: string): Account | undefined {
  for (const [name = "", , uid = "", gid = "", , home = ""] of fields(passwd)) {
    if ((name === user || uid === user) && isNumber(uid) && isNumber(gid)) {
      return { name, uid: Number(uid), gid: Number(gid), home: home === "" ? "/" : home };
    }
  }
  return undefined;
}

function findGroup(group: string, text: string): number | undefined {
  for (const [name, , gid = ""] of fields(text)) {
    if ((name === group || gid === group) && isNumber(gid)) return Number(gid);
  }
  return undefined;
}

/** The name of a number, for people. */
export function userName(uid: number, passwd: string): string {
  return fields(passwd).find(([, , number]) => number === String(uid))?.[0] ?? `user ${uid}`;
}

function fields(text: string): string[][] {
  return text.split("\n").map((line) => line.split(":"));
}

function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text);
}
