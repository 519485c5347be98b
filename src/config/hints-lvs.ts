/** What to write instead of keepalived's and ldirectord's words around virtual servers and checks. */
import type { Path } from "./problem.ts";

const noMail = "not supported: viprd sends no mail; use notify_down with a script that does";
const check = (type: string) => `unknown key: write check: { type: ${type} }, with its keys in the braces`;
const interval = "unknown key: how often is said by each check: write interval: in the check";
const fall =
  "unknown key: a check is down after fall failures in a row, keepalived's retry and one more: write fall: in the check";
const retryDelay = "unknown key: after a failure a check runs again after fast_interval: write that in the check";
const timeout = "unknown key: write timeout: in the check; it holds for a whole run, answers included";
const warmup = "not needed: the first runs of checks are spread over a second";

/** In a virtual server and in a real one. */
const checkers: Readonly<Record<string, string>> = {
  tcp_check: check("tcp"),
  http_get: "unknown key: write check: { type: http, path: /health }, with further keys in the braces",
  ssl_get: "unknown key: write check: { type: http, path: /health, tls: true }, with further keys in the braces",
  smtp_check: check("smtp"),
  dns_check: check("dns"),
  misc_check:
    "unknown key: write check: { type: script, script: PROGRAM }; it finds {address} and {port} in its arguments",
  udp_check: check("udp"),
  ping_check: check("ping"),
  file_check: check("file"),
  bfd_check: "not supported in this version",
  delay_loop: interval,
  checkinterval: interval,
  retry: fall,
  failurecount: "unknown key: a check is down after fall failures in a row: write fall: in the check",
  nb_get_retry: fall,
  delay_before_retry: retryDelay,
  connect_timeout: timeout,
  checktimeout: timeout,
  negotiatetimeout: timeout,
  connect_ip: "unknown key: write host: in the check",
  connect_port: "unknown key: write port: in the check",
  checkport: "unknown key: write port: in the check",
  checktype:
    "unknown key: write check: { type: tcp } for connect, http or another service for negotiate, ping or script; check: [] for on",
  checkcount: "not needed: of a check of type ping, fall: tells how many may fail",
  checkcommand:
    "unknown key: write check: { type: script, script: PROGRAM VIRTUAL-ADDRESS VIRTUAL-PORT {address} {port} }",
  request: "unknown key: write check: { type: http, path: /health }",
  receive: "unknown key: write body_regex: in a check of type http",
  login: "unknown key: write username: in a check",
  passwd: "unknown key: write password: or password_file: in a check",
  virtualhost: "unknown key: write virtualhost: in a check of type http",
  warmup,
  log_all_failures: "not needed: viprd status shows the last result of each check",
  smtp_alert: noMail,
  emailalert: noMail,
  snmp_name: "not supported: there is no SNMP; names are those of the file",
};

const inVirtualServer: Readonly<Record<string, string>> = {
  ...checkers,
  lb_algo: "unknown key: write lvs_sched:",
  lb_kind: "unknown key: write lvs_method:",
  hashed: "not needed: it is a mark of the kernel's own",
  flag_1: "unknown key: write sched_flags: [1]",
  flag_2: "unknown key: write sched_flags: [2]",
  flag_3: "unknown key: write sched_flags: [3]",
  schedflags: "unknown key: write mh_port, mh_fallback, sh_port, sh_fallback, or sched_flags: with numbers",
  sorry_server_inhibit:
    "not needed: a sorry server that goes gets weight 0, and keeps its connections; inhibit: below it is about the real servers",
  sorry_server_lvs_method: "unknown key: write lvs_method: below sorry_server:",
  fallback: "unknown key: write sorry_server: { address: ADDRESS, port: PORT }",
  fallbackcommand: "unknown key: write quorum_down: and quorum_up:",
  quiescent: "unknown key: write on_failure: quiesce",
  readdquiescent:
    "not needed: a server that is down stays out of the table, or in it with weight 0, as on_failure says",
  cleanstop: "unknown key: write on_stop: remove, or keep",
  netmask: "unknown key: write persistence_granularity:",
  persistent: "unknown key: write persistence_timeout:, with a unit",
  service: "not needed: write the type of the check",
  load: "not needed",
  virtual: "unknown key: write address: and port:, or fwmark:",
  monitorfile: "not supported: viprd status and viprd events tell the same",
};

const outOfService =
  "unknown key: viprd drain and viprd maintenance on --server take a server out while viprd runs; here write weight: 0";

const inRealServer: Readonly<Record<string, string>> = {
  ...checkers,
  disabled: outOfService,
  enabled: outOfService,
  maintenance: outOfService,
  drain: outOfService,
  lb_kind: "unknown key: write lvs_method:",
};

