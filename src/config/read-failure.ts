/** Why a file could not be read or written, in words. */
export function whyNot(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
      return "no such file or directory (ENOENT)";
    case "EACCES":
    case "EPERM":
      return `no permission (${code})`;
    case "EISDIR":
      return "it is a directory (EISDIR): name a file";
    case "ENOTDIR":
      return "a part of the path is no directory (ENOTDIR)";
    case "ELOOP":
      return "its symbolic links go round in a circle (ELOOP)";
    case "ENOSPC":
      return "the file system is full (ENOSPC)";
    case "EROFS":
      return "the file system is read-only (EROFS)";
    default:
      return code !== "" ? code : error instanceof Error ? error.message : String(error);
  }
}
