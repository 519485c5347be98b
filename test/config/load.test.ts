import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";

/** A file system that is a record of texts. */
function load(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const loaded = loadConfig("/etc/viprd/viprd.yaml", {
    env,
    hostName: "lb1",
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error("missing"), { code: "ENOENT" });
      return text;
    },
    listDirectory: (directory) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1))
        .filter((name) => !name.includes("/")),
  });
  return { ...loaded, messages: loaded.problems.map(formatProblem) };
}

const instance = (name: string, vrid: number, address: string) =>
  `vrrp_instance:\n  ${name}:\n    interface: eth0\n    virtual_router_id: ${vrid}\n    virtual_ipaddress:\n      - ${address}\n`;

test("a dual-stack instance is one instance of two families", () => {
  const { config, messages } = load({
    "/etc/viprd/viprd.yaml": `
global:
  router_id: lb1
vrrp_instance:
  web:
    interface: eth0
    virtual_router_id: 51
    priority: 150
    advert_int: 1s
    virtual_ipaddress:
      - 192.0.2.10/24
      - fe80::51/64
      - 2001:db8::10/64
    preempt_delay: 30s
`,
  });
  expect(messages).toEqual([]);
  expect(config?.global).toEqual({
    routerId: "lb1",
    scriptSecurity: true,
    process: { nice: -20, lockMemory: false },
  });
  expect(config?.instances.map(({ name, families, preemptDelay }) => ({ name, families, preemptDelay }))).toEqual([
    { name: "web", families: [4, 6], preemptDelay: 30_000 },
  ]);
});

test("included files are joined, sorted by name, relative to the file that includes them", () => {
  const { config, files, messages } = load({
    "/etc/viprd/viprd.yaml": "include: conf.d/*.yaml\n",
    "/etc/viprd/conf.d/b.yaml": instance("b", 2, "192.0.2.2"),
    "/etc/viprd/conf.d/a.yaml": instance("a", 1, "192.0.2.1"),
    "/etc/viprd/conf.d/.hidden.yaml": instance("c", 3, "192.0.2.3"),
    "/etc/viprd/conf.d/notes.txt": "not: yaml: at all",
  });
  expect(messages).toEqual([]);
  expect(files).toEqual(["/etc/viprd/viprd.yaml", "/etc/viprd/conf.d/a.yaml", "/etc/viprd/conf.d/b.yaml"]);
  expect(config?.instances.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("an exclamation mark somewhere in the file, as of a tag, makes no other values of the rest", () => {
  const words = [
    "null",
    "~",
    "",
    "true",
    "010",
    "0x1f",
    "0o17",
    "1e2",
    ".5",
    "'5'",
    '"\\x35"',
    "no",
    "-0",
    ".inf",
    "2026-01-01",
  ];
  for (const word of words) {
    const text = `vrrp_instance:\n  web: { priority: ${word} }\n  ${word || "x"}: ${word}\n`;
    const read = (comment: string) => load({ "/etc/viprd/viprd.yaml": `${text}# ${comment}\n` });
    expect(read("!"), word).toEqual(read("?"));
  }
});