const inCheck: Readonly<Record<string, string>> = {
  delay_loop: "unknown key: write interval:",
  retry: "unknown key: write fall: failures in a row, keepalived's retry and one more",
  nb_get_retry: "unknown key: write fall: failures in a row, keepalived's nb_get_retry and one more",
  delay_before_retry: "unknown key: write fast_interval:",
  connect_timeout: "unknown key: write timeout:; it holds for a whole run, answers included",
  misc_timeout: "unknown key: write timeout:",
  misc_path: "unknown key: write script:",
  misc_dynamic: "only in a check of type script",
  track_file: "unknown key: write path: of the file in a check of type file",
  http_protocol: "not needed: HTTP/1.1 is spoken; http_version: 2 is another choice",
  regex_options: "not supported: write body_regex: so that it needs none",
  host: "unknown key: a check of type http takes the server's address, or the one in url: or address:",
  connect_ip: "unknown key: write host:, or with type: http address:",
  connect_port: "unknown key: write port:",
  bindto: "unknown key: write source:",
  bind_if: "not supported: source: names the address to ask from",
  bind_port: "not supported: the kernel chooses the port",
  warmup,
  alpha: "unknown key: write initial: down",
  regex: "unknown key: write body_regex:",
  enable_sni: "not needed: the name of the URL is sent; sni_name: sends another one",
  log_all_failures: "not needed: viprd status shows the last result of each check",
};

/** What keepalived and ldirectord call the types of checks. */
const types: Readonly<Record<string, string>> = {
  tcp_check: "write tcp",
  connect: "write tcp",
  simpletcp: "write tcp, with steps:",
  nntp: "write tcp, with steps:",
  http_get: "write http",
  http_proxy: "write http, with a url: of another server and the address: of this one",
  smtp_check: "write smtp",
  submission: "write smtp, with port: 587",
  dns_check: "write dns",
  udp_check: "write udp",
  ping_check: "write ping",
  icmp: "write ping",
  file_check: "write file",
  misc_check: "write script",
  misc: "write script",
  exec: "write script",
  external: "write script",
  external_perl: "write script",
  oracle: "write script",
  negotiate: "write the type of the service, as in http",
  imaps: "write imap, with tls: implicit",
  pops: "write pop, with tls: implicit",
  pop3: "write pop",
  pop3s: "write pop, with tls: implicit",
  ldaps: "write ldap, with tls: implicit",
  postgresql: "write pgsql",
  bfd_check: "not supported in this version",
};
const secured = new Set(["ssl_get", "https"]);
const never = new Set(["off", "none", "no", "false"]);

/** Of a type of check that is none here. */
export function adviceForType(type: string, path: Path): string | undefined {
  const word = type.toLowerCase().replace(/-/g, "_");
  if (secured.has(word))
    return path[0] === "health_check" ? "write http, with a url: of https" : "write http, with tls: true";
  return Object.hasOwn(types, word) ? types[word] : undefined;
}

/** Of the name of a check, where there is none of that name. */
export function adviceForCheck(name: string): string | undefined {
  const word = name.toLowerCase();
  if (never.has(word)) return "write check: [] for servers that are always up";
  const advice = adviceForType(word, []);
  return advice
    ?.replace(/^write (\w+)$/, "write check: { type: $1 }")
    .replace(/^write (\w+), with/, "write check: { type: $1, … }, with");
}

/** The words that have an advice where `path` leads. */
export function lvsWords(path: Path): Readonly<Record<string, string>> {
  const [section] = path;
  if (section === "global") return path[1] === "lvs_sync_daemon" ? { id: "unknown key: write syncid:" } : {};
  const inside = path.slice(2).filter((part) => typeof part === "string");
  if (section === "health_check") return path.length === 2 ? inCheck : {};
  if (section !== "virtual_server" || path.length < 2) return {};
  if (inside.at(-1) === "check") return inCheck;
  if (inside.length === 0) return inVirtualServer;
  return inside.length === 1 && inside[0] === "real_server" ? inRealServer : {};
}

/** Blocks of keepalived whose arguments came along: "real_server 192.0.2.21 443". */
export function adviceForBlock(key: string, path: Path): string | undefined {
  const [, word, rest = ""] =
    /^(virtual_server|virtual_server_group|real_server|sorry_server)\s+(\S.*)$/.exec(key) ?? [];
  const [first = "", second] = rest.split(/\s+/);
  const endpoint = second === undefined ? `address: ${first}` : `address: ${first}, port: ${second}`;
  if (word === "real_server" && path[0] === "virtual_server") {
    return `write real_server: and below it a line for each: - { ${endpoint} }`;
  }
  if (word === "sorry_server" && path[0] === "virtual_server") return `write sorry_server: { ${endpoint} }`;
  if (path.length > 0) return undefined;
  if (word === "virtual_server_group")
    return `write ${word}: alone, and the name with its colon on the next line, indented`;
  if (word !== "virtual_server") return undefined;
  const service = first === "fwmark" || first === "group" ? `${first}: ${second ?? "…"}` : endpoint;
  return `write virtual_server:, a name of your choice with a colon below it, and ${service.replace(", ", " and ")} below the name`;
}
