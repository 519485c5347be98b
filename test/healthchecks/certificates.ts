/** A certificate authority, a server and a client certificate for tests, made by openssl in a directory of their own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificates {
  readonly directory: string;
  readonly authority: string;
  readonly server: { readonly cert: Buffer; readonly key: Buffer };
  /** As that of the server, but its time is nearly over. */
  readonly expiring: { readonly cert: Buffer; readonly key: Buffer };
  readonly client: { readonly certificate: string; readonly key: string };
}

/** The server's is for the name "www.test" and for 127.0.0.1. */
export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), "viprd-certificates-"));
  const file = (name: string) => join(directory, name);
  const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2");
  for (const [name, subject, alternatives] of [
    ["server", "/CN=www.test", "DNS:www.test,IP:127.0.0.1"],
    ["client", "/CN=client", "DNS:client"],
  ] as const) {
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
    writeFileSync(file(`${name}.ext`), `subjectAltName=${alternatives}\n`);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`];
    openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...signing);
  }
  // Made with a clock of its own: 30 days, of which the last one is under way.
  const started = new Date(Date.now() - 29.5 * 24 * 3_600_000).toISOString().replace(/\D/g, "").slice(0, 14);
  const ended = new Date(Date.now() + 12 * 3_600_000).toISOString().replace(/\D/g, "").slice(0, 14);
  writeFileSync(file("index.txt"), "");
  writeFileSync(file("serial"), "77\n");
  const section =
    "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\npolicy=any\ndefault_md=sha256\n";
  writeFileSync(file("ca.cnf"), `${section}[any]\ncommonName=supplied\n`);
  openssl(
    ...["ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "server.csr"],
    ...["-startdate", `${started}Z`, "-enddate", `${ended}Z`, "-extfile", "server.ext", "-out", "expiring.pem"],
  );
  return {
    directory,
    authority: file("ca.pem"),
    server: { cert: readFileSync(file("server.pem")), key: readFileSync(file("server.key")) },
    expiring: { cert: readFileSync(file("expiring.pem")), key: readFileSync(file("server.key")) },
    client: { certificate: file("client.pem"), key: file("client.key") },
  };
}
